"""The agent from the command line: whom it seals to, and what its journal says by itself."""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys

import laps
import pytest

from .conftest import Fleet, Ran


def _set(
    fleet: Fleet, version: int, *readers: str, name: str = "readers.set",
    authority: str = "authority.key"
) -> None:
    signed = fleet.laps(
        "reader", "set", "sign", *readers, "--authority", authority, "--version", str(version),
        status=0
    )
    (fleet.folder / name).write_text(signed.out)


def _agent(
    fleet: Fleet, *more: str, verb: str = "run", authority: str = "authority.pub", status: int = 0
) -> Ran:
    words = [
        "agent", verb, "--policy", "policy.json", "--vault", "vault", "--state", "state-PC-1",
        "--device", "PC-1"
    ]
    words += [
        "--store", fleet.store, "--reader-set", "readers.set", "--authority", authority, "--json"
    ]
    if verb == "run":
        words += ["--once", "--force"]
    return fleet.laps(*words, *more, status=status)


def _opened(fleet: Fleet, key: str) -> bool:
    ran = fleet.laps("open", "state-PC-1/journal", "--reader", key, "--json", status=None)
    assert ran.status in (0, 5), ran
    return ran.status == 0 and [
        each["password"] for each in ran.json["candidates"]
    ] == [fleet.password]


@pytest.fixture
def signed(fleet: Fleet) -> Fleet:
    fleet.laps(
        "reader", "set", "authority", "authority.key", "--name", "security", "--no-passphrase",
        status=0
    )
    return fleet


def test_an_agent_seals_to_a_signed_set_and_never_to_an_older_one(signed: Fleet) -> None:
    _set(signed, 1, "ann.pub")
    assert "reader-set-accepted" in _agent(signed).out
    assert (_opened(signed, "ann.key"), _opened(signed, "bob.key")) == (True, False)
    old = (signed.folder / "readers.set").read_text()
    _set(signed, 2, "bob.pub")
    assert "reader-set-accepted" in _agent(signed).out
    assert (_opened(signed, "ann.key"), _opened(signed, "bob.key")) == (False, True)
    (signed.folder / "readers.set").write_text(old)
    ran = _agent(signed)
    assert "reader-set-refused" in ran.out and "older" in ran.out
    assert (_opened(signed, "ann.key"), _opened(signed, "bob.key")) == (False, True)
    assert _agent(signed, verb="check-in")


def test_a_set_of_another_authority_and_a_damaged_one_are_refused(signed: Fleet) -> None:
    signed.laps(
        "reader", "set", "authority", "other.key", "--name", "other", "--no-passphrase", status=0
    )
    _set(signed, 1, "eve.pub", authority="other.key")
    before = signed.password
    assert "authority" in _agent(signed, status=3).err
    (signed.folder / "readers.set").write_text("not a set")
    assert "readers.set" in _agent(signed, status=3).err
    assert signed.password == before
    _set(signed, 1, "ann.pub")
    _agent(signed)
    # From now on this authority is pinned, and no plain reader takes its place.
    _set(signed, 9, "eve.pub", authority="other.key")
    assert "rm " in _agent(signed, authority="other.pub", status=3).err
    assert "rm " in signed.agent(status=3).err
    assert "reader-set-refused" in _agent(signed).out
    assert _opened(signed, "ann.key") and not _opened(signed, "eve.key")


def test_a_set_goes_with_its_authority_and_not_with_readers(signed: Fleet) -> None:
    _set(signed, 1, "ann.pub")
    for options in (["--reader-set", "readers.set"], ["--authority", "authority.pub"]):
        assert "--authority" in signed.agent(*options, status=2).err
    both = ["--reader-set", "readers.set", "--authority", "authority.pub"]
    assert "not both" in signed.agent(*both, status=2).err
    for given in (
        {"reader_set": "x"},
        {"authority": laps.Signer((signed.folder / "authority.pub").read_text())}
    ):
        with pytest.raises(laps.LapsError, match="go together"):
            laps.Agent(
                policy=[], channel=lambda _: b"", state=signed.folder / "s", device="d",
                store=signed.store, **given
            )


# The vault behind a callable that kills its own process when the journal says that the rotation has
# come so far: the agent itself has no such switch.
_DIES = """
import os, signal, sys, laps
here, store, state = sys.argv[1:]
vault = laps.Vault.open(f"{here}/vault")
def exchange(message):
    if laps.agent_status(f"{here}/state-PC-1").state == state:
        os.kill(os.getpid(), signal.SIGKILL)
    return vault.check_in("PC-1", message)
readers = [laps.Reader(open(f"{here}/{name}.pub").read()) for name in ("ann", "bob")]
laps.Agent(
    policy=[f"{here}/policy.json"], channel=exchange, state=f"{here}/state-PC-1", device="PC-1", readers=readers, store=store
).run_once(force=True)
"""


