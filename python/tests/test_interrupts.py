"""What ends long calls: Ctrl-C, `stop` and `close`, whatever the call is waiting for; and calls
that would wait for themselves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import laps
from laps import Agent, Event, Vault
from laps.exceptions import Busy, LapsError, UnexpectedEvent

from .conftest import Fleet

LAPS = str(Path(sys.executable).with_name("laps"))
# Far less than any of the calls would take, and far more than an interrupt needs on a busy machine.
SOON = 8.0


def interrupted(code: str, folder: Path) -> tuple[float, str]:
    """Runs a program until it prints a line, then sends it SIGINT; the seconds until it ended, and
    what it printed more."""
    running = subprocess.Popen(
        [sys.executable, "-c", f"import laps\n{code}"], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n", running.communicate()
    time.sleep(0.5)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    # As Python leaves after an interrupt that nobody caught.
    assert running.returncode in (-signal.SIGINT, 130) and "KeyboardInterrupt" in err, (
        running.returncode, err
    )
    return time.monotonic() - begun, out


_AGENT = """
agent = laps.Agent(policy=["policy.json"], channel={channel}, state="state-2", device="PC-2", store={store!r},
    readers=[laps.Reader(open("ann.pub").read())], on_event={on_event})
print("begun", flush=True)
agent.{call}
"""


@pytest.mark.parametrize(
    "call", ["run_once()", "check_in()", "run(interval=__import__('datetime').timedelta(hours=1))"]
)
@pytest.mark.parametrize(
    "channel", ["'command:sleep 55'", "lambda message: __import__('time').sleep(55)"],
    ids=["program", "callable"]
)
def test_an_interrupt_is_heard_while_a_channel_blocks(
    fleet: Fleet, channel: str, call: str
) -> None:
    code = _AGENT.format(channel=channel, store=fleet.store, call=call, on_event="None")
    took, _ = interrupted(code, fleet.folder)
    assert took < SOON


def test_an_interrupt_in_an_event_is_not_lost(fleet: Fleet) -> None:
    # What is left to tell when the call ends is told all the same.
    on_event = "lambda event, first=[55]: __import__('time').sleep(first.pop() if first else 0)"
    code = _AGENT.format(
        channel="laps.Vault.open('vault')", store=fleet.store, call="run_once(force=True)",
        on_event=on_event
    )
    took, _ = interrupted(code, fleet.folder)
    assert took < SOON


def test_an_interrupt_is_heard_while_many_passwords_are_made(tmp_path: Path) -> None:
    took, _ = interrupted("print('begun', flush=True); laps.generate_many(10_000_000)", tmp_path)
    assert took < SOON


@pytest.mark.parametrize(
    "call",
    [
        "vault.order_rotation(all=True, actor='a', reason='r')",
        "vault.disclose('PC-1', actor='a', reason='r')",
        "laps.back_up_vault(vault, 'copy', actor='a', reason='r')",
        "laps.import_devices(vault, data, actor='a', reason='r')",
    ],
)
def test_an_interrupt_is_heard_while_somebody_else_has_the_vault(fleet: Fleet, call: str) -> None:
    with sqlite3.connect(fleet.folder / "vault") as holder:
        code = "vault = laps.Vault.open('vault'); data = b''; print('begun', flush=True); " + call
        holder.execute("BEGIN IMMEDIATE")
        took, _ = interrupted(code, fleet.folder)
        holder.rollback()
    holder.close()
    assert took < SOON
    assert not (fleet.folder / "copy").exists()
    assert fleet.laps("vault", "audit", "--vault", "vault", status=0)


def test_the_command_line_leaves_with_a_status_of_its_own(fleet: Fleet) -> None:
    with sqlite3.connect(fleet.folder / "vault") as holder:
        holder.execute("BEGIN IMMEDIATE")
        words = [LAPS, "vault", "rotate", "--vault", "vault", "PC-1"]
        running = subprocess.Popen(
            words, cwd=fleet.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(2)
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        holder.rollback()
    holder.close()
    assert running.returncode == 130 and time.monotonic() - begun < SOON
    assert out == "" and "Traceback" not in err


def agent_on(
    fleet: Fleet, channel: Any, on_event: Callable[[Event], object] | None = None,
    device: str = "PC-1"
) -> Agent:
    """The agent of a device in the fleet."""
    return Agent(
        policy=[fleet.folder / "policy.json"],
        channel=channel,
        state=fleet.folder / f"state-{device}",
        device=device,
        readers=[laps.Reader((fleet.folder / "ann.pub").read_text())],
        store=fleet.store,
        on_event=on_event,
    )


@pytest.mark.parametrize("call", ["close", "check_in", "run_once"])
def test_a_call_within_an_event_is_refused_and_hangs_nobody(fleet: Fleet, call: str) -> None:
    said: list[BaseException] = []

    def on_event(event: Event) -> None:
        try:
            getattr(agent, call)()
        except LapsError as error:
            said.append(error)

    agent = agent_on(fleet, Vault.open(fleet.folder / "vault"), on_event)
    assert agent.run_once(force=True) in ("committed", "not-committed")
    assert said and all(isinstance(error, UnexpectedEvent) for error in said)
    agent.close()
    with pytest.raises(LapsError, match="closed"):
        agent.run_once()


def test_an_agent_in_a_thread_is_ended_by_stop_and_by_close(fleet: Fleet) -> None:
    for end in ("stop", "close"):
        agent = agent_on(fleet, "command:sleep 55", device=f"PC-{end}")
        thread = threading.Thread(
            target=lambda: agent.run(interval=timedelta(hours=1)), daemon=True
        )
        thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        getattr(agent, end)()
        thread.join(timeout=60)
        assert not thread.is_alive() and time.monotonic() - begun < SOON
        agent.close()


def test_a_write_within_a_write_of_the_same_thread_is_refused_and_hangs_nobody(
    fleet: Fleet
) -> None:
    vault = Vault.open(fleet.folder / "vault")
    data, _ = laps.export_devices(vault, actor="a", reason="r")
    readers = [each.reader for each in vault.readers()]
    other = Vault.init(fleet.folder / "other", readers=readers, actor="a", reason="r")

    def tell(done: int, total: int) -> None:
        other.order_rotation(all=True, actor="a", reason="r")

    with pytest.raises(Busy, match="middle of another write"):
        laps.import_devices(other, data, actor="a", reason="r", progress=tell)
    # All or none.
    assert other.list()[0] == []
    assert laps.import_devices(other, data, actor="a", reason="r") == 1


def test_a_signals_handler_may_ask_the_same_vault(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    said: list[BaseException | int] = []

    def handler(number: int, frame: object) -> None:
        try:
            said.append(vault.order_rotation(all=True, actor="a", reason="r").devices)
        except LapsError as error:
            said.append(error)

    # Another process, since locks of this one do not hinder it.
    code = (
        "import sqlite3, time; c = sqlite3.connect('vault'); c.execute('BEGIN IMMEDIATE'); "
        "print('held', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], cwd=fleet.folder, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    before = signal.signal(signal.SIGUSR1, handler)
    timers = [
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1)),
        threading.Timer(2, lambda: holder.communicate("\n")),
    ]
    try:
        for timer in timers:
            timer.start()
        assert vault.order_rotation(all=True, actor="a", reason="r").devices == 1
    finally:
        for timer in timers:
            timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert len(said) == 1 and isinstance(said[0], Busy)
