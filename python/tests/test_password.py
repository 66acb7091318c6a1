"""A password shows itself only through ``expose``."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import traceback

import pytest
import rich
import rich.console
import rich.traceback

from laps import (
    Generator, LapsError, Password, Passwords, ReaderKey, Record, SignerKey, generate_many,
)
from laps.entra import Credential
from laps.entra.connection import StaticToken

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


def _everything(secret: str) -> dict[str, object]:
    """Everything of ours that holds a secret."""
    password = Password(secret)
    key = ReaderKey.generate("ann", suite="x25519")
    record = Record.seal(password, [key.reader], device="PC-1", account="Admin")
    credential = Credential(
        account_name="Admin", account_sid=None, backed_up=None, password=Password(secret)
    )
    return {
        "password": password,
        "many": generate_many(3),
        "opened": key.open(record).password,
        "key": key,
        "signer": SignerKey.generate("authority"),
        "record": record,
        "generator": Generator(),
        "credential": credential,
        "token": StaticToken(secret),
    }


def _tokens(held: dict[str, object]) -> list[str]:
    many = held["many"]
    assert isinstance(many, Passwords)
    # The private half of a key, as its key file would hold it.
    return [SECRET, *many.expose()]


def _fails(held: dict[str, object]) -> None:
    password, key, many, credential, token = (
        held[name] for name in ("password", "key", "many", "credential", "token")
    )
    assert password and key and many and credential and token
    raise RuntimeError("something else went wrong")


@pytest.mark.parametrize("renderer", ["rich", "traceback", "cgitb"])
def test_tracebacks_with_locals_show_no_secret(renderer: str) -> None:
    held = _everything(SECRET)
    secrets = _tokens(held)
    try:
        _fails(held)
    except RuntimeError as error:
        kind, trace = type(error), error.__traceback__
        if renderer == "rich":
            out = io.StringIO()
            made = rich.traceback.Traceback.from_exception(
                kind, error, trace, show_locals=True, locals_max_length=100, locals_max_string=1000
            )
            rich.console.Console(file=out, width=200).print(made)
            text = out.getvalue()
        elif renderer == "traceback":
            text = "".join(
                traceback.TracebackException(kind, error, trace, capture_locals=True).format()
            )
        else:
            # What cgitb did, which left the standard library with 3.13: the repr of every local of
            # every frame.
            frames = [frame for frame, _ in traceback.walk_tb(trace)]
            text = "\n".join(
                f"{name} = {value!r}" for frame in frames for name, value in frame.f_locals.items()
            )
    # The list of secrets is a local of this very test.
    shown = "\n".join(
        line for line in text.splitlines() if "secrets" not in line and "SECRET" not in line
    )
    if renderer != "traceback":
        shown = shown.split("_fails", 1)[-1] if renderer == "rich" else text.split("held = ", 2)[-1]
    assert "<Password>" in shown
    assert [each for each in secrets if each in shown] == []


def test_logs_and_printers_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    held = _everything(SECRET)
    out = io.StringIO()
    console = rich.console.Console(file=out, width=200)
    with caplog.at_level(logging.DEBUG):
        for value in held.values():
            logging.getLogger("tests").info("%s %r %a", value, value, value)
            console.print(value)
            rich.inspect(value, console=console, all=True, methods=True)
            pprint.pprint(value, stream=out)
            print(value, vars(type(value)).keys(), dir(value), file=out)
    text = caplog.text + out.getvalue()
    assert "<Password>" in text
    assert [each for each in _tokens(held) if each in text] == []


@pytest.mark.parametrize(
    "name", ["password", "many", "key", "signer", "generator", "credential", "token"]
)
def test_nothing_that_holds_a_secret_can_be_pickled_or_copied_whole(name: str) -> None:
    value = _everything(SECRET)[name]
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(value)
    if name != "token":
        with pytest.raises(TypeError):
            copy.deepcopy(value)
    with pytest.raises(TypeError):
        json.dumps(value)


def test_weak_spots_of_a_class_are_closed() -> None:
    password = Password(SECRET)
    assert not hasattr(password, "__dict__")
    with pytest.raises(TypeError):
        type("Leaky", (Password,), {})
    with pytest.raises(TypeError):
        memoryview(password)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        bytes(password)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        iter(password)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        _ = password + "x"  # type: ignore[operator]
