"""``laps generate``, ``laps strength``, ``laps check``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from . import inputs, output
from .choice import Complexity, Length, PolicyFile, RecipeFile, Words, chosen
from .command import Json
from .status import Failure, Status

__all__ = ["check", "generate", "strength"]

_MOST = 10_000_000


def generate(
    policy: PolicyFile = None,
    recipe: RecipeFile = None,
    complexity: Complexity = None,
    length: Length = None,
    words: Words = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many.")] = 1,
    as_json: Json = False,
) -> None:
    """Make passwords, one a line. Every password that the rules allow is equally likely.

    Examples: [bold]laps generate[/bold] · [bold]laps generate --complexity 6 --words 5[/bold] ·
    [bold]laps generate --policy policy.json --count 10[/bold]
    """
    made = chosen(policy, recipe, complexity, length, words)
    if not 1 <= count <= _MOST:
        raise Failure(f"--count {count}: 1 to {_MOST} are accepted", Status.REFUSED)
    from .._laps import generate_many

    with generate_many(count, made) as passwords:
        if as_json:
            output.emit({"passwords": passwords.expose(), "bits": made.strength.bits})
        else:
            sys.stdout.write("\n".join(passwords.expose()) + "\n")


def strength(
    policy: PolicyFile = None,
    recipe: RecipeFile = None,
    complexity: Complexity = None,
    length: Length = None,
    words: Words = None,
    as_json: Json = False,
) -> None:
    """Say how many passwords the rules allow, exactly, and how many bits that is, rounded down.

    Example: [bold]laps strength --complexity 4 --length 14[/bold]
    """
    found = chosen(policy, recipe, complexity, length, words).strength
    if as_json:
        output.emit(
            {
                "admissible": str(found.admissible),
                "bits": found.bits,
                "length": [found.min_length, found.max_length],
            }
        )
        return
    span = (
        str(found.min_length)
        if found.min_length == found.max_length
        else f"{found.min_length} to {found.max_length}"
    )
    output.table(
        ["", ""],
        [["bits", f"{found.bits:.6f}"], ["passwords", f"{found.admissible:,}"], ["length", span]],
        styles=["bold"],
    )


def check(
    policy: PolicyFile = None,
    recipe: RecipeFile = None,
    complexity: Complexity = None,
    length: Length = None,
    words: Words = None,
    as_json: Json = False,
) -> None:
    """Check a password from standard input against the rules. Status 3 when it breaks one.

    Example: [bold]laps check --complexity 4 < password.txt[/bold]
    """
    made = chosen(policy, recipe, complexity, length, words)
    violations = made.check(_password())
    if as_json:
        output.emit(
            {
                "ok": not violations,
                "violations": [{"rule": each.rule, "message": each.message} for each in violations],
            }
        )
    elif not violations:
        print("ok")
    else:
        output.table(
            ["rule", "message"], ([each.rule, each.message] for each in violations), styles=["bold"]
        )
    if violations:
        raise typer.Exit(int(Status.REFUSED))


def _password() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Password: ")
    found = sys.stdin.buffer.read(65_537)
    if len(found) > 65_536:
        raise Failure("password: longer than 64 KiB, which none is", Status.REFUSED)
    return inputs.line(found, "password")
