"""Slow work lets other threads of Python run, and eight threads may share one object."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laps import (
    LapsError,
    Password,
    ReaderKey,
    Recipe,
    Record,
    Vault,
    back_up_vault,
    export_devices,
    generate_many,
)


class Counting:
    """Another thread that counts whenever it may run."""

    def __init__(self) -> None:
        self.count = 0
        self.done = False
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.done:
            self.count += 1
            # Gives the interpreter back and asks for it again.
            time.sleep(0)

    def runs_during(self, work: Callable[[], object], most: int) -> bool:
        """Whether it ran inside ``work``, tried at most so often."""
        for _ in range(most):
            before = self.count
            work()
            if self.count > before:
                return True
        return False


@pytest.fixture
def other() -> Iterator[Counting]:
    # Nobody is asked to give the interpreter up: it changes hands only where it is released.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    counting = Counting()
    counting.thread.start()
    try:
        yield counting
    finally:
        counting.done = True
        counting.thread.join()
        sys.setswitchinterval(interval)


@pytest.fixture
def vault(tmp_path: Path, key: ReaderKey) -> Vault:
    return Vault.init(tmp_path / "vault", readers=[key.reader], actor="tests", reason="threads")


@pytest.fixture(scope="module")
def key() -> ReaderKey:
    return ReaderKey.generate("ann")


def test_the_control_holds_the_interpreter(other: Counting) -> None:
    recipe, password = Recipe.complexity(), Password("Abc-12345678xy")
    assert not other.runs_during(lambda: recipe.check(password), 2000)
    assert not other.runs_during(lambda: sum(range(1000)), 2000)


_WORK: dict[str, Callable[[ReaderKey, Record, Vault, Path], object]] = {
    "seal": lambda key, record, vault, folder: Record.seal(
        Password("x"), [key.reader], device="PC-1", account="Admin"
    ),
    "open": lambda key, record, vault, folder: key.open(record).password,
    "reseal": lambda key, record, vault, folder: key.reseal(record, [key.reader]),
    "generate_many": lambda key, record, vault, folder: generate_many(20_000),
    "vault list": lambda key, record, vault, folder: vault.list(),
    "vault stats": lambda key, record, vault, folder: vault.stats(),
    "vault audit": lambda key, record, vault, folder: vault.audit_verify(),
    "vault set_retention": lambda key, record, vault, folder: vault.set_retention(
        3, actor="a", reason="r"
    ),
    "vault export": lambda key, record, vault, folder: export_devices(vault, actor="a", reason="r"),
    "vault open": lambda key, record, vault, folder: Vault.open(vault.path),
    "vault backup": lambda key, record, vault, folder: back_up_vault(
        vault, folder / f"copy-{time.monotonic_ns()}", actor="a", reason="r"
    ),
    "key file": lambda key, record, vault, folder: key.to_key_file(passphrase="open sesame"),
    "recipe table": lambda key, record, vault, folder: Recipe(
        40, [("ab", 3, 20), ("cd", 3, 20), ("ef", 3, 20)], max_run=2
    ),
}


@pytest.mark.parametrize("name", _WORK)
def test_slow_work_lets_others_run(
    name: str, other: Counting, key: ReaderKey, vault: Vault, tmp_path: Path
) -> None:
    record = Record.seal(Password("x"), [key.reader], device="PC-1", account="Admin")
    work = _WORK[name]
    assert other.runs_during(lambda: work(key, record, vault, tmp_path), 3000)


def at_once(work: Callable[[int], object], threads: int = 8) -> list[object]:
    """The same work in eight threads that begin together."""
    barrier = threading.Barrier(threads)

    def one(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_a_password_is_whole_or_wiped_under_eight_threads() -> None:
    for _ in range(50):
        password = Password("all of it or nothing")

        def work(number: int, password: Password = password) -> str:
            if number == 3:
                password.wipe()
            try:
                return password.expose()
            except LapsError:
                return ""

        assert set(at_once(work)) <= {"all of it or nothing", ""}


def test_a_batch_can_be_wiped_while_it_is_read() -> None:
    batch = generate_many(2000)
    recipe = Recipe.complexity()

    def work(number: int) -> None:
        if number == 5:
            batch.wipe()
        for password in batch:
            assert recipe.check(password) == []

    at_once(work)
    assert len(batch) == 0


def test_eight_threads_write_one_audit_log(vault: Vault, key: ReaderKey) -> None:
    begun = vault.stats().entries

    def work(number: int) -> None:
        for count in range(5):
            vault.set_retention(
                3 + (number + count) % 4, actor=f"thread {number}", reason="at the same time"
            )
            vault.list()
            vault.readers()

    at_once(work)
    report = vault.audit_verify()
    # Setting what is set already is an entry too, or none: the audit log is whole either way.
    assert report.ok and report.entries == vault.stats().entries > begun
    assert {entry.actor for entry in vault.audit_entries(after=begun)} == {
        f"thread {number}" for number in range(8)
    }
