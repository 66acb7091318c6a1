"""What the READMEs show is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import graph as fake

HERE = Path(__file__).parents[1]
READMES = [HERE / "README.md", HERE.parent / "README.md"]


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", READMES, ids=["package", "repository"])
def test_the_python_example_runs(path: Path, tmp_path: Path) -> None:
    (source,) = blocks(path, "python")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], cwd=tmp_path, capture_output=True, text=True,
        check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "<Password>" in ran.stdout


def steps(path: Path) -> list[tuple[str, list[str]]]:
    """The commands of the console blocks, each with the lines that stand below it."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(path, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
    return [step for step in found if not step[0].startswith(("pip", "laps demo"))]


def shape(line: str) -> re.Pattern[str]:
    """What a line of the guide stands for: `…` is anything, any number is as good, blanks are
    blanks."""
    parts = re.split(r"(…|\s+|\d+)", line.strip())
    made = [
        ".*" if part == "…" else r"\s+" if part.isspace() else r"\d+" if part.isdigit()
        else re.escape(part)
        for part in parts
    ]
    return re.compile(r"\s*" + "".join(made) + r"\s*")


def run(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of a console block."""
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("LAPS_", "AZURE_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**kept, "PATH": path, "NO_COLOR": "1", **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    commands = steps(HERE / "README.md")
    assert len(commands) > 8
    for command, _ in commands:
        ran = run(command, tmp_path)
        assert ran.returncode == 0, (command, ran.stdout)
    assert (tmp_path / "accounts" / "Admin").read_text() in ran.stdout


def test_every_command_of_the_guide_runs_and_answers_as_it_says(tmp_path: Path) -> None:
    with fake.serving(fake.Graph(devices=[fake.entity(1001), fake.entity(1002)])) as graph:
        (tmp_path / "token").write_text(fake.token(*fake.EVERYTHING))
        more = {
            "LAPS_GRAPH_URL": graph.url, "LAPS_GRAPH_HOST": "127.0.0.1",
            "LAPS_GRAPH_TOKEN_FILE": "token"
        }
        shown: list[str] = []
        for command, lines in steps(HERE / "GUIDE.md"):
            ran = run(command, tmp_path, **more)
            assert ran.returncode == 0, (command, ran.stdout)
            assert "Traceback" not in ran.stdout
            answered = ran.stdout.splitlines()
            for line in lines:
                at = next(
                    (at for at, each in enumerate(answered) if shape(line).fullmatch(each)), None
                )
                assert at is not None, (command, line, ran.stdout)
                # Standard output and standard error have no order between them.
                del answered[at]
            if command.startswith(("laps reveal", "laps open")):
                shown.append(ran.stdout)
    password = (tmp_path / "accounts" / "Admin").read_text()
    assert (
        password != "before" and password in shown[-1] and password in shown[-2]
        and password not in shown[0]
    )
    # The groups of a spelled password are indented.
    assert [any(line.startswith("  ") for line in text.splitlines()) for text in shown] == [
        False, True, False, False, False
    ]


def test_a_shape_is_no_shape_of_something_else() -> None:
    assert shape(" PC-1001   settled   in … d").fullmatch("PC-0001  settled  in 13 d ")
    assert not shape("took 1 devices in").fullmatch("took devices in")
    assert not shape(
        "every entry is as it was written"
    ).fullmatch("error: entry 4 is not as it was written")
