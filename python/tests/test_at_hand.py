"""What a person at a terminal has at hand: names that complete, the nearest one, ids that may be
typed short, tables that fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from laps import Vault
from laps.cli import output

from .conftest import Fleet
from .test_terminal import ended, terminal


@pytest.fixture
def several(fleet: Fleet) -> Fleet:
    """A few more devices, which never checked in by themselves."""
    from laps import Password, import_external_passwords

    vault = Vault.open(fleet.folder / "vault")
    now = datetime.now(timezone.utc)
    for name in ("PC-2", "PC-20", "Reception-1", "the boss's laptop"):
        import_external_passwords(
            vault, name, [("Admin", None, now, Password("x" * 20))], last_seen=now, actor="tests",
            reason="a fleet"
        )
    return fleet


def completed(fleet: Fleet, *words: str, env: dict[str, str] | None = None) -> set[str]:
    """What bash offers behind these words."""
    ran = fleet.laps(
        env={
            "_LAPS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(["laps", *words]),
            "COMP_CWORD": str(len(words)), **(env or {})
        },
        status=0
    )
    assert ran.err == ""
    return set(ran.out.splitlines())


def test_names_of_devices_and_readers_complete(several: Fleet) -> None:
    assert completed(several, "vault", "show", "--vault", "vault", "PC-") == {
        "PC-1", "PC-2", "PC-20"
    }
    env = {"LAPS_VAULT": "vault"}
    assert completed(several, "vault", "show", "PC-2", env=env) == {"PC-2", "PC-20"}
    assert completed(several, "reveal", "Rec", env=env) == {"Reception-1"}
    assert completed(several, "vault", "rotate", "PC-1", "the", env=env) == {"the boss's laptop"}
    assert completed(several, "vault", "audit", "--device", "Rec", env=env) == {"Reception-1"}
    assert completed(several, "vault", "readers", "remove", "an", env=env) == {"ann"}
    assert completed(several, "vault", "show", "PC-9", env=env) == {""}
    # Nothing, and no word about it, where no vault is named or none is there.
    assert completed(several, "vault", "show", "PC-") == {""}
    assert completed(several, "vault", "show", "PC-", env={"LAPS_VAULT": "absent"}) == {""}


def test_the_nearest_name_is_said_wherever_one_is_looked_for(several: Fleet) -> None:
    laps = several.laps
    for words in (
        ["vault", "show", "PC-11"], ["vault", "history", "PC-11"], ["vault", "rotate", "PC-11"],
        ["vault", "retire", "PC-11"], ["vault", "purge", "PC-11", "--yes"],
        ["disclose", "PC-11", "--actor", "a", "--reason", "r"],
    ):
        ran = laps(*words, "--vault", "vault", status=4)
        assert "the nearest name is PC-1" in ran.err, words
    found = laps("vault", "audit", "--vault", "vault", "--action", "inported", status=0)
    assert "no entry has the action inported; the nearest name is imported" in found.err
    found = laps("vault", "audit", "--vault", "vault", "--actor", "test", status=0)
    assert "the nearest name is tests" in found.err
    # A word that is in the log is no mistake, though nothing else is asked for.
    found = laps("vault", "audit", "--vault", "vault", "--actor", "tests", "--since",
                 "2999-01-01", status=0)
    assert "no entry has" not in found.err and "no such entries" in found.out
    several.reveal()
    wrong = laps("vault", "rotate", "--vault", "vault", "--typed-as", "anne", "--since", "1h",
                 status=0)
    assert "anne is in no entry of the audit log; the nearest name is ann" in wrong.err
    assert "Did you mean 'opened'" in laps("vault", "opend", status=2).err


def test_an_id_may_be_typed_as_it_begins(fleet: Fleet) -> None:
    fleet.agent("--force")
    history = ["vault", "history", "--vault", "vault", "PC-1", "--json"]
    records = fleet.laps(*history, status=0).json["records"]
    (old,) = [each["record"] for each in records if each["state"] == "history"]
    remove = ["vault", "remove-record", "--vault", "vault", "PC-1", "--yes"]
    # Too short to be meant, and one that is not there.
    fleet.laps(*remove, old[:7], status=3)
    fleet.laps(*remove, "0" * 12, status=3)
    assert fleet.laps(*history, status=0).json["records"] == records
    assert old in fleet.laps(*remove, f"{old[:12]}…", status=0).out
    left = fleet.laps(*history, status=0).json["records"]
    assert [each["record"] for each in left] == [
        each["record"] for each in records if each["record"] != old
    ]
    known = fleet.laps("vault", "readers", "list", "--vault", "vault", "--json", status=0).json
    bob = next(each["id"] for each in known["readers"] if each["name"] == "bob")
    assert "removed bob" in fleet.laps(
        "vault", "readers", "remove", "--vault", "vault", bob[:12], "--no-rotation", status=0
    ).out


def plain(text: str) -> list[str]:
    return re.sub("\x1b\\[[0-9;]*m", "", text).replace("\r", "").splitlines()


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize(
    "words", [
        ["vault", "list"], ["vault", "show", "PC-1"], ["vault", "history", "PC-1"],
        ["vault", "due", "--within", "60d"], ["vault", "stats"], ["vault", "readers", "list"],
        ["vault", "audit", "--entries"],
    ],
    ids=" ".join
)
def test_no_word_is_broken_and_no_row_is_wider_than_the_window(
    fleet: Fleet, words: list[str], columns: int
) -> None:
    fleet.reveal()
    at = [*words[:2], *(["list"] if "readers" in words else []), "--vault", "vault"]
    words = [*at, *(word for word in words[2:] if word != "list")]
    shown, status = ended(terminal(fleet.folder, *words, columns=columns))
    wide = fleet.laps(*words, status=0).out
    assert status == 0
    known = set(re.split(r"[\s…,()]+", wide)) | {"left", "out", "for", "want", "of", "room:"}
    rows = [line for line in plain(shown) if line.startswith((" ", "entry", "record"))]
    assert rows and max(map(len, rows)) <= columns
    for word in re.split(r"[\s─,()]+", " ".join(rows)):
        if word.endswith("…"):
            # Twelve digits of an id; eight within a sentence of the audit log.
            assert len(word) in (9, 13) and any(each.startswith(word[:-1]) for each in known), word
        elif not re.fullmatch(r"\d+", word):
            # What is told as "3 s ago" goes on while the second command runs.
            assert word in known, word


def test_list_and_show_have_the_same_words(fleet: Fleet) -> None:
    heads = fleet.laps("vault", "list", "--vault", "vault", status=0).out.split("\n")[1].split()
    shown = fleet.laps("vault", "show", "--vault", "vault", "PC-1", status=0).out
    assert heads[:3] == ["device", "state", "expires"] and len(heads) == 8
    assert [line.split()[0] for line in shown.splitlines()[1:9]] == heads


def test_times_of_people_have_one_style(fleet: Fleet) -> None:
    told = ""
    for words in (
        ["vault", "show", "PC-1"], ["vault", "history", "PC-1"], ["vault", "readers", "list"],
        ["vault", "audit", "--entries"], ["vault", "rotate", "PC-1"],
        ["disclose", "PC-1", "--actor", "a", "--reason", "r"],
    ):
        ran = fleet.laps(*words, env={"LAPS_VAULT": "vault"}, status=0)
        told += ran.out + ran.err
    told += fleet.laps("agent", "status", "--state", "state-PC-1", status=0).out
    assert len(re.findall(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ", told)) > 8
    assert not re.findall(r"20\d\d-\d\d-\d\d(?! \d\d:\d\d:\d\dZ)", told)
    # It is what options that take a time understand.
    from laps.cli import inputs

    now = datetime(2026, 11, 30, 12, 13, 14, tzinfo=timezone.utc)
    assert inputs.moment(output.at(now)) == now


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (12_345, "12,345 devices")]
)
def test_a_number_has_its_noun(count: int, said: str) -> None:
    assert output.counted(count, "device") == said


def test_one_is_not_called_several(fleet: Fleet) -> None:
    env = {"LAPS_VAULT": "vault"}
    one = fleet.laps("vault", "rotate", "PC-1", env=env, status=0).out
    assert one.startswith("ordered 1 device to rotate")
    again = fleet.laps("vault", "rotate", "PC-1", env=env, status=0).out
    assert again.startswith("ordered 0 devices to rotate")
    assert "1 displaced password of a device is kept" in fleet.laps(
        "vault", "retention", "1", env=env, status=0
    ).out


@pytest.mark.parametrize(
    ("cell", "piped"), [
        (["one", "two"], "one; two"),
        ("a\nforged row", "a\N{REPLACEMENT CHARACTER}forged row"),
    ]
)
def test_a_cell_with_several_lines_is_one_row_in_a_pipe(
    cell: str | Sequence[str], piped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output.table(["", ""], [["what", cell], ["next", "x"]])
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [[each.strip() for each in row] for row in rows] == [["what", piped], ["next", "x"]]


def test_the_age_of_what_is_listed_is_counted_from_now(fleet: Fleet) -> None:
    now = datetime.now(timezone.utc)
    assert output.ago(now - timedelta(days=3)) == "3 d ago"
    assert output.ago(now + timedelta(days=3, minutes=1)) == "in 3 d"
