"""What the tests share: the real ``laps`` command, run as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Laps = Callable[..., Ran]


@pytest.fixture
def laps(tmp_path: Path) -> Laps:
    """Runs ``laps`` in an empty folder, without the variables of the person who runs the tests."""

    def run(
        *arguments: str | os.PathLike[str],
        input: str = "",
        env: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> Ran:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAPS_", "AZURE_"))}
        done = subprocess.run(
            [str(Path(sys.executable).with_name("laps")), *(os.fspath(argument) for argument in arguments)],
            input=input,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**kept, "COLUMNS": "100", "NO_COLOR": "1", **(env or {})},
            timeout=120,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        if status is not None:
            assert ran.status == status, ran
        return ran

    return run
