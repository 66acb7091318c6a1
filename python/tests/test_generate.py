"""Making passwords, counting them, checking them."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from laps import Generator, LapsError, Recipe, generate, generate_many

from .conftest import Laps

SETS = {
    1: ["ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
    2: ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"],
    3: ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"],
    4: [
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789",
        ",.-+;!#&@{}[]$/()%"
    ],
    5: ["ABCDEFGHJKLMNPRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789", "!#%+@:=?*"],
}


def count(sets: list[str], length: int) -> int:
    """How many strings have at least one character of each set: inclusion and exclusion."""
    total = 0
    for chosen in range(2 ** len(sets)):
        left = sum(len(group) for bit, group in enumerate(sets) if not chosen >> bit & 1)
        total += (-1) ** chosen.bit_count() * left**length
    return total


@pytest.mark.parametrize("level", SETS)
def test_every_class_is_present_and_the_count_is_exact(level: int) -> None:
    recipe = Recipe.complexity(level, 9)
    assert recipe.strength.admissible == count(SETS[level], 9)
    for _ in range(50):
        text = recipe.generate().expose()
        assert len(text) == 9
        assert all(set(text) & set(group) for group in SETS[level])
        assert set(text) <= set("".join(SETS[level]))
        assert recipe.check(text) == []


def test_the_bits_of_the_default_are_those_that_were_computed_elsewhere() -> None:
    strength = Recipe.complexity().strength
    assert strength.bits == 88.207138
    assert (strength.bits_micro, strength.min_length, strength.max_length) == (88_207_138, 14, 14)
    assert 2**88 < strength.admissible < 2**89


@pytest.mark.parametrize(("level", "words"), [(6, 7776), (7, 1296), (8, 1296)])
def test_passphrases_are_counted_by_words(level: int, words: int) -> None:
    strength = Recipe.passphrase(level, 3).strength
    assert strength.admissible <= words**3
    assert strength.min_length < strength.max_length
    recipe = Recipe.passphrase(level, 10)
    assert recipe.check(recipe.generate()) == []


def test_what_is_out_of_range_is_refused_with_the_range() -> None:
    for length in (7, 65):
        with pytest.raises(LapsError, match="8 to 64"):
            Recipe.complexity(4, length)
    with pytest.raises(LapsError, match="1 to 5"):
        Recipe.complexity(9)
    with pytest.raises(LapsError, match="3 to 10"):
        Recipe.passphrase(6, 2)
    with pytest.raises(LapsError):
        generate_many(10_000_001)


def test_many_are_one_object_that_is_wiped_at_the_end() -> None:
    with generate_many(100) as passwords:
        assert len(passwords) == 100
        assert repr(passwords) == "<100 passwords>"
        texts = passwords.expose()
        assert len(set(texts)) == 100
        assert passwords[0].expose() == texts[0]
        assert passwords[-1].expose() == texts[99]
        assert [each.expose() for each in passwords] == texts
        with pytest.raises(IndexError):
            passwords[100]
        with pytest.raises(IndexError):
            passwords[-101]
    assert passwords.expose() == []


def _child(pipe: Connection) -> None:
    pipe.send([generate().expose(), GENERATOR.generate().expose()])
    pipe.close()


GENERATOR = Generator()


def test_a_forked_child_makes_other_passwords() -> None:
    generate()
    GENERATOR.generate()
    context = multiprocessing.get_context("fork")
    seen = []
    for _ in range(3):
        ours, theirs = context.Pipe()
        child = context.Process(target=_child, args=(theirs,))
        child.start()
        seen += ours.recv()
        child.join()
    seen += [generate().expose(), GENERATOR.generate().expose()]
    assert len(set(seen)) == 8


def test_eight_threads_share_a_recipe_and_a_generator() -> None:
    recipe, generator = Recipe.complexity(4, 20), Generator()

    def work(_: int) -> list[str]:
        return [generator.generate(recipe).expose() for _ in range(50)] + [
            recipe.generate().expose() for _ in range(50)
        ]

    with ThreadPoolExecutor(8) as pool:
        made = [text for texts in pool.map(work, range(8)) for text in texts]
    assert len(set(made)) == len(made) == 800


def test_the_command_prints_one_a_line(laps: Laps) -> None:
    lines = laps("generate", "--count", "3", status=0).out.splitlines()
    assert [len(line) for line in lines] == [14, 14, 14]
    document = laps("generate", "--count", "2", "--length", "20", "--json", status=0).json
    assert document["bits"] == Recipe.complexity(4, 20).strength.bits
    assert [len(each) for each in document["passwords"]] == [20, 20]
    words = laps("generate", "--complexity", "7", "--words", "4", status=0).out.strip()
    assert sum(letter.isupper() for letter in words) == 4


def test_the_command_counts_exactly(laps: Laps) -> None:
    document = laps("strength", "--json", status=0).json
    assert document == {
        "admissible": str(count(SETS[4], 14)), "bits": 88.207138, "length": [14, 14]
    }
    assert "88.207138" in laps("strength", status=0).out
    low, high = laps("strength", "--complexity", "6", "--json", status=0).json["length"]
    assert low < high


def test_the_command_checks_standard_input(laps: Laps) -> None:
    good = generate().expose()
    assert laps(
        "check", "--json", input=good + "\n", status=0
    ).json == {"ok": True, "violations": []}
    assert laps("check", input=good, status=0).out == "ok\n"
    bad = laps("check", "--json", input="alllowercase1\n", status=3).json
    assert bad["ok"] is False
    assert {each["rule"] for each in bad["violations"]} >= {"length"}
    assert all(each["message"] for each in bad["violations"])
    # Line ends behind it are those of a file; a second line is another password.
    assert laps("check", "--json", input=good + "\n\n", status=0).json["ok"] is True
    assert "more than one line" in laps("check", "--json", input=f"{good}\n{good}\n", status=3).err


@pytest.mark.parametrize(
    ("arguments", "status", "accepted"),
    [
        (["--length", "7"], 3, "8 to 64"),
        (["--length", "65"], 3, "8 to 64"),
        (["--length", "1000000"], 3, "8 to 64"),
        (["--complexity", "9"], 3, "6 to 8"),
        (["--complexity", "0"], 3, "6 to 8"),
        (["--complexity", "6", "--words", "2"], 3, "3 to 10"),
        (["--complexity", "6", "--length", "20"], 2, "--words"),
        (["--complexity", "4", "--words", "6"], 2, "--length"),
        (["--complexity", "four"], 2, "--complexity"),
    ],
)
@pytest.mark.parametrize("command", ["generate", "strength", "check"])
def test_bad_choices_are_refused_with_what_is_accepted(
    laps: Laps, command: str, arguments: list[str], status: int, accepted: str
) -> None:
    ran = laps(command, *arguments, status=status)
    assert ran.out == ""
    assert accepted in ran.err


@pytest.mark.parametrize("count", ["0", "-1", "10000001"])
def test_a_bad_count_is_refused(laps: Laps, count: str) -> None:
    assert "1 to 10000000" in laps("generate", "--count", count, status=3).err


def test_a_closed_pipe_ends_quietly() -> None:
    ran = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -m laps generate --count 100000 | head -1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(ran.stdout) == 15
    assert "Traceback" not in ran.stderr


RECIPE = {
    "length": 12,
    "groups": [{"chars": "abcdefgh", "min": 2, "max": 9}, {"chars": "0123456789", "min": 2}],
    "at_least": None,
    "exclude": "0a",
    "max_run": 2,
    "forbid": ["bed"],
    "first": "bcd",
}


def test_a_recipe_file_is_followed(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    recipe = Recipe.from_json(json.dumps(RECIPE))
    assert Recipe.from_json(
        json.dumps(RECIPE).encode()
    ).strength.admissible == recipe.strength.admissible
    lines = laps("generate", "--recipe", "recipe.json", "--count", "20", status=0).out.split()
    for line in lines:
        assert recipe.check(line) == []
        assert (
            len(line) == 12 and line[0] in "bcd" and not set(line) & set("0a") and "bed" not in line
        )
    strength = laps("strength", "--recipe", "recipe.json", "--json", status=0).json
    assert strength["admissible"] == str(recipe.strength.admissible)
    assert laps(
        "check", "--recipe", "recipe.json", "--json", input="bed", status=3
    ).json["ok"] is False


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "recipe.json"),
        ('{"length": 3}', "groups"),
        ('{"length": 2, "groups": [{"chars": "ab", "min": 3}]}', "recipe.json"),
        ('{"length": 4, "groups": [{"chars": "ab"}], "colour": 1}', "colour"),
        ('{"length": 129, "groups": [{"chars": "ab"}]}', "128"),
    ],
)
def test_a_bad_recipe_file_is_refused(laps: Laps, tmp_path: Path, document: str, said: str) -> None:
    (tmp_path / "recipe.json").write_text(document)
    ran = laps("generate", "--recipe", "recipe.json", status=3)
    assert said in ran.err and ran.out == ""


def test_a_recipe_file_stands_alone(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    assert "--length" in laps("generate", "--recipe", "recipe.json", "--length", "20", status=2).err
    assert "one of" in laps(
        "generate", "--recipe", "recipe.json", "--complexity", "4", status=2
    ).err
    assert "no such file" in laps("generate", "--recipe", "absent.json", status=4).err
