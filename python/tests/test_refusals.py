"""Bad input: a message that says what, where and what would be accepted; the documented status;
nothing changed."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from laps import ReaderKey, Vault
from laps.exceptions import LapsError, MessageError

from .conftest import Fleet, Laps


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{", "policy.json"),
        ({"PasswordLenght": 14}, "PasswordLength"),
        ({"BackupDirectory": 1, "PasswordLength": 7}, "8 to 64"),
        ({"BackupDirectory": 1, "PasswordComplexity": 9}, "1 to 8"),
        ({"BackupDirectory": 1, "PasswordAgeDays": 6}, "7 to 365"),
    ],
)
def test_an_agent_with_a_refused_policy_changes_nothing(
    empty_fleet: Fleet, policy: object, said: str
) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    (empty_fleet.folder / "policy.json").write_text(text)
    ran = empty_fleet.agent(status=3)
    assert said in ran.err + ran.out
    assert empty_fleet.password == "before"
    assert empty_fleet.laps(
        "vault", "list", "--vault", "vault", "--json", status=0
    ).json["devices"] == []


def test_an_agent_that_had_a_policy_keeps_it(fleet: Fleet) -> None:
    (fleet.folder / "policy.json").write_text('{"BackupDirectory": 1, "PasswordLength": 7}')
    ran = fleet.agent("--force", status=0)
    assert "8 to 64" in ran.out + ran.err
    assert len(fleet.password) == 20


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["vault", "list", "--vault", "absent"], 4, "absent"),
        (["vault", "audit", "--vault", "absent"], 4, "absent"),
        (["vault", "rotate", "--vault", "absent", "PC-1"], 4, "absent"),
        (
            [
                "reveal", "--vault", "absent", "PC-1", "--reader", "ann.key", "--actor", "a",
                "--reason", "r"
            ], 4,
            "absent"
        ),
        (["vault", "list", "--vault", "policy.json"], 6, "policy.json"),
        (["vault", "init", "--vault", "vault", "--reader", "ann.pub"], 3, "vault"),
        (["vault", "init", "--vault", "new"], 2, "--reader"),
        (["vault", "init", "--vault", "new", "--reader", "absent.pub"], 4, "no such file"),
        (["vault", "init", "--vault", "new", "--reader", "ann.key"], 3, "ann.key"),
        (["vault", "init", "--vault", "new", "--reader", "policy.json"], 3, "laps-reader-1"),
        (
            ["vault", "init", "--vault", "new", "--reader", "ann.pub", "--history", "0"], 3,
            "1 to 1000"
        ),
        (["vault", "rotate", "--vault", "vault", "PC-9"], 4, "device"),
        (["vault", "rotate", "--vault", "vault"], 2, "--all"),
        (["vault", "rotate", "--vault", "vault", "PC-1", "--all"], 2, "--all"),
        (["vault", "rotate", "--vault", "vault", "--revealed-by", "ann"], 2, "--since"),
        (
            ["vault", "rotate", "--vault", "vault", "--revealed-by", "ann", "--since", "soon"], 2,
            "RFC 3339"
        ),
        (
            ["vault", "rotate", "--vault", "vault", "PC-1", "PC-9"], 4,
            "device PC-9: there is no such device as PC-9; the nearest name is PC-1; nothing was "
            "done for any"
        ),
        (["vault", "purge", "--vault", "vault", "PC-1"], 3, "--yes"),
        (["vault", "show", "--vault", "vault", "PC-9"], 4, "device"),
        (["vault", "list", "--vault", "vault", "--limit", "0"], 3, "1 or more"),
        (
            [
                "reveal", "--vault", "vault", "PC-9", "--reader", "ann.key", "--actor", "a",
                "--reason", "r"
            ], 4,
            "device"
        ),
        (
            ["reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "a"], 2,
            "--reason"
        ),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", " ",
                "--reason", "r"
            ], 3,
            "actor"
        ),
        (["reveal", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "r"], 2, "--reader"),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "eve.key", "--actor", "a",
                "--reason", "r"
            ], 5,
            "other readers"
        ),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "locked.key", "--actor", "a",
                "--reason", "r"
            ],
            2, "--passphrase-file"
        ),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "ann.pub", "--actor", "a",
                "--reason", "r"
            ], 3,
            "ann.pub: this is a public key"
        ),
        (
            ["reader", "new", "x.key", "--name", "", "--no-passphrase"], 3,
            "--name '': the name is not 1 to 64 bytes"
        ),
        (
            ["policy", "new", "x.json", "--set", "PasswordLength=7"], 3,
            "error: PasswordLength: 7 is refused"
        ),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "ann.key", "--actor", "a",
                "--reason", "r",
                "--rotate-after", "1"
            ],
            2, "90m"
        ),
        (
            [
                "reveal", "--vault", "vault", "PC-1", "--reader", "locked.key", "--passphrase-file",
                "wrong",
                "--actor", "a", "--reason", "r"
            ],
            5,
            "locked.key",
        ),
        (["open", "policy.json", "--reader", "ann.key"], 3, "policy.json"),
        (["open", "absent", "--reader", "ann.key"], 4, "no such file"),
        (["open", "record", "--reader", "eve.key"], 5, "other readers"),
        (["agent", "status", "--state", "absent"], 4, "no such folder"),
        (["agent", "run", "--once"], 2, "--policy"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_changed(
    fleet: Fleet, command: list[str], status: int, said: str
) -> None:
    key = ReaderKey.generate("ann", suite="x25519")
    (fleet.folder / "locked.key").write_bytes(key.to_key_file(passphrase="right"))
    (fleet.folder / "wrong").write_text("wrong\n")
    (fleet.folder / "record").write_bytes(sealed(fleet))
    (fleet.folder / "policy.json").chmod(0o600)
    before = fleet.snapshot()
    ran = fleet.laps(*command, status=status)
    assert said in ran.err, ran
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert fleet.snapshot() == before


def test_a_file_that_is_no_vault_is_said_to_be_none_whoever_can_read_it(fleet: Fleet) -> None:
    (fleet.folder / "policy.json").chmod(0o644)
    ran = fleet.laps("vault", "list", "--vault", "policy.json", status=6)
    assert "policy.json is not a vault" in ran.err and "chmod" not in ran.err
    (fleet.folder / "vault").chmod(0o644)
    assert "run `chmod 600 vault`" in fleet.laps("vault", "list", "--vault", "vault", status=5).err


def test_a_record_cut_short_is_malformed(fleet: Fleet) -> None:
    record = sealed(fleet)
    (fleet.folder / "record").write_bytes(record[:-20])
    ran = fleet.laps("open", "record", "--reader", "ann.key", status=3)
    assert "record record" in ran.err and ran.out == ""
    (fleet.folder / "journal").write_bytes(
        (fleet.folder / "state-PC-1" / "journal").read_bytes()[:-20]
    )
    ran = fleet.laps("open", "journal", "--reader", "ann.key", status=3)
    assert "cut short" in ran.err


def test_a_flipped_bit_is_never_a_password(fleet: Fleet) -> None:
    record = sealed(fleet)
    seen = set()
    for position in range(0, len(record), len(record) // 10):
        changed = bytearray(record)
        changed[position] ^= 1
        (fleet.folder / "record").write_bytes(bytes(changed))
        ran = fleet.laps("open", "record", "--reader", "ann.key")
        assert ran.out == "" and fleet.password not in ran.err
        assert ran.err.startswith("error:")
        seen.add(ran.status)
    assert seen <= {3, 5, 6} and 6 in seen


def test_a_record_in_the_place_of_another_is_not_opened(fleet: Fleet) -> None:
    document = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "r", "--json", status=0
    ).json
    candidate = document["candidates"][0]
    for other in (
        {**document, "device": "PC-2"},
        {**document, "candidates": [{**candidate, "version": candidate["version"] + 1}]},
        {**document, "candidates": [{**candidate, "record": "0" * len(candidate["record"])}]},
    ):
        (fleet.folder / "sealed.json").write_text(json.dumps(other))
        ran = fleet.laps("open", "sealed.json", "--reader", "ann.key", "--json", status=6)
        assert fleet.password not in ran.out
        assert "another record in its place" in ran.err


def test_a_record_of_another_device_in_the_vault_is_not_opened(fleet: Fleet) -> None:
    fleet.agent(device="PC-2")
    with closing(sqlite3.connect(fleet.folder / "vault")) as file, file:
        file.execute("UPDATE device SET name = 'spare' WHERE name = 'PC-1'")
        file.execute("UPDATE device SET name = 'PC-1' WHERE name = 'PC-2'")
    ran = fleet.reveal(status=None)
    assert ran.status == 6
    assert fleet.password not in ran.out


def test_a_damaged_record_among_others_is_said_by_the_status(fleet: Fleet) -> None:
    fleet.agent("--force")
    with closing(sqlite3.connect(fleet.folder / "vault")) as file, file:
        file.execute(
            "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE number = (SELECT "
            "min(number) FROM record)"
        )
    ran = fleet.reveal("--history", status=6)
    assert [each["password"] for each in ran.json["candidates"]] == [fleet.password]
    assert len(ran.json["damaged"]) == 1
    assert "is damaged in the vault" in ran.err
    words = [
        "disclose", "--vault", "vault", "PC-1", "--history", "--actor", "a", "--reason", "r",
        "--json"
    ]
    ran = fleet.laps(*words, status=6)
    assert (len(ran.json["candidates"]), len(ran.json["damaged"])) == (1, 1)
    assert "damaged" not in fleet.reveal().json


def test_a_damaged_disclosure_is_refused(fleet: Fleet) -> None:
    ran = fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", "a", "--reason", "r", "--json", status=0
    )
    changes: tuple[dict[str, object], ...] = (
        {"candidates": []}, {"candidates": [{}]}, {"candidates": 5}, {}
    )
    for change in changes:
        (fleet.folder / "sealed.json").write_text(json.dumps(change))
        assert "not understood" in fleet.laps(
            "open", "sealed.json", "--reader", "ann.key", status=3
        ).err
    document = ran.json
    body = bytearray(base64.b64decode(document["candidates"][0]["sealed"]))
    body[-1] ^= 1
    document["candidates"][0]["sealed"] = base64.b64encode(bytes(body)).decode()
    (fleet.folder / "sealed.json").write_text(json.dumps(document))
    assert fleet.laps(
        "open", "sealed.json", "--reader", "ann.key", status=6
    ).out.count(fleet.password) == 0


def test_a_check_in_that_names_another_device_is_refused(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    with pytest.raises(MessageError) as caught:
        vault.check_in("PC-2", captured(fleet))
    assert caught.value.code == 103
    assert "PC-2" in str(caught.value)
    with pytest.raises(LapsError) as malformed:
        vault.check_in("PC-1", b"hello")
    assert malformed.value.code == 102


def test_the_command_refuses_a_check_in_of_another_device(fleet: Fleet) -> None:
    import os
    import subprocess
    import sys

    message = captured(fleet)
    before = fleet.snapshot()
    command = [str(Path(sys.executable).with_name("laps")), "vault", "check-in", "--vault", "vault"]
    ran = subprocess.run(
        [*command, "PC-2"], input=message, cwd=fleet.folder, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (5, b"")
    assert b"PC-2" in ran.stderr
    assert fleet.snapshot() == before
    answered = subprocess.run(
        [*command, "PC-1"], input=message, cwd=fleet.folder, capture_output=True, check=False
    )
    assert answered.returncode == 0 and answered.stdout
    assert os.listdir(fleet.folder)


def test_an_agent_reaches_a_vault_by_a_command(empty_fleet: Fleet) -> None:
    import sys

    command = (
        f"command:'{Path(sys.executable).with_name('laps')}' vault check-in --vault "
        f"'{empty_fleet.folder / 'vault'}' PC-1"
    )
    empty_fleet.agent(vault=command)
    assert empty_fleet.reveal().json["candidates"][0]["password"] == empty_fleet.password


def test_an_agent_without_its_vault_says_so_and_changes_nothing(fleet: Fleet) -> None:
    before = fleet.snapshot()
    ran = fleet.agent("--force", vault="command:/bin/false", status=7)
    assert "unreachable" in ran.out + ran.err or "reach" in ran.out + ran.err
    assert fleet.agent(vault="absent", status=4).out == ""
    after = fleet.snapshot()
    assert (after["tables"], after["password"]) == (before["tables"], before["password"])


def test_a_second_agent_is_told_to_wait(fleet: Fleet) -> None:
    import laps as package

    vault = Vault.open(fleet.folder / "vault")
    with package.Agent(
        policy=[("p", b'{"BackupDirectory": 1, "AdministratorAccountName": "Admin"}')],
        channel=vault,
        state=fleet.folder / "state-PC-1",
        device="PC-1",
        readers=[each.reader for each in vault.readers()],
        store=fleet.store,
    ):
        ran = fleet.agent("--lock-timeout", "0s", status=7)
    assert "state-PC-1" in ran.err


def test_an_account_store_that_is_none_is_refused(fleet: Fleet, laps: Laps) -> None:
    words = [
        "agent", "run", "--once", "--policy", "policy.json", "--vault", "vault", "--state", "s",
        "--device", "D"
    ]
    ran = laps(*words, "--reader", "ann.pub", "--store", "floppy", status=3)
    assert "command:CMD" in ran.err
    assert laps(*words, "--store", fleet.store, status=2).err.count("--reader")


def captured(fleet: Fleet) -> bytes:
    """A check-in of PC-1, as it would be sent."""
    import laps as package

    vault = Vault.open(fleet.folder / "vault")
    seen: list[bytes] = []

    def channel(message: bytes) -> bytes:
        seen.append(message)
        raise ConnectionError("the cable was cut")

    with package.Agent(
        policy=[("p", b'{"BackupDirectory": 1, "AdministratorAccountName": "Admin"}')],
        channel=channel,
        state=fleet.folder / "state-PC-1",
        device="PC-1",
        readers=[each.reader for each in vault.readers()],
        store=fleet.store,
    ) as agent:
        agent.check_in()
    return seen[0]


def sealed(fleet: Fleet) -> bytes:
    """The record of PC-1."""
    vault = Vault.open(fleet.folder / "vault")
    return vault.disclose("PC-1", actor="tests", reason="a record").candidates[0].sealed


def test_damaged_devices_do_not_hide_the_others_and_are_said_by_the_status(fleet: Fleet) -> None:
    fleet.agent(device="PC-2")
    for device in ("PC-1", "PC-2"):
        fleet.agent(verb="check-in", device=device)
    for command in (
        ["vault", "list", "--vault", "vault"], ["vault", "due", "--vault", "vault"],
        ["vault", "stats", "--vault", "vault"]
    ):
        assert "damaged" not in fleet.laps(
            *command, "--json", status=0
        ).json or command[1] == "stats"
    with closing(sqlite3.connect(fleet.folder / "vault")) as file, file:
        file.execute("UPDATE device SET state = zeroblob(length(state)) WHERE name = 'PC-2'")
    ran = fleet.laps("vault", "list", "--vault", "vault", "--json", status=6)
    assert [
        each["device"] for each in ran.json["devices"]
    ] == ["PC-1"] and ran.json["damaged"] == ["PC-2"]
    assert "PC-2" in ran.err and "damaged" in ran.err
    ran = fleet.laps("vault", "list", "--vault", "vault", status=6)
    assert "PC-1" in ran.out and "PC-2" not in ran.out and "PC-2" in ran.err
    ran = fleet.laps("vault", "due", "--vault", "vault", "--within", "3650d", "--json", status=6)
    assert [
        each["device"] for each in ran.json["devices"]
    ] == ["PC-1"] and ran.json["damaged"] == ["PC-2"]
    ran = fleet.laps("vault", "stats", "--vault", "vault", "--json", status=6)
    assert (ran.json["devices"], ran.json["settled"], ran.json["damaged"]) == (2, 1, 1)
    ran = fleet.laps("vault", "export", "--vault", "vault", "out", "--json", status=6)
    assert ran.json["damaged"] == ["PC-2"]
    ran = fleet.laps("report", "--vault", "vault", "--html", "page.html", status=6)
    assert "PC-2" in (fleet.folder / "page.html").read_text() and "PC-2" in ran.err
