"""What happened in a vault, for metrics: kept from the first question on, and bounded."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from laps import Agent, Observed, ReaderKey, Vault, exceptions

from .conftest import Fleet


def ask(vault: Vault, device: str) -> None:
    vault.disclose(device, actor="ann", reason="a very private reason")


def seen_of(observed: Observed) -> dict[str, object]:
    names = ("kind", "device", "changed", "count", "refused", "commit", "code")
    return {name: getattr(observed, name) for name in names if getattr(observed, name)}


def test_what_happened_is_told_once_and_from_the_first_question_on(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    ask(vault, "PC-1")
    assert vault.observed() == ([], 0)
    ask(vault, "PC-1")
    with pytest.raises(exceptions.NotFound) as refused:
        ask(vault, "PC-9")
    vault.order_rotation(all=True, actor="ann", reason="a very private reason")
    seen, missed = vault.observed()
    assert missed == 0
    assert [seen_of(one) for one in seen] == [
        {"kind": "disclosed", "device": "PC-1", "count": 1},
        {"kind": "refused", "code": refused.value.code},
        {"kind": "ordered", "count": 1},
    ]
    assert [repr(one) for one in seen] == [
        "<Observed disclosed>", "<Observed refused>", "<Observed ordered>"
    ]
    assert vault.observed() == ([], 0)
    ask(Vault.open(fleet.folder / "vault"), "PC-1")
    assert vault.observed() == ([], 0)  # another object tells its own


def test_a_rotation_is_seen_as_its_check_ins(empty_fleet: Fleet) -> None:
    vault = Vault.open(empty_fleet.folder / "vault")
    vault.observed()
    keys = [
        ReaderKey.from_key_file((empty_fleet.folder / f"{name}.key").read_bytes())
        for name in ("ann", "bob")
    ]
    with Agent(
        policy=[empty_fleet.folder / "policy.json"],
        channel=vault,
        state=empty_fleet.folder / "state-PC-1",
        device="PC-1",
        readers=[key.reader for key in keys],
        store=empty_fleet.store,
    ) as agent:
        assert agent.run_once() == "committed"
    seen, missed = vault.observed()
    assert missed == 0
    assert {(one.kind, one.device, one.refused, one.code) for one in seen} == {
        ("check-in", "PC-1", 0, None)
    }
    assert all(one.changed for one in seen if one.count or one.commit)
    assert not seen[0].changed  # a device that nobody knew, with nothing to keep yet
    assert sum(one.count for one in seen) == 1
    assert [one.commit for one in seen if one.commit] == ["acknowledged"]


def test_only_the_last_1024_are_kept_and_the_others_counted(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    vault.observed()

    def refused(_: int) -> None:
        with pytest.raises(exceptions.NotFound):
            ask(vault, "PC-9")

    ask(vault, "PC-1")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(refused, range(1030)))
    seen, missed = vault.observed()
    assert (len(seen), missed) == (1024, 7)
    assert {one.kind for one in seen} == {"refused"}
    assert vault.observed() == ([], 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_is_refused(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    vault.observed()
    ask(vault, "PC-1")
    child = os.fork()
    if child == 0:
        try:
            vault.observed()
        except exceptions.ArgumentError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert len(vault.observed()[0]) == 1
