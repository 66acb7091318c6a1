"""What the tests share: the real ``laps`` command, run as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import graph as fake

# A shell without job control starts its background jobs with SIGINT ignored, and children inherit
# that: `laps` would then ignore interrupts, as it should, and the tests that interrupt it would
# wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As for whoever works with keys: what the tests write is for nobody else, or `laps` would refuse a
# key that others can read.
os.umask(0o077)


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
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("LAPS_", "AZURE_"))
        }
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("laps")),
                *(os.fspath(argument) for argument in arguments)
            ],
            input=input,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**kept, "COLUMNS": "100", "NO_COLOR": "1", **(env or {})},
            timeout=120,
            check=False,
            # Without the terminal of whoever runs the tests, which a passphrase would be asked on.
            start_new_session=True,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        if status is not None:
            assert ran.status == status, ran
        return ran

    return run


@dataclass(frozen=True)
class Fleet:
    """A vault with two readers, and a device whose account is a file."""

    laps: Laps
    folder: Path

    @property
    def password(self) -> str:
        """What is on the device."""
        return (self.folder / "accounts" / "Admin").read_text()

    @property
    def store(self) -> str:
        """The account store of the demonstration."""
        script = Path(sys.modules["laps"].__file__ or "").parent / "demo" / "account.sh"
        return f"command:/bin/sh '{script}' '{self.folder / 'accounts'}'"

    def agent(
        self, *options: str, verb: str = "run", device: str = "PC-1", vault: str = "vault",
        status: int | None = 0
    ) -> Ran:
        """Runs the agent once."""
        words = [
            "agent", verb, "--policy", "policy.json", "--vault", vault, "--state", f"state-{device}"
        ]
        words += [
            "--device", device, "--reader", "ann.pub", "--reader", "bob.pub", "--store", self.store,
            "--json"
        ]
        return self.laps(*words, *(["--once"] if verb == "run" else []), *options, status=status)

    def reveal(self, *options: str, device: str = "PC-1", status: int | None = 0) -> Ran:
        """Reveals with Ann's key."""
        words = [
            "reveal", "--vault", "vault", device, "--reader", "ann.key", "--actor", "ann",
            "--reason",
            "ticket 1", "--json"
        ]
        return self.laps(*words, *options, status=status)

    def snapshot(self) -> dict[str, object]:
        """Everything that must not change when something is refused."""
        import sqlite3

        with sqlite3.connect(f"file:{self.folder / 'vault'}?mode=ro", uri=True) as file:
            tables = [
                sorted(map(repr, file.execute(f"SELECT * FROM {table}")))
                for table in ("device", "record", "ancestry")
            ]
        file.close()
        journal = self.folder / "state-PC-1" / "journal"
        return {
            "tables": tables,
            "password": self.password,
            "journal": journal.read_bytes() if journal.exists() else None,
            "files": sorted(
                path.name for path in self.folder.iterdir() if not path.name.startswith("vault-")
            ),
        }


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet before and after its first rotation, made once and copied for each test."""
    import laps as package

    root = tmp_path_factory.mktemp("fleet")
    before = root / "before"
    (before / "accounts").mkdir(parents=True)
    keys = [package.ReaderKey.generate(name, suite="x25519") for name in ("ann", "bob", "eve")]
    for key in keys:
        name = key.reader.name
        (before / f"{name}.key").write_bytes(key.to_key_file())
        (before / f"{name}.pub").write_text(f"{key.reader}\n")
    (before / "accounts" / "Admin").write_text("before")
    policy = json.dumps(
        {"BackupDirectory": 1, "AdministratorAccountName": "Admin", "PasswordLength": 20}
    )
    (before / "policy.json").write_text(policy)
    readers = [key.reader for key in keys[:2]]
    package.Vault.init(before / "vault", readers=readers, actor="tests", reason="a fleet for tests")
    after = root / "after"
    shutil.copytree(before, after)
    with package.Agent(
        policy=[after / "policy.json"],
        channel=package.Vault.open(after / "vault"),
        state=after / "state-PC-1",
        device="PC-1",
        readers=readers,
        store=Fleet(lambda: Ran(0, "", ""), after).store,
    ) as agent:
        assert agent.run_once() == "committed"
    return root


@pytest.fixture
def empty_fleet(laps: Laps, tmp_path: Path, templates: Path) -> Fleet:
    """Two readers, a vault, a device that never rotated; and Eve, who is no reader."""
    shutil.copytree(templates / "before", tmp_path, dirs_exist_ok=True)
    return Fleet(laps, tmp_path)


@pytest.fixture
def fleet(laps: Laps, tmp_path: Path, templates: Path) -> Fleet:
    """The same after a first rotation."""
    shutil.copytree(templates / "after", tmp_path, dirs_exist_ok=True)
    return Fleet(laps, tmp_path)


@pytest.fixture
def graph() -> Iterator[fake.Graph]:
    with fake.serving(
        fake.Graph(devices=[fake.entity(number) for number in range(1, 6)])
    ) as running:
        yield running


class Entra:
    """``laps entra`` with a token for the server."""

    def __init__(self, laps: Laps, graph: fake.Graph, folder: Path) -> None:
        self.laps, self.graph, self.folder = laps, graph, folder

    def __call__(
        self, *arguments: str, may: tuple[str, ...] = fake.EVERYTHING, status: int = 0
    ) -> Ran:
        token = self.folder / "token"
        token.write_text(fake.token(*may) + "\n")
        ran = self.laps(
            "entra", *arguments, "--graph-url", self.graph.url, "--graph-host", "127.0.0.1",
            "--token-file", token, status=status
        )
        assert fake.token(*may) not in ran.out + ran.err
        return ran


@pytest.fixture
def entra(laps: Laps, graph: fake.Graph, tmp_path: Path) -> Entra:
    return Entra(laps, graph, tmp_path)
