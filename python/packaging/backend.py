"""The build backend: maturin's, with two things of ours.

The bill of materials of a wheel does not name the folder that it was built in: a wheel is for
others, and where it was built is none of their business. And in the repository Cargo.lock is taken
as it is; a source distribution has fewer crates than the lock knows, and Cargo must be allowed to
leave the others out.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import maturin  # type: ignore[import-untyped]

get_requires_for_build_sdist = maturin.get_requires_for_build_sdist
get_requires_for_build_wheel = maturin.get_requires_for_build_wheel
prepare_metadata_for_build_wheel = maturin.prepare_metadata_for_build_wheel
build_sdist = maturin.build_sdist
build_editable = maturin.build_editable
get_requires_for_build_editable = maturin.get_requires_for_build_editable
prepare_metadata_for_build_editable = maturin.prepare_metadata_for_build_editable

# What Cargo calls a package of a folder: `path+file:///home/ann/laps/core#laps-core@0.1.0`. The
# name and version behind the hash say enough.
_FOLDER = re.compile(r"path\+file://[^#\"\s]*#")


if not Path("Cargo.lock").exists():
    os.environ.setdefault("MATURIN_PEP517_ARGS", "--locked")


def build_wheel(wheel_directory: str, *arguments: Any, **options: Any) -> str:
    """Builds a wheel."""
    name: str = maturin.build_wheel(wheel_directory, *arguments, **options)
    clean(Path(wheel_directory) / name)
    return name


def clean(wheel: Path) -> None:
    """Takes the folders out of the bill of materials, in place."""
    with zipfile.ZipFile(wheel) as source:
        files = [(each, source.read(each)) for each in source.infolist()]
    made: list[tuple[zipfile.ZipInfo, bytes]] = []
    rows: dict[str, tuple[str, str]] = {}
    for info, data in files:
        if "/sboms/" in info.filename and info.filename.endswith(".json"):
            data = _without_folders(data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows[info.filename] = (f"sha256={digest}", str(len(data)))
        made.append((info, data))
    descriptor, temporary = tempfile.mkstemp(dir=wheel.parent)
    os.close(descriptor)
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as target:
        for info, data in made:
            if info.filename.endswith(".dist-info/RECORD"):
                data = _record(data, rows)
            target.writestr(info, data, zipfile.ZIP_DEFLATED)
    Path(temporary).chmod(wheel.stat().st_mode)
    Path(temporary).replace(wheel)


def _without_folders(data: bytes) -> bytes:
    text = _FOLDER.sub("path:", data.decode("utf-8"))
    # A path that is relative to a folder says nothing without the folder.
    text = re.sub(r"\?download_url=file://[^\"#]*", "", text)
    json.loads(text)
    return text.encode("utf-8")


def _record(data: bytes, rows: dict[str, tuple[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for name, digest, size in csv.reader(io.StringIO(data.decode("utf-8"))):
        writer.writerow([name, *rows.get(name, (digest, size))])
    return out.getvalue().encode("utf-8")
