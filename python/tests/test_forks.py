"""A child that nobody told of: a fork past the interpreter's hooks, which is what a machine that
was copied looks like."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

# clone(SIGCHLD) of Linux, by machine.
CLONE = {"x86_64": 56, "aarch64": 220}

SCRIPT = """
import ctypes, json, os, signal, sys
import laps

key = laps.ReaderKey.generate("r", suite="x25519")
recipe, password, mine = laps.Recipe.complexity(4, 20), laps.Password("one password"), laps.Generator()
first = laps.Record.seal(password, [key.reader], device="d", account="a")
laps.generate(), recipe.generate(), mine.generate()  # so that random bytes lie ready


def draw():
    sealed = laps.Record.seal(password, [key.reader], device="d", account="a")
    rotation = laps.Rotation(policy=laps.Policy(BackupDirectory=1), device="d", account="a")
    while rotation.poll().kind == "save":
        rotation.journal()
        rotation.handle_saved()
    drawn = {
        "copied": mine.generate(recipe).expose(),
        "generate": laps.generate().expose(),
        "recipe": recipe.generate().expose(),
        "many": list(laps.generate_many(2).expose()),
        "id": sealed.id,
        "body": bytes(sealed)[-177:-161].hex(),
        "resealed": bytes(key.reseal(first, [key.reader]))[-177:-161].hex(),
        "key": laps.ReaderKey.generate("r", suite="x25519").reader.id,
        "signer": laps.SignerKey.generate("s").signer.id,
        "check-in": rotation.check_in([]).hex(),
    }
    mine.reseed()
    return drawn | {"reseeded": mine.generate(recipe).expose()}


hooks = []
os.register_at_fork(after_in_child=lambda: hooks.append(1))
reading, writing = os.pipe()
child = ctypes.CDLL(None, use_errno=True).syscall(int(sys.argv[1]), signal.SIGCHLD, 0, 0, 0, 0)
assert child >= 0, ctypes.get_errno()
if child == 0:
    os.write(writing, json.dumps(draw()).encode())
    os._exit(len(hooks))
os.close(writing)
with os.fdopen(reading, "rb") as pipe:
    theirs = json.loads(pipe.read())
assert os.waitpid(child, 0)[1] == 0, "the hooks were called"
print(json.dumps([draw(), theirs]))
"""


@pytest.mark.skipif(
    platform.machine() not in CLONE or sys.platform != "linux", reason="clone of Linux"
)
def test_a_child_that_nobody_told_of_repeats_nothing() -> None:
    number = str(CLONE[platform.machine()])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, number], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = json.loads(done.stdout)
    # A generator of one's own is copied with the process; reseed() is what is documented for it.
    assert ours.pop("copied") == theirs.pop("copied")
    assert len(ours) == 10
    alike = [name for name in ours if ours[name] == theirs[name]]
    assert alike == []
