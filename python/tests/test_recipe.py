"""Recipes of one's own from Python: groups, presets, passphrases, and what Windows would say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from laps import Password, Recipe, exceptions, windows_check

from .conftest import Laps

LOWER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"


def test_a_recipe_says_the_same_as_its_file() -> None:
    made = Recipe(
        16,
        [(LOWER, 2, 9), ("ABC", 0), (DIGITS, 1, None), "-+"],
        at_least=3,
        exclude="0l",
        max_run=2,
        forbid=["admin", "pass"],
        first=LOWER,
        last=DIGITS,
    )
    document = {
        "length": 16,
        "groups": [
            {"chars": LOWER, "min": 2, "max": 9},
            {"chars": "ABC"},
            {"chars": DIGITS, "min": 1},
            {"chars": "-+"},
        ],
        "at_least": 3,
        "exclude": "0l",
        "max_run": 2,
        "forbid": ["admin", "pass"],
        "first": LOWER,
        "last": DIGITS,
    }
    assert made.strength.admissible == Recipe.from_json(json.dumps(document)).strength.admissible
    for _ in range(50):
        password = made.generate()
        text = password.expose()
        assert (
            made.check(password) == [] and text[0] in LOWER and text[-1] in DIGITS
            and len(text) == 16
        )
        assert 2 <= sum(letter in LOWER for letter in text) <= 9


def test_every_string_of_a_small_recipe_comes_up() -> None:
    recipe = Recipe(3, [("ab", 1), ("12", 1)])
    assert recipe.strength.admissible == 4**3 - 2**3 - 2**3
    seen = Counter(recipe.generate().expose() for _ in range(3000))
    assert len(seen) == 48


@pytest.mark.parametrize(
    ("name", "letters"), [("readable", "0O1lI|5S2Z8B"), ("typable", "0123456789aAqQwWzZmMyY-;")]
)
def test_presets_leave_out_what_people_confuse(name: Any, letters: str) -> None:
    recipe = Recipe.preset(name, 20)
    texts = "".join(recipe.generate().expose() for _ in range(200))
    assert not set(texts) & set(letters)
    with pytest.raises(exceptions.RecipeError, match="readable and typable"):
        Recipe.preset("pretty")  # type: ignore[arg-type]


def test_words_of_ones_own() -> None:
    words = ["anchor", "basil", "candle", "dune"]
    recipe = Recipe.phrase(4, words, separator="-", capitalise=False, digit=True)
    assert recipe.strength.admissible == 4**4 * 10
    for _ in range(20):
        text = recipe.generate().expose()
        assert recipe.check(text) == [] and all(word in words for word in text[:-1].split("-"))
    assert Recipe.phrase(6, "eff-long").strength.bits == Recipe.passphrase(6, 6).strength.bits
    # A text that can be read in more than one way counts once.
    assert Recipe.phrase(3, ["a", "aa"], capitalise=False).strength.admissible == 4


def test_a_recipe_file_with_words_serves_the_command_line(laps: Laps, tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text(
        json.dumps({"words": 3, "list": ["in", "put", "out"], "separator": "."})
    )
    assert laps("strength", "--recipe", "words.json", "--json", status=0).json["admissible"] == "27"
    made = laps("generate", "--recipe", "words.json", status=0).out.strip()
    assert laps("check", "--recipe", "words.json", input=made, status=0).out == "ok\n"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Recipe(0, ["ab"]), "outside 1 to 128"),
        (lambda: Recipe(1000, ["ab"]), "outside 1 to 128"),
        (lambda: Recipe(-1, ["ab"]), "0 or more"),
        (lambda: Recipe(8, []), "no character"),
        (lambda: Recipe(8, ["ab"] * 9), "groups"),
        (lambda: Recipe(8, ["aé"]), "groups\\[0\\]"),
        (lambda: Recipe(4, [("a", 3), ("b", 3)]), "no password satisfies"),
        (lambda: Recipe(8, ["ab"], max_run=0), "run"),
        (lambda: Recipe(8, ["ab"], forbid=[""]), "1 to 64"),
        (lambda: Recipe.phrase(2, "eff-long"), "3 to 10"),
        (lambda: Recipe.phrase(3, "eff"), "eff-short-unique-prefix"),
        (lambda: Recipe.phrase(3, []), "no words"),
        (lambda: Recipe.phrase(3, ["x" * 17]), "16"),
        (lambda: Recipe.phrase(3, ["a"], separator="-----"), "4"),
        (lambda: Recipe.complexity(9), "1 to 5"),
        (lambda: Recipe.complexity(4, 7), "8 to 64"),
    ],
)
def test_what_is_refused_says_what_is_accepted(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(exceptions.RecipeError, match=said):
        make()


def test_windows_would_refuse() -> None:
    rules = [
        each.rule
        for each in windows_check("ann7", min_length=8, user_name="ANN", full_name="Bo Ann-Marie")
    ]
    assert rules == ["length", "categories", "user-name", "full-name"]
    assert windows_check(
        Password("Good-Enough7"), min_length=8, user_name="Admin", full_name="A. Admin"
    ) == []
    assert [
        each.rule for each in windows_check("xxxxxxxx", complexity=False, min_length=9)
    ] == ["length"]
    with pytest.raises(TypeError, match="str or Password"):
        windows_check(b"bytes")  # type: ignore[arg-type]