def _killed(fleet: Fleet, state: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DIES, fleet.folder, fleet.store, state], timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL


def test_the_installed_agent_has_no_switch_that_ends_it(fleet: Fleet) -> None:
    assert "No such option" in fleet.agent("--kill-at", "committed", status=2).err
    with pytest.raises(TypeError, match="_kill_at"):
        laps.Agent(  # type: ignore[call-arg]
            policy=[], channel="c", state="s", device="d", store="s", _kill_at="committed"
        )
    assert not [name for name in inspect.signature(laps.Agent).parameters if name.startswith("_")]


def _labels(fleet: Fleet) -> dict[str, str]:
    shown = fleet.laps("open", "state-PC-1/journal", "--reader", "ann.key", "--json", status=0).json
    return {each["password"]: each["state"] for each in shown["candidates"]}


def test_a_journal_by_itself_says_which_password_the_account_has(fleet: Fleet) -> None:
    first = fleet.password
    assert _labels(fleet) == {first: "current"}
    # Made and not applied: the one of the last commit is current.
    _killed(fleet, "backing-up")
    labels = _labels(fleet)
    assert labels.pop(first) == "current" and list(labels.values()) == ["pending"]
    fleet.agent()
    assert _labels(fleet) == {fleet.password: "current"}
    # Verified and not committed: the new one.
    before = fleet.password
    _killed(fleet, "committing")
    assert _labels(fleet) == {before: "pending", fleet.password: "current"}
    fleet.agent()
    assert _labels(fleet) == {fleet.password: "current"}


def test_a_vault_knows_from_the_first_commit_on_how_a_device_stands(fleet: Fleet) -> None:
    fleet.agent(device="PC-9")
    rows = {
        row["device"]: row
        for row in fleet.laps(
            "vault", "list", "--vault", "vault", "--json", status=0
        ).json["devices"]
    }
    status = fleet.laps("agent", "status", "--state", "state-PC-9", "--json", status=0).json
    assert (rows["PC-9"]["state"], rows["PC-9"]["expires"]) == ("settled", status["due"])
    assert rows["PC-9"]["outcome"]["id"] == 10029


def test_what_a_device_asks_for_is_in_its_status(fleet: Fleet) -> None:
    store = fleet.folder / "picky.sh"
    account = fleet.store.removeprefix("command:/bin/sh ")
    store.write_text(
        f"""[ "$1" = set ] || exec /bin/sh {account} "$@"
word=$(cat)
digits=$(printf %s "$word" | tr -cd 0-9 | wc -c)
[ "$digits" -ge 10 ] || {{ echo 'at least 10 digits, at most 12 characters' >&2; exit 10; }}
printf %s "$word" | exec /bin/sh {account} "$@"
"""
    )
    words = [
        "agent", "run", "--once", "--force", "--policy", "policy.json", "--vault", "vault",
        "--state", "state-PC-1"
    ]
    words += [
        "--device", "PC-1", "--reader", "ann.pub", "--store", f"command:/bin/sh '{store}'", "--json"
    ]
    ran = fleet.laps(*words, status=0)
    assert "recipe-stricter" in ran.out and "recipe-not-stricter" in ran.out
    # Ten digits among the policy's twenty characters would be weaker than the policy alone.
    assert len(fleet.password) == 23
    status = ["agent", "status", "--state", "state-PC-1"]
    taken = {"demand": "at least 10 digits", "followed": True, "why": None}
    assert fleet.laps(*status, "--json", status=0).json["demands"] == [taken]
    assert laps.agent_status(fleet.folder / "state-PC-1").demands == [("at least 10 digits", None)]
    # One that no password may meet stands there until one is taken.
    store.write_text(store.read_text().replace('"$digits" -ge 10', '"${#word}" -le 12'))
    assert fleet.laps(*words, status=8)
    asked = fleet.laps(*status, "--json", status=0).json["demands"]
    assert [(each["demand"], each["followed"]) for each in asked] == [
        ("at least 10 digits", True),
        ("at most 12 characters", False),
    ]
    assert "20 characters" in asked[1]["why"]
    shown = " ".join(fleet.laps(*status, status=0).out.split())
    assert "device asks for" in shown and "not followed" in shown
