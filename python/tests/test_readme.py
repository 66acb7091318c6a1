"""What the READMEs show is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
READMES = [HERE / "README.md", HERE.parent / "README.md"]


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", READMES, ids=["package", "repository"])
def test_the_python_example_runs(path: Path, tmp_path: Path) -> None:
    (source,) = blocks(path, "python")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "<Password>" in ran.stdout


def test_every_command_of_the_guide_runs(tmp_path: Path) -> None:
    commands = [
        line.removeprefix("$ ")
        for block in blocks(HERE / "README.md", "console")
        for line in block.splitlines()
        if line.startswith("$ ") and not line.startswith(("$ pip", "$ laps demo"))
    ]
    assert len(commands) > 20
    folder = Path(sys.executable).parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAPS_")}
    environment = {**kept, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    shown: list[str] = []
    for command in commands:
        ran = subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        assert "Traceback" not in ran.stderr
        if command.startswith(("laps reveal", "laps open")):
            shown.append(ran.stdout)
    password = (tmp_path / "accounts" / "Admin").read_text()
    assert password != "before" and password in shown[-1]
    # The groups of a spelled password are indented.
    spelled = [any(line.startswith("  ") for line in text.splitlines()) for text in shown]
    assert spelled == [False, True, False, False]
