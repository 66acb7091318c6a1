"""The story, told chapter by chapter."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._laps import Password, Record, Vault, evaluate
from ..cli.secret import passwords
from ..exceptions import LapsError
from .fleet import ACTOR, LAPS, DeviceFolder, Fleet

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Broken", "Story"]


class Broken(Exception):
    """A promise did not hold in front of the audience."""


class Story:
    """One telling of the story."""

    def __init__(self, console: Console, folder: Path | None = None) -> None:
        self.console = console
        self.folder = folder or Path(tempfile.mkdtemp(prefix="laps-demo-"))
        self.fleet = Fleet(self.folder)
        self.chapter = 0

    def tell(self, account: str | None = None) -> None:
        """Tells all of it; with an account, the first rotation is of that account on this
        machine."""
        self.console.print(
            "LAPS, from a policy to a revealed password, with accidents on the way.", style="bold"
        )
        self.say(
            f"Everything happens in {self.folder}, with the library and the commands as they are "
            "installed."
        )
        self.policy()
        self.readers()
        if account is not None:
            self.real(account)
        self.rotations()
        self.reveal()
        self.order()
        self.kill("before", "between back-up and apply", "the old", "current")
        self.kill("after", "between apply and commit", "the new", "pending")
        self.tamper()
        self.end()

    def policy(self) -> None:
        """The policy and its strength."""
        self.head(
            "The policy",
            "What an MDM administrator chose; every other setting has Windows' default."
        )
        found = evaluate([("policy.json", self.fleet.policy.read_bytes())])
        if found.policy is None:
            raise Broken("the policy of the demonstration is refused")
        self.table(
            ["setting", "value", "from"],
            (
                [
                    name,
                    str(setting.value).lower() if isinstance(setting.value, bool)
                    else str(setting.value),
                    setting.source
                ]
                for name, setting in found.settings.items()
            ),
        )
        strength = found.policy.recipe().strength
        self.say(
            f"It allows exactly {strength.admissible:,} passwords, each equally likely: "
            f"{strength.bits:.6f} bits, rounded down."
        )

    def readers(self) -> None:
        """Two readers and a vault."""
        self.head(
            "Two readers and a vault",
            "Passwords are sealed to readers; the vault holds no key that opens one."
        )
        self.fleet.make_readers()
        Vault.init(
            self.fleet.vault_path,
            readers=[key.reader for key in self.fleet.keys],
            actor=ACTOR,
            reason="the demonstration begins",
        )
        self.table(
            ["reader", "suite", "id"],
            (
                [key.reader.name, key.reader.suite, f"{key.reader.id[:32]}…"]
                for key in self.fleet.keys
            ),
        )
        self.say(
            f"The vault is {self.fleet.vault_path.name}: one SQLite file that only its owner can "
            "read."
        )

    def real(self, account: str) -> None:
        """The first rotation, on a real account of this machine."""
        self.head(
            f"The account {account} of this machine",
            "A real rotation: chpasswd sets it, the shadow file proves it."
        )
        state = self.folder / "this-machine"
        device = DeviceFolder("THIS-MACHINE", state, state, f"linux:{account}")
        policy = self.folder / "policy.json"
        kept = policy.read_bytes()
        policy.write_text(
            json.dumps({**json.loads(kept), "AdministratorAccountName": account}), encoding="utf-8"
        )
        try:
            done = self.fleet.agent(device)
            self.events(done)
            self.succeeds(device, done)
            self.fleet.check_in(device)
        finally:
            policy.write_bytes(kept)
        (state_of, password), *_ = self.fleet.candidates(
            device.name, f"the new password of {account}"
        )
        passwords([(f"{account}, {state_of}", password)])
        self.say(
            f"This is the password of {account} on this machine now. Keep it, or set another one "
            f"with passwd {account}."
        )

    def rotations(self) -> None:
        """The first rotation of three devices."""
        self.head(
            "Three devices rotate",
            "Each account is a file behind a command; each agent is a process, sealing before it "
            "sets."
        )
        rows = []
        for device in self.fleet.devices:
            before = device.password
            self.succeeds(device, self.fleet.agent(device))
            self.fleet.check_in(device)
            self.agrees(device, "a look after the first rotation", quiet=True)
            rows.append([device.name, before, device.password])
        self.table(["device", "password before", "password on the device now"], rows)
        self.devices()

    def reveal(self) -> None:
        """One password, with a reason."""
        device = self.fleet.devices[0]
        self.head(
            "A password is revealed", "The audit entry is durable before anything leaves the vault."
        )
        key = self.folder / "helpdesk.key"
        command = [*LAPS, "reveal", device.name]
        command += [
            "--vault", str(self.fleet.vault_path), "--reader", str(key), "--actor", "ann",
            "--reason", "ticket 4711: printer driver"
        ]
        self.console.print(
            f"$ laps reveal --vault fleet.vault {device.name} --reader helpdesk.key --actor ann "
            "--reason …",
            style="dim"
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0 or device.password not in done.stdout:
            raise Broken(f"reveal left with {done.returncode}: {done.stderr.strip()}")
        self.console.print(done.stdout.rstrip())
        self.entries(2)

    def order(self) -> None:
        """An order to rotate, and the next check-in."""
        device = self.fleet.devices[1]
        self.head(
            "A rotation is ordered",
            "It happens at the device's next check-in, and the order is fulfilled by the commit."
        )
        old = device.password
        self.fleet.vault.order_rotation(
            [device.name], actor="ann", reason="the password was on a sticky note"
        )
        before = self.fleet.vault.show(device.name)
        self.succeeds(device, self.fleet.agent(device))
        self.fleet.check_in(device)
        after = self.fleet.vault.show(device.name)
        self.table(
            ["", "version", "ordered", "password on the device"],
            [
                ["after the order", str(before.version), _yes(before.ordered), old],
                ["after the check-in", str(after.version), _yes(after.ordered), device.password],
            ],
        )
        if not before.ordered or after.ordered or old == device.password:
            raise Broken("the ordered rotation did not happen")
        self.agrees(device, "a look after the ordered rotation")

    def kill(self, when: str, where: str, which: str, state: str) -> None:
        """An agent dies, a reader still gets the password, the next agent mends it."""
        device = self.fleet.devices[2]
        self.head(
            f"The agent is killed {where}",
            "SIGKILL, a real process: no handler, no clean-up, no warning."
        )
        old = device.password
        done = self.fleet.agent(device, "--force", store=device.accidents[when])
        self.events(done)
        if not self.fleet.was_killed(done):
            raise Broken(f"the agent was to be killed and left with {done.returncode}")
        if (device.password == old) is not (which == "the old"):
            raise Broken(f"{which} password should be on the device")
        self.say(
            f"The device has {which} password. What a reader gets from the vault at this moment:"
        )
        found = self.agrees(device, f"the agent died {where}")
        if found != state:
            raise Broken(
                f"the password on the device should be the {state} candidate, not the {found} one"
            )
        self.say("The agent starts again, finds its journal, and finishes:")
        again = self.fleet.agent(device)
        self.events(again)
        self.succeeds(device, again)
        self.fleet.check_in(device)
        if self.agrees(device, "a look after the repair") != "current":
            raise Broken("the repaired device should have the current password")

    def tamper(self) -> None:
        """An audit entry edited behind the vault's back."""
        self.head(
            "Somebody edits the audit log", "Straight in the SQLite file, behind the vault's back."
        )
        before = self.fleet.vault.audit_verify()
        with sqlite3.connect(self.fleet.vault_path) as file:
            changed = file.execute(
                "UPDATE audit SET actor = 'nobody' WHERE number = (SELECT min(number) FROM audit "
                "WHERE actor = 'ann')"
            ).rowcount
        file.close()
        after = self.fleet.vault.audit_verify()
        self.table(
            ["", "verifies", "entries", "first bad entry"],
            [
                ["before", _yes(before.ok), str(before.entries), _number(before.first_bad)],
                ["one row edited", _yes(after.ok), str(after.entries), _number(after.first_bad)],
            ],
        )
        if changed != 1 or not before.ok or after.ok or after.first_bad is None:
            raise Broken("verification did not find the edited entry")
        entry = self.fleet.vault.audit_entries(after=after.first_bad - 1, limit=1)[0]
        self.say(
            f"Entry {entry.number} ({entry.action}, {entry.device}) now says {entry.actor!r}; its "
            "hash says otherwise. Whoever holds an earlier head finds also an audit log that was "
            "recomputed as a whole."
        )

    def end(self) -> None:
        """Where to look further."""
        self.head("The end", "Everything is still there to look at.")
        self.console.print(
            f"  laps vault list --vault {self.fleet.vault_path}\n  rm -r {self.folder}",
            style="dim",
            soft_wrap=True
        )

    def agrees(self, device: DeviceFolder, reason: str, *, quiet: bool = False) -> str:
        """Shows that a reader gets the password that is on the device; gives the state of that
        candidate."""
        found = self.fleet.candidates(device.name, reason)
        here = Password(device.password)
        states = [state for state, password in found if password == here]
        if not quiet:
            self.table(
                ["candidate", "password", "on the device"],
                (
                    [state, password.expose(), "yes" if password == here else ""]
                    for state, password in found
                ),
            )
        if len(states) != 1:
            raise Broken(f"{device.name}: no reader gets the password that is on the device")
        # The journal on the device serves when the vault is gone.
        from .._laps import journal_records

        sealed = journal_records((device.state / "journal").read_bytes())
        opened = []
        for each in sealed:
            try:
                opened.append(self.fleet.keys[1].open(Record.parse(each)).password)
            except LapsError:
                continue
        if here not in opened:
            raise Broken(
                f"{device.name}: the journal does not hold the password that is on the device"
            )
        return states[0]

    def succeeds(self, device: DeviceFolder, done: subprocess.CompletedProcess[str]) -> None:
        """An agent must have ended well."""
        if done.returncode != 0:
            raise Broken(
                f"the agent of {device.name} left with {done.returncode}: {done.stderr.strip()}"
            )

    def devices(self) -> None:
        """The list of the vault."""
        page, _, _ = self.fleet.vault.list()
        self.table(
            ["device", "account", "version", "state", "expires"],
            (
                [
                    each.device, each.account, str(each.version), each.state,
                    f"{each.expires:%Y-%m-%d}" if each.expires else "-"
                ]
                for each in page
            ),
        )

    def entries(self, last: int) -> None:
        """The last entries of the audit log."""
        vault = self.fleet.vault
        length = vault.audit_verify().entries
        self.table(
            ["entry", "action", "actor", "device", "reason"],
            (
                [str(each.number), each.action, each.actor, each.device, each.reason]
                for each in vault.audit_entries(after=length - last)
            ),
        )

    def events(self, done: subprocess.CompletedProcess[str]) -> None:
        """What an agent reported."""
        names = " → ".join(self.fleet.names(done.stdout.splitlines()))
        if self.fleet.was_killed(done):
            names += " → killed"
        self.console.print(f"  {names}", style="cyan")

    def head(self, title: str, explanation: str) -> None:
        """A chapter's heading and its one line."""
        self.chapter += 1
        self.console.print()
        self.console.rule(f" {self.chapter}. {title} ", align="left", style="blue")
        self.say(explanation)

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(text, style="italic" if self.console.is_terminal else "")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table; with passwords in a window too narrow for it, a line for each cell: a password
        is never folded."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        rows = [list(row) for row in rows]
        widest = [
            max(map(len, [name, *(row[at] for row in rows)])) for at, name in enumerate(columns)
        ]
        if any(
            "password" in column for column in columns
        ) and sum(widest) + 3 * len(widest) > self.console.width:
            for row in rows:
                for column, cell in zip(columns, row, strict=True):
                    self.console.print(f"{column}:" if column else "", style="bold", soft_wrap=True)
                    self.console.print(
                        cell, style="green" if "password" in column else "", soft_wrap=True
                    )
            return
        made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for position, column in enumerate(columns):
            secret = "password" in column
            made.add_column(
                column, style="green" if secret else "bold" if position == 0 else "",
                overflow="fold"
            )
        for row in rows:
            made.add_row(*row)
        self.console.print(made)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def is_root() -> bool:
    """Whether this process may set the password of any account."""
    return os.geteuid() == 0
