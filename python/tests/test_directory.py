"""Passwords as Active Directory stores them, read in an emergency."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import laps as library
import pytest
from laps.exceptions import LapsError

from .conftest import Laps

VECTORS = Path(__file__).parents[2] / "core/tests/vectors/directory"
SAMPLE = json.loads((VECTORS / "encrypted-password.json").read_text())
ENCRYPTED = bytes.fromhex(SAMPLE["msLAPS_EncryptedPassword_hex"])


@pytest.mark.parametrize(
    ("text", "updated"),
    [
        (
            '{"n":"Administratör","t":"1d8161b41c41cde","p":"a\\u0026b\\"d\\\\e"}',
            "2022-01-30T20:52:13Z"
        ),
        (
            '{"n":"Administratör","t":"132880495330729182","p":"a\\u0026b\\"d\\\\e"}',
            "2022-01-30T20:52:13Z"
        ),
        (
            '{"n":"Administratör","t":"1D8161B41C41CDE","p":"a\\u0026b\\"d\\\\e"}',
            "2022-01-30T20:52:13Z"
        ),
        ('{"n":"Administratör","p":"a\\u0026b\\"d\\\\e"}', None),
        ('{"n":"Administratör","t":"soon","p":"a\\u0026b\\"d\\\\e"}', None),
    ],
)
def test_the_password_is_shown_whatever_its_time(
    laps: Laps, tmp_path: Path, text: str, updated: str | None
) -> None:
    for data in (
        text.encode(), b"\xff\xfe" + text.encode("utf-16-le"),
        f"dn: x\nmsLAPS-Password: {text}\n".encode()
    ):
        (tmp_path / "value").write_bytes(data)
        (found,) = laps("directory", "show", "value", "--json", status=0).json["passwords"]
        assert (found["account"], found["updated"], found["password"]) == (
            "Administratör", updated, 'a&b"d\\e'
        )
    out = laps("directory", "show", "value", status=0).out
    assert 'a&b"d\\e' in out and (updated or "unknown").replace("T", " ") in out


def test_who_may_decrypt_is_shown_and_a_time_that_cannot_be_is_unknown(
    laps: Laps, tmp_path: Path
) -> None:
    folded = base64.b64encode(ENCRYPTED).decode()
    folded = "\n ".join(folded[at : at + 70] for at in range(0, len(folded), 70))
    for data in (
        ENCRYPTED, ENCRYPTED.hex().encode(), base64.b64encode(ENCRYPTED),
        f"dn: x\nmsLAPS-EncryptedPassword:: {folded}\n".encode()
    ):
        (tmp_path / "value").write_bytes(data)
        (found,) = laps("directory", "show", "value", "--json", status=0).json["passwords"]
        assert found["kind"] == "encrypted" and found["password"] is None
        assert found["decryptor"] == SAMPLE["decoded"]["protection_sid"]
        assert (
            found["root_key"] == SAMPLE["decoded"]["root_key_id"] and found["updated"] is not None
        )
    swapped = ENCRYPTED[4:8] + ENCRYPTED[:4] + ENCRYPTED[8:]
    (tmp_path / "value").write_bytes(swapped)
    assert "unknown" in laps("directory", "show", "value", status=0).out
    read = library.read_directory_password(swapped)
    assert (read.updated, read.decryptor) == (None, SAMPLE["decoded"]["protection_sid"])


def test_a_blob_that_others_open_too_says_so(laps: Laps, tmp_path: Path) -> None:
    # Another content type where LAPS writes one: what stands in clear is not what LAPS writes.
    other = ENCRYPTED.replace(
        bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d010702"), 1
    )
    (tmp_path / "value").write_bytes(other)
    read = library.read_directory_password(other)
    assert read.decryptor is None and read.trouble is not None and read.updated is not None
    (found,) = laps("directory", "show", "value", "--json", status=0).json["passwords"]
    assert (found["decryptor"], found["trouble"]) == (None, read.trouble)
    assert "unknown: the blob is not CMS" in " ".join(
        laps("directory", "show", "value", status=0).out.split()
    )


@pytest.mark.parametrize(
    "data",
    [b"A6a3#7%eb!5xxx", b"{}", b"", ENCRYPTED + b"\0" * 4, ENCRYPTED[:40], b"ms-Mcs-AdmPwd: x"]
)
def test_what_is_neither_is_refused_without_its_text(
    laps: Laps, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "value").write_bytes(data)
    ran = laps("directory", "show", "value")
    assert ran.status == 3 and ran.out == ""
    assert "A6a3" not in ran.err and "msLAPS" in ran.err or "ms-Mcs" in ran.err
    with pytest.raises(LapsError):
        library.read_directory_password(data)
