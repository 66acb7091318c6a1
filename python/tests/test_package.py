"""The package as it is installed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import laps
from laps import _laps

from .conftest import Laps


def test_the_version_is_one() -> None:
    assert laps.__version__ == _laps.__version__ == metadata.version("laps")


def test_everything_public_is_listed_and_exists() -> None:
    assert len(set(laps.__all__)) == len(laps.__all__)
    for name in laps.__all__:
        assert hasattr(laps, name)
    stub = Path(laps.__file__).with_name("_laps.pyi").read_text(encoding="utf-8")
    names = next(
        ast.literal_eval(node.value)
        for node in ast.parse(stub).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "__all__"
    )
    assert sorted(names) == sorted(_laps.__all__)


def test_licences_and_the_bill_of_materials_are_installed() -> None:
    files = {str(file).rpartition(".dist-info/")[2]: file for file in metadata.files("laps") or ()}
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert files[f"licenses/{name}"].read_text()
    bill = json.loads(files["sboms/laps-python.cyclonedx.json"].read_text())
    assert bill["bomFormat"] == "CycloneDX"
    known = {each["name"]: each for each in bill["components"]}
    assert {"laps-core", "laps-host", "pyo3", "ed25519-dalek", "rusqlite"} <= set(known)
    assert [name for name, each in known.items() if not each.get("licenses")] == []


def test_the_command_says_its_version(laps: Laps) -> None:
    assert laps("--version", status=0).out == f"laps {_laps.__version__}\n"


def test_a_word_that_is_no_command_is_a_usage_error(laps: Laps) -> None:
    ran = laps("frobnicate", status=2)
    assert ran.out == ""
    assert "frobnicate" in ran.err


def test_a_frozen_program_finds_the_data_files(laps: Laps, tmp_path: Path) -> None:
    hooks = metadata.distribution("laps").entry_points
    [hook] = hooks.select(group="pyinstaller40", name="hook-dirs")
    [folder] = hook.load()()
    assert "collect_data_files" in (Path(folder) / "hook-laps.py").read_text()
    # As an archive has them: by no path of a file system.
    root = Path(_laps.__file__).parent
    archive = tmp_path / "program.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in root.rglob("*"):
            if file.is_file() and file.suffix in (".py", ".json", ".sh", ".css", ".js"):
                packed.write(file, file.relative_to(root.parent))
    code = f"""
import sys; sys.path.insert(0, {str(archive)!r})
import importlib.util
class Extension:
    def find_spec(name, path=None, target=None):
        if name == "laps._laps":
            return importlib.util.spec_from_file_location(name, {_laps.__file__!r})
sys.meta_path.insert(0, Extension)
from laps.cli import main
main(sys.argv[1:])
"""
    for arguments in (["policy", "new"], ["demo"]):
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, *arguments], capture_output=True, text=True,
            timeout=120, check=False, cwd=tmp_path
        )
        assert done.returncode == 0 and "Traceback" not in done.stderr, done
