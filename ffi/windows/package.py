#!/usr/bin/env python3
"""Adds the licences of what is built in to a folder, and makes a zip of it; the same folder gives
the same zip.

usage: package.py FOLDER ZIP
"""
import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

TARGET = "x86_64-pc-windows-gnu"


def crates():
    """Every crate that is in one of the libraries, and where its sources are."""
    tree = subprocess.run(
        [
            "cargo", "tree", "-p", "laps-ffi", "--edges", "normal", "--target", TARGET, "--prefix",
            "none", "--format", "{p}"
        ],
        check=True, capture_output=True, text=True).stdout
    used = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
    metadata = json.loads(subprocess.run(
        [
            "cargo", "metadata", "--format-version", "1"
        ], check=True, capture_output=True, text=True).stdout)
    for package in metadata["packages"]:
        if package["source"] and (package["name"], "v" + package["version"]) in used:
            yield package


def licences(folder):
    """One line and one folder for each crate."""
    lines = []
    for package in sorted(crates(), key=lambda each: each["name"]):
        lines.append(f"{package['name']} {package['version']}: {package['license']}")
        texts = [text for text in pathlib.Path(package["manifest_path"]).parent.iterdir()
                 if text.is_file() and text.name.upper().startswith(
                     ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
                 )]
        place = folder / f"{package['name']}-{package['version']}"
        for text in texts:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(text, place / text.name)
    lines.append("Rust's standard library: MIT OR Apache-2.0")
    (folder / "crates.txt").write_text("\n".join(lines) + "\n")


def main():
    folder, archive = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    licences(folder / "licences")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder.parent)), (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


main()
