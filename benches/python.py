"""How fast the Python package and its command line are: everything in one run, ratios beside times.

Usage: .venv/bin/python benches/python.py (`make bench-python`). Start-up is the least of many runs,
the interpreter alone, `import laps` and `laps --help` by turns, so that another load on the machine
meets all three.
"""

from __future__ import annotations

import gc
import os
import resource
import secrets
import string
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import laps

ROOT = Path(__file__).resolve().parents[1]
RUNS, BULK = 30, 200_000
ALPHABET = "".join(dict.fromkeys(string.ascii_letters + string.digits + ",.-+;!#&@{}[]$/()%"))


def started(command: Sequence[str]) -> tuple[float, float]:
    """How long a process takes, and how long a processor works for it, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took * 1e3, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def starts() -> list[tuple[float, float]]:
    """The bare interpreter, `import laps`, `laps --help`: the least of each, by turns."""
    commands = (
        [sys.executable, "-c", "pass"],
        [sys.executable, "-c", "import laps"],
        [str(Path(sys.executable).with_name("laps")), "--help"],
    )
    times = [[started(command) for command in commands] for _ in range(RUNS)]
    return [
        (min(took for took, _ in column), min(worked for _, worked in column))
        for column in zip(*times, strict=True)
    ]


def each(work: Callable[[], object], number: int, rounds: int = 7) -> float:
    """The least time of one call, in nanoseconds, the loop included."""
    best = float("inf")
    gc.disable()
    for _ in range(rounds):
        turns = range(number)
        began = time.perf_counter_ns()
        for _ in turns:
            work()
        best = min(best, (time.perf_counter_ns() - began) / number)
    gc.enable()
    return best


def recipe_of_the_manual() -> str:
    """The recipe that the manual of `secrets` gives, for what Windows LAPS asks by default."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(14))
        if (
            any(c.islower() for c in password)
            and any(c.isupper() for c in password)
            and any(c.isdigit() for c in password)
            and any(not c.isalnum() for c in password)
        ):
            return password


def rust_bulk() -> float:
    """The same batch from Rust, in nanoseconds a password."""
    command = [
        "cargo", "run", "-q", "--release", "-p", "laps-benches", "--example", "count", "--", "bulk",
        str(BULK)
    ]
    return float(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    )


def main() -> None:
    """Prints two tables."""
    os.environ["NO_COLOR"] = "1"
    rust = rust_bulk()
    (bare, bare_work), (imported, imported_work), (helped, helped_work) = starts()
    recipe = laps.Recipe.complexity(4, 14)
    generate, make, own = laps.generate, recipe.generate, laps.Generator()
    one = each(generate, 50_000)
    by_recipe = each(make, 50_000)
    owned = each(lambda: own.generate(recipe), 50_000)
    batch = each(lambda: laps.generate_many(BULK, recipe), 1, rounds=5) / BULK
    texts = each(lambda: laps.generate_many(BULK, recipe).expose(), 1, rounds=5) / BULK
    urlsafe = each(lambda: secrets.token_urlsafe(15), 20_000)
    manual = each(recipe_of_the_manual, 2_000)
    print("| what | time | ratio |\n|---|---|---|")
    print(f"| `python -c pass` | {bare:.1f} ms | |")
    print(
        f"| `import laps` | {imported:.1f} ms | +{imported - bare:.1f} ms; processor "
        f"+{imported_work - bare_work:.1f} ms |"
    )
    print(
        f"| `laps --help` | {helped:.1f} ms | +{helped - bare:.1f} ms; processor "
        f"+{helped_work - bare_work:.1f} ms |"
    )
    print(
        f"| `laps.generate()` | {one:.0f} ns | {urlsafe / one:.2f} times `token_urlsafe(15)`, "
        f"{manual / one:.0f} times the recipe |"
    )
    print(f"| `Recipe.generate()` | {by_recipe:.0f} ns | |")
    print(f"| `Generator.generate(recipe)` | {owned:.0f} ns | |")
    print(f"| Rust, a batch, each | {rust:.1f} ns | 1 |")
    print(
        f"| `generate_many({BULK:,}, recipe)`, each | {batch:.1f} ns | {batch / rust:.2f} of Rust; "
        f"{manual / batch:.0f} times the recipe |"
    )
    print(
        f"| the same with every text as a `str` | {texts:.1f} ns | {manual / texts:.0f} times the "
        "recipe |"
    )
    print(f"| `secrets.token_urlsafe(15)` | {urlsafe:.0f} ns | |")
    print(f"| the recipe of the manual of `secrets` | {manual:.0f} ns | |\n")
    print("| goal | reached |\n|---|---|")
    goals = (
        (
            "`import laps` under 30 ms more than the interpreter", f"{imported - bare:.1f} ms",
            imported - bare < 30
        ),
        ("`laps --help` under 300 ms more", f"{helped - bare:.1f} ms", helped - bare < 300),
        ("`generate()` at most 1 µs", f"{one / 1e3:.2f} µs", one <= 1000),
        ("bulk at most 1.5 times the bulk of Rust", f"{batch / rust:.2f}", batch <= 1.5 * rust),
    )
    for goal, figure, holds in goals:
        print(f"| {goal} | {figure}{'' if holds else ' — MISSED'} |")


if __name__ == "__main__":
    main()
