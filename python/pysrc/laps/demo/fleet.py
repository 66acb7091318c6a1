"""Three devices whose accounts are files, and agents that are processes of their own."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from .._laps import Password, ReaderKey, Record, Vault

__all__ = ["DeviceFolder", "Fleet"]

ACTOR = "demo"
#: What starts the command line again. A frozen program is the command line itself.
LAPS = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "laps"]


@dataclass(frozen=True)
class DeviceFolder:
    """One device: where its account and its agent's state are."""

    name: str
    accounts: Path
    state: Path
    store: str
    #: The same store, which kills the agent that calls it: before and after the account is changed.
    accidents: Mapping[str, str] = field(default_factory=dict)

    @property
    def password(self) -> str:
        """What the account's password is, read from the device itself."""
        return (self.accounts / "Admin").read_text(encoding="utf-8")


class Fleet:
    """The folder of the demonstration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy.json"
        self.vault_path = folder / "fleet.vault"
        self.keys: list[ReaderKey] = []
        for name in ("policy.json", "account.sh", "accident.sh"):
            (folder / name).write_bytes(resources.files(__package__).joinpath(name).read_bytes())
        self.devices = [self._device(name) for name in ("PC-0001", "PC-0002", "SRV-0001")]

    def _device(self, name: str) -> DeviceFolder:
        accounts = self.folder / name / "accounts"
        accounts.mkdir(parents=True)
        (accounts / "Admin").write_text("Summer2026!", encoding="utf-8")
        account = [str(self.folder / "account.sh"), str(accounts)]
        accident = str(self.folder / "accident.sh")
        accidents = {when: _store(accident, when, *account) for when in ("before", "after")}
        return DeviceFolder(
            name, accounts, self.folder / name / "state", _store(*account), accidents
        )

    def make_readers(self) -> list[Path]:
        """Two key pairs: the private halves in files of their own, the public halves beside
        them."""
        made = []
        for name in ("helpdesk", "security"):
            key = ReaderKey.generate(name)
            self.keys.append(key)
            file = self.folder / f"{name}.key"
            file.touch(0o600)
            file.write_bytes(key.to_key_file(passphrase=None))
            line = self.folder / f"{name}.pub"
            line.write_text(f"{key.reader}\n", encoding="utf-8")
            made.append(line)
        return made

    @property
    def vault(self) -> Vault:
        """The vault."""
        return Vault.open(self.vault_path)

    def agent(
        self, device: DeviceFolder, *options: str, store: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a real agent once."""
        return subprocess.run(
            self.command(device, *options, store=store), capture_output=True, text=True,
            timeout=120, check=False
        )

    def command(
        self, device: DeviceFolder, *options: str, store: str | None = None, verb: str = "run"
    ) -> list[str]:
        """The command line of the agent."""
        readers = [
            word for name in ("helpdesk", "security")
            for word in ("--reader", str(self.folder / f"{name}.pub"))
        ]
        words = [*LAPS, "agent", verb, "--policy", str(self.policy)]
        words += [
            "--vault", str(self.vault_path), "--state", str(device.state), "--device", device.name
        ]
        words += [*readers, "--store", store or device.store]
        return [*words, "--once", "--json", *options] if verb == "run" else [
            *words, "--json", *options
        ]

    def check_in(self, device: DeviceFolder) -> None:
        """A check-in without a rotation, as an agent does every hour."""
        done = subprocess.run(
            self.command(device, verb="check-in"), capture_output=True, text=True, timeout=120,
            check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"the check-in of {device.name} left with {done.returncode}: {done.stderr.strip()}"
            )

    def candidates(self, device: str, reason: str) -> list[tuple[str, Password]]:
        """What a reader gets from the vault: the state of each candidate, and its password."""
        found = self.vault.disclose(device, actor=ACTOR, reason=reason)
        opened = [
            (each.state, self.keys[0].open(Record.parse(each.sealed)).password)
            for each in found.candidates
        ]
        self.vault.record_outcome(found.entry, opened=True, actor=ACTOR, reason=reason)
        return opened

    @staticmethod
    def was_killed(done: subprocess.CompletedProcess[str]) -> bool:
        """Whether a process ended by SIGKILL."""
        return done.returncode == -signal.SIGKILL

    @staticmethod
    def names(events: Sequence[str]) -> list[str]:
        """The names of the events that an agent printed."""
        import json

        return [json.loads(line)["name"] for line in events]


def _store(*words: str) -> str:
    return f"command:{shlex.join(['/bin/sh', *words])}"
