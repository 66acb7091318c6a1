"""What stays in a process's memory once a password is wiped: nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from laps import Password, ReaderKey, Record

SECRET = "Kq7#vZ2-pXw4!Gm9_tRy6"

# The password comes into this process inside the seal only, so that no copy of Python's own is
# there to be found.
CHILD = """
import sys, laps
key = laps.ReaderKey.from_key_file(open("key", "rb").read())
password = key.open(laps.Record.parse(open("record", "rb").read())).password
match sys.argv[1]:
    case "kept": pass
    case "wiped": password.wipe()
    case "block":
        with password: pass
    case "freed": del password
with open("/proc/self/maps") as maps:
    places = [line.split()[0].split("-") for line in maps if line.split()[1].startswith("rw")]
with open("/proc/self/mem", "rb", buffering=0) as memory:
    for start, end in places:
        memory.seek(int(start, 16))
        try:
            sys.stdout.buffer.write(memory.read(int(end, 16) - int(start, 16)))
        except (OSError, OverflowError):
            pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("how", "found"), [("kept", True), ("wiped", False), ("block", False), ("freed", False)]
)
def test_a_wiped_password_is_nowhere_in_memory(tmp_path: Path, how: str, found: bool) -> None:
    key = ReaderKey.generate("ann", suite="x25519")
    (tmp_path / "key").write_bytes(key.to_key_file())
    (tmp_path / "record").write_bytes(
        bytes(Record.seal(Password(SECRET), [key.reader], device="PC-1", account="Admin"))
    )
    done = subprocess.run(
        [sys.executable, "-c", CHILD, how], cwd=tmp_path, capture_output=True, check=True
    )
    assert len(done.stdout) > 1 << 20
    pieces = [SECRET[at : at + 8].encode() for at in range(len(SECRET) - 7)]
    assert any(piece in done.stdout for piece in pieces) is found
