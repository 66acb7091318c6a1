"""An account store over programs that ask for a password on their terminal: dscl of macOS, and
``net user NAME *`` of a Windows machine that is reached by ssh.

    prompted.py dscl VERB ACCOUNT [TIME]
    prompted.py net-user SSH-HOST VERB ACCOUNT [TIME]

The password goes from standard input to the program's terminal: it stands in no command line, and
nothing that the program says is passed on while it has the password.
"""

from __future__ import annotations

import os
import pty
import re
import sys
from typing import NoReturn

DONE, FAILED, CANNOT, NO_ACCOUNT, NO_MATCH = 0, 1, 11, 12, 13


def main(words: list[str]) -> int:
    """Does one verb; gives the status that the agent reads."""
    kind, *words = words
    if kind == "dscl":
        verb, account = words[:2]
        record = f"/Users/{account}"
        read = ["dscl", ".", "-read", record, "RecordName"]
        change = ["dscl", ".", "-passwd", record]
        check = ["dscl", ".", "-authonly", account]
    else:
        host, verb, account = words[:3]
        read = ["ssh", "-o", "BatchMode=yes", host, "net", "user", account]
        change = ["ssh", "-tt", "-o", "BatchMode=yes", host, "net", "user", account, "*"]
        check = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", account):
        print("this store takes letters, digits, dot, dash and underscore", file=sys.stderr)
        return CANNOT
    if verb == "exists":
        status, said = answered(read, None)
        gone = status != 0 and re.search(
            rb"eDSRecordNotFound|eDSUnknownNodeName|user name could not be found", said
        )
        return NO_ACCOUNT if gone else DONE
    if verb == "set":
        status, _ = answered(change, sys.stdin.buffer.read())
        return DONE if status == 0 else FAILED
    if verb == "verify" and check:
        status, said = answered(check, sys.stdin.buffer.read())
        if status == 0:
            return DONE
        # Only a clear word is a "no".
        return NO_MATCH if b"eDSAuthFailed" in said else FAILED
    # used-since, sign-out, terminate, restart; and net user has no way to verify.
    return CANNOT


def answered(command: list[str], password: bytes | None) -> tuple[int, bytes]:
    """Runs a program on a terminal of its own, and answers each of its questions with the password.
    Gives its status and what it said."""
    child, terminal = pty.fork()
    if child == 0:
        run(command)
    said, asked = b"", 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            # Linux says so when the program has ended.
            piece = b""
        if not piece:
            break
        said += piece
        if password is not None and said[asked:].rstrip(b" ").endswith(b":"):
            asked = len(said)
            os.write(terminal, password + b"\n")
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said


def run(command: list[str]) -> NoReturn:
    """Becomes the program."""
    try:
        os.execvp(command[0], command)
    except OSError:
        os._exit(127)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
