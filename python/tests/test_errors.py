"""One numbering of errors for Rust, C and Python."""

from __future__ import annotations

import pickle

import pytest

from laps import LapsError, _laps, exceptions
from laps.cli import status

CODES = _laps.codes()


@pytest.mark.parametrize("name", CODES)
def test_every_code_has_a_family_and_an_exit_status(name: str) -> None:
    number, message = CODES[name]
    error = exceptions.from_code(number, message)
    assert type(error) is not LapsError
    assert error.code == number
    assert str(error) == message
    assert number in status._BY_CODE


def test_no_exit_status_is_given_to_a_number_that_does_not_exist() -> None:
    assert set(status._BY_CODE) == {number for number, _ in CODES.values()}


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(exceptions.from_code(98, "the key does not open this")))
    assert isinstance(error, exceptions.RecordError)
    assert (error.code, str(error)) == (98, "the key does not open this")


def test_what_is_a_bad_value_is_a_value_error() -> None:
    assert isinstance(exceptions.from_code(2, ""), ValueError)
    assert isinstance(exceptions.from_code(67, ""), ValueError)
    assert isinstance(exceptions.from_code(6, ""), LookupError)
