"""A password shows itself only through ``expose``."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from laps import LapsError, Password

SECRET = "Tr0ub4dor&3-of-a-kind"


def test_every_way_of_printing_is_redacted() -> None:
    password = Password(SECRET)
    printed = [repr(password), str(password), f"{password}", f"{password:>40}", "%s" % password]
    printed += [format(password, "x"), repr([password]), repr({"password": password})]
    assert all("<Password>" in text and SECRET not in text for text in printed)


def test_a_traceback_with_locals_is_redacted() -> None:
    password = Password(SECRET)
    try:
        raise RuntimeError("something else went wrong")
    except RuntimeError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        text = "".join(lines)
    assert "password = <Password>" in text
    assert password.expose() == SECRET
    assert f"'{SECRET}'" not in text.replace(f'SECRET = "{SECRET}"', "")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Password(SECRET), protocol)


def test_it_cannot_be_copied_or_hashed() -> None:
    password = Password(SECRET)
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(password)
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.deepcopy([password])
    with pytest.raises(TypeError, match="hash"):
        hash(password)


def test_the_block_wipes_it() -> None:
    with Password(SECRET) as password:
        assert password.expose() == SECRET
        assert (len(password), password.wiped) == (len(SECRET), False)
    assert (len(password), password.wiped) == (0, True)
    with pytest.raises(LapsError, match="wiped"):
        password.expose()


def test_equality_is_by_text_and_only_between_passwords() -> None:
    assert Password(SECRET) == Password(SECRET)
    assert Password(SECRET) != Password(SECRET + "x")
    assert Password(SECRET) != SECRET
    wiped = Password(SECRET)
    wiped.wipe()
    assert wiped != Password(SECRET)


def test_too_long_is_refused() -> None:
    assert len(Password("ä" * 64)) == 128
    with pytest.raises(ValueError, match="at most 128 bytes"):
        Password("x" * 129)


def test_attributes_cannot_be_set() -> None:
    with pytest.raises(AttributeError):
        Password(SECRET).note = "x"  # type: ignore[attr-defined]
