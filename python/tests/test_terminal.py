"""The command line in a real terminal: prompts without echo, interrupts, narrow windows, colour."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from laps import Password, ReaderKey, Record

from .conftest import Fleet

LAPS = str(Path(sys.executable).with_name("laps"))
PHRASE = "open sesame, and more"


def terminal(folder: Path, *arguments: str, columns: int = 100, **env: str) -> pexpect.spawn:
    """``laps`` in a terminal of its own."""
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("LAPS_", "NO_COLOR", "COLUMNS"))
    }
    return pexpect.spawn(
        LAPS,
        list(arguments),
        cwd=str(folder),
        env={**kept, "TERM": "xterm-256color", **env},
        encoding="utf-8",
        timeout=60,
        dimensions=(40, columns),
    )


def ended(child: pexpect.spawn) -> tuple[str, int]:
    """What was shown until the end, and the exit status."""
    child.expect(pexpect.EOF)
    child.close()
    status = child.exitstatus
    assert isinstance(status, int)
    return str(child.before), status


def test_a_passphrase_is_asked_twice_and_never_shown(tmp_path: Path) -> None:
    child = terminal(tmp_path, "reader", "new", "ann.key", "--name", "ann", "--suite", "x25519")
    child.expect("Passphrase for the new key ann.key: ")
    child.sendline(PHRASE)
    child.expect("once more: ")
    child.sendline(PHRASE)
    shown, status = ended(child)
    assert status == 0 and PHRASE not in shown and "ann.pub" in shown
    data = (tmp_path / "ann.key").read_bytes()
    assert ReaderKey.from_key_file(data, passphrase=PHRASE).reader.name == "ann"


def test_two_different_passphrases_write_nothing(tmp_path: Path) -> None:
    child = terminal(tmp_path, "reader", "new", "ann.key", "--name", "ann", "--suite", "x25519")
    child.expect("Passphrase")
    child.sendline(PHRASE)
    child.expect("once more: ")
    child.sendline(PHRASE + "!")
    shown, status = ended(child)
    assert status == 3 and "differ" in shown
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_at_a_prompt_writes_nothing(tmp_path: Path) -> None:
    child = terminal(tmp_path, "reader", "new", "ann.key", "--name", "ann", "--suite", "x25519")
    child.expect("Passphrase")
    child.sendintr()
    shown, status = ended(child)
    assert status == 130 and "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_a_password_to_check_is_asked_without_echo(tmp_path: Path) -> None:
    child = terminal(tmp_path, "check")
    child.expect("Password: ")
    child.sendline("short")
    shown, status = ended(child)
    assert status == 3 and "length" in shown and "short" not in shown


def test_rotating_everything_asks(fleet: Fleet) -> None:
    child = terminal(fleet.folder, "vault", "rotate", "--vault", "vault", "--all")
    child.expect("Order every device to rotate")
    child.sendline("n")
    _, status = ended(child)
    assert status == 1
    assert fleet.laps("vault", "stats", "--vault", "vault", "--json", status=0).json["ordered"] == 0
    child = terminal(fleet.folder, "vault", "rotate", "--vault", "vault", "--all")
    child.expect("Order every device to rotate")
    child.sendline("y")
    _, status = ended(child)
    assert status == 0
    assert fleet.laps("vault", "stats", "--vault", "vault", "--json", status=0).json["ordered"] == 1


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_windows_of_any_width_show_every_device(fleet: Fleet, columns: int) -> None:
    shown, status = ended(
        terminal(fleet.folder, "vault", "list", "--vault", "vault", columns=columns)
    )
    assert status == 0 and "PC-1" in shown
    lines = [line.rstrip() for line in plain(shown).splitlines() if not line.startswith("left out")]
    assert all(len(line) <= columns for line in lines)
    assert ("left out" in shown) == (columns < 200)


def test_colour_is_for_terminals_that_want_it(fleet: Fleet) -> None:
    coloured, _ = ended(terminal(fleet.folder, "vault", "list", "--vault", "vault"))
    assert "\x1b[1m" in coloured
    without, _ = ended(terminal(fleet.folder, "vault", "list", "--vault", "vault", NO_COLOR="1"))
    assert "\x1b[3" not in without
    error, status = ended(terminal(fleet.folder, "vault", "list", "--vault", "absent"))
    assert status == 4 and "\x1b[1;31merror:" in error
    assert "\x1b" not in fleet.laps("vault", "list", "--vault", "vault", status=0).out


def plain(text: str) -> str:
    """Without what steers a terminal."""
    import re

    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_new_policy_is_asked_for_and_a_refused_answer_asked_again(tmp_path: Path) -> None:
    child = terminal(tmp_path, "policy", "new", "mine.json", columns=200)
    for name, answer in [
        ("BackupDirectory", ""),
        ("AdministratorAccountName", "Ops"),
        ("PasswordAgeDays", "0"),
        ("PasswordAgeDays", "14"),
        ("PasswordComplexity", "6"),
        ("PassphraseLength", "8"),
        ("PostAuthenticationActions", ""),
        ("PostAuthenticationResetDelay", "90m"),
    ]:
        child.expect(name + r" \(")
        child.expect("\\]: ")
        child.sendline(answer)
    shown, status = ended(child)
    assert status == 0, shown
    assert json.loads((tmp_path / "mine.json").read_text()) == {
        "BackupDirectory": 1,
        "AdministratorAccountName": "Ops",
        "PasswordAgeDays": 14,
        "PasswordComplexity": 6,
        "PassphraseLength": 8,
        "PostAuthenticationActions": 3,
        "PostAuthenticationResetDelay": "90m",
    }


_HOSTILE = "a\x1b[2Jb\u202ec\u009bd"


def _sealed(folder: Path, password: str) -> None:
    key = ReaderKey.generate("ann", suite="x25519")
    (folder / "ann.key").write_bytes(key.to_key_file())
    (folder / "record").write_bytes(
        bytes(Record.seal(Password(password), [key.reader], device="PC-1", account="Admin"))
    )


@pytest.mark.parametrize("columns", [8, 20, 80])
@pytest.mark.parametrize(
    "password",
    [
        "Zq3;x-W!8" * 7,
        "correct horse battery staple and a good many words more",
        " leading, trailing and  double spaces ",
        "[bold]:smile:\\[/bold]{x}",
        "pässwörd-密碼-пароль-" * 2,
    ],
)
def test_a_password_is_one_exact_line_in_a_window_of_any_width(
    tmp_path: Path, columns: int, password: str
) -> None:
    _sealed(tmp_path, password)
    for options in ([], ["--spell"]):
        shown, status = ended(
            terminal(tmp_path, "open", "record", "--reader", "ann.key", *options, columns=columns)
        )
        assert status == 0
        assert plain(shown).replace("\r\n", "\n").split("\n").count(password) == 1
        # The colour goes around it and never into it.
        assert f"\x1b[1;32m{password}\x1b[0m\r\n" in shown
    parts = [password[at : at + 4] for at in range(0, len(password), 4)]
    lines = plain(shown).replace("\r\n", "\n").split("\n")
    spelled = [
        line[2:] for line in lines[lines.index(password) + 1 :]
        if line.startswith("  ") and line[:6] != " " * 4 + "  "
    ]
    assert [each for each in parts if not any(line.startswith(each) for line in spelled)] == []


@pytest.mark.parametrize("options", [[], ["--spell"], ["--json"]])
def test_a_password_that_would_steer_the_terminal_is_shown_in_quotes_and_exactly(
    tmp_path: Path, options: list[str]
) -> None:
    _sealed(tmp_path, _HOSTILE)
    shown, status = ended(
        terminal(
            tmp_path, "open", "record", "--reader", "ann.key", *options, columns=20, NO_COLOR="1"
        )
    )
    assert status == 0
    assert not {"\x1b", "\u202e", "\u009b"} & set(shown)
    if options == ["--json"]:
        assert json.loads(shown)["candidates"][0]["password"] == _HOSTILE
    else:
        lines = [line for line in shown.replace("\r\n", "\n").split("\n") if line.startswith('"')]
        assert [json.loads(line) for line in lines] == [_HOSTILE]
