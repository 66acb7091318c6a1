"""What must hold for whatever hypothesis thinks of."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import laps
from laps import LapsError, Password, Policy, ReaderKey, Recipe, Record, spelling
from laps.cli import inputs
from laps.cli.status import Failure, Status
from laps.entra import shapes

settings.register_profile(
    "laps", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile("laps")

KEY = ReaderKey.generate("anybody", suite="x25519")
NAMES = sorted(Policy().settings)
RECORD = bytes(Record.seal(Password("correct horse"), [KEY.reader], device="pc", account="Admin"))
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=6
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_evaluated_or_refused(document: object) -> None:
    try:
        found = laps.evaluate([("any.json", json.dumps(document).encode())])
    except LapsError as error:
        assert 64 <= error.code < 96 and "any.json" in str(error)
        return
    errors = [each for each in found.findings if each.level == "error"]
    assert (found.policy is None) == bool(errors)
    if found.policy is not None:
        assert Policy(**found.policy.settings) == found.policy
        again = laps.evaluate([("any.json", found.export("json"))]) if found.sources else found
        assert again.policy == found.policy


@given(st.binary(max_size=400))
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    try:
        laps.evaluate([("any", data)])
    except LapsError as error:
        assert 64 <= error.code < 96


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(-5, 400) | st.booleans() | TEXT, max_size=6)
)
def test_any_settings_are_in_force_or_refused(chosen: Any) -> None:
    try:
        policy = Policy(**chosen)
    except (LapsError, TypeError):
        return
    settings: Any = policy.settings
    assert all(settings[name] == value for name, value in chosen.items() if value != "")
    recipe = policy.recipe()
    password = recipe.generate().expose()
    assert recipe.check(password) == []
    assert recipe.strength.min_length <= len(password) <= recipe.strength.max_length
    assert 2 ** int(recipe.strength.bits) <= recipe.strength.admissible


@given(st.integers(1, 5), st.integers(8, 64), st.data())
def test_a_changed_password_breaks_a_rule_or_is_admissible(
    level: int, length: int, data: st.DataObject
) -> None:
    recipe = Recipe.complexity(level, length)
    text = recipe.generate().expose()
    place = data.draw(st.integers(0, length - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    changed = text[:place] + other + text[place + 1 :]
    rules = [each.rule for each in recipe.check(changed)]
    assert all(rules) and recipe.check(text) == []
    assert any(each.rule == "length" for each in recipe.check(text + other))


@given(st.binary(max_size=300), st.integers(0, len(RECORD)), st.integers(0, len(RECORD)))
def test_any_bytes_are_a_record_or_refused(noise: bytes, start: int, end: int) -> None:
    changed = RECORD[:start] + noise + RECORD[end:]
    try:
        opened = KEY.open(Record.parse(changed)).password
    except LapsError as error:
        assert error.code in (96, 97, 98, 99)
    else:
        assert changed == RECORD and opened == Password("correct horse")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), TEXT,
    st.integers(1, 2**63)
)
def test_whatever_is_sealed_comes_back(text: str, device: str, version: int) -> None:
    try:
        record = Record.seal(
            Password(text), [KEY.reader], device=device, account="Admin", version=version
        )
    except LapsError as error:
        assert error.code < 64 or error.code == 96
        return
    again = Record.parse(bytes(record))
    assert KEY.open(again).password.expose() == text
    assert (again.device, again.version) == (device, version)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_key_file_a_line_or_a_journal_or_refused(data: bytes) -> None:
    with pytest.raises(LapsError):
        ReaderKey.from_key_file(data)
    with pytest.raises(LapsError):
        laps.journal_records(data)
    with pytest.raises(LapsError):
        laps.Reader(data.decode("latin-1"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 9))
def test_spelling_loses_nothing(text: str, size: int) -> None:
    spelled = spelling.spell(text)
    assert "".join(each.character for each in spelled) == text
    assert all(each.word for each in spelled)
    assert "".join(spelling.grouped(text, size)) == text


def test_every_printable_character_has_a_word_of_its_own() -> None:
    words = [each.word for each in spelling.spell("".join(map(chr, range(32, 127))))]
    assert len(set(words)) == 95


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(0, 7))
def test_times_of_graph_have_any_number_of_digits(moment: datetime, digits: int) -> None:
    fraction = f"{moment.microsecond:06d}0"[:digits]
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"
    read = shapes.moment(text)
    assert read is not None
    assert read == moment.replace(
        microsecond=int((fraction or "0").ljust(6, "0")[:6]), tzinfo=timezone.utc
    )


@given(st.integers(0, 10**9 - 1), st.sampled_from("smhdw"))
def test_durations_are_whole_numbers_with_a_unit(number: int, unit: str) -> None:
    size = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    if number * size <= 3650 * 86400:
        assert inputs.seconds(f"{number}{unit}") == number * size
    else:
        with pytest.raises(Failure, match="3650d") as refused:
            inputs.seconds(f"{number}{unit}")
        assert refused.value.status == Status.REFUSED


