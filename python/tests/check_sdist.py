"""The source distribution builds from a clean folder, and its wheel is what it says: `make
sdist-test`.

Usage: python tests/check_sdist.py FOLDER. What a stranger gets is built as a stranger builds it:
unpacked elsewhere, in a virtual environment of its own, with nothing of this repository beside it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def main(folder: Path) -> None:
    """Makes both distributions and looks into them."""
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "maturin", "sdist", "-o", str(folder)], cwd=HERE, check=True,
        capture_output=True
    )
    (source,) = folder.glob("laps-*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        "pyproject.toml", "Cargo.lock", "LICENSE-MIT", "LICENSE-APACHE", "README.md",
        "packaging/backend.py"
    }
    assert needed <= names, needed - names
    with tempfile.TemporaryDirectory() as elsewhere:
        with tarfile.open(source) as archive:
            archive.extractall(elsewhere, filter="data")
        (unpacked,) = Path(elsewhere).iterdir()
        # Crates of the registry need not be compiled twice. Ours are: the archive's files have an
        # old date, so to Cargo they would look as if they were what the folder's own build had
        # compiled.
        for each in unpacked.rglob("*.rs"):
            each.touch()
        # Not optimised: that takes minutes, is done for what the other tests install, and does not
        # depend on where the sources are.
        (Path(elsewhere) / ".cargo").mkdir()
        (Path(elsewhere) / ".cargo" / "config.toml").write_text(
            "[profile.dev.package.laps-core]\nopt-level = 0\n"
        )
        environment = {
            **os.environ,
            "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(HERE.parent / "target")),
            "MATURIN_PEP517_ARGS": "--profile dev",
        }
        environment.pop("PYTHONPATH", None)
        # pip keeps wheels by the path of what they were made of, and would hand out yesterday's.
        pip = [
            sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"
        ]
        command = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(unpacked)]
        subprocess.run(command, cwd=elsewhere, env=environment, check=True)
        (wheel,) = folder.glob("laps-*.whl")
        look(wheel)
        # Installed by itself, it works; nothing of ours is on the path.
        target = Path(elsewhere) / "site"
        subprocess.run(
            [*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True
        )
        words = "import laps; print(laps.__file__); print(len(laps.generate().expose()))"
        ran = subprocess.run(
            [sys.executable, "-c", words],
            cwd=elsewhere,
            env={**environment, "PYTHONPATH": str(target)},
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout.splitlines() == [str(target / "laps" / "__init__.py"), "14"], ran.stdout
    print(f"{source.name} has {len(names)} files and builds {wheel.name}")


def look(wheel: Path) -> None:
    """One abi3 wheel, with licences and a bill of materials that names no folder, and a record that
    is right."""
    assert "-cp310-abi3-" in wheel.name, wheel.name
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert not [
        name for name in files if "/tests/" in name or "__pycache__" in name or "packaging" in name
    ]
    (info,) = {name.split("/")[0] for name in files if ".dist-info/" in name}
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert len(files[f"{info}/licenses/{licence}"]) > 500
    assert {"laps/py.typed", "laps/_laps.pyi", "laps/_laps.abi3.so"} <= set(files)
    bill = files[f"{info}/sboms/laps-python.cyclonedx.json"].decode()
    named = re.findall(r"[^\"]*file://[^\"]*", bill)
    assert not named, named[:3]
    components = {each["name"]: each for each in json.loads(bill)["components"]}
    assert {"laps-core", "laps-host", "pyo3", "rusqlite"} <= set(components)
    rows = list(csv.reader(io.StringIO(files[f"{info}/RECORD"].decode())))
    assert {row[0] for row in rows} == set(files)
    for name, digest, size in rows:
        if digest:
            found = base64.urlsafe_b64encode(
                hashlib.sha256(files[name]).digest()
            ).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(files[name]))), name


if __name__ == "__main__":
    main(Path(sys.argv[1]))
