"""The recipe that ``generate``, ``strength`` and ``check`` are given: by policy, by recipe file, or
by complexity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._laps import Recipe
from . import inputs
from .status import Failure, Status

__all__ = ["Complexity", "Length", "PolicyFile", "RecipeFile", "Words", "chosen"]

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="A policy in any form that `laps policy show` reads."
    )
]
RecipeFile = Annotated[Path | None, typer.Option("--recipe", metavar="FILE", help="A recipe file.")]
Complexity = Annotated[
    int | None,
    typer.Option(
        "--complexity", metavar="N",
        help="1 to 5: characters; 6 to 8: words, as Windows LAPS numbers them. 4 if not given."
    ),
]
Length = Annotated[
    int | None,
    typer.Option(
        "--length", metavar="N",
        help="Characters, 8 to 64, with complexity 1 to 5. 14 if not given."
    )
]
Words = Annotated[
    int | None,
    typer.Option(
        "--words", metavar="N", help="Words, 3 to 10, with complexity 6 to 8. 6 if not given."
    )
]


def chosen(
    policy: Path | None, recipe: Path | None, complexity: int | None, length: int | None,
    words: int | None
) -> Recipe:
    """The recipe."""
    if sum(each is not None for each in (policy, recipe, complexity)) > 1:
        raise Failure("give one of --policy, --recipe and --complexity", Status.USAGE)
    if policy is not None or recipe is not None:
        if length is not None or words is not None:
            raise Failure(
                "--length and --words go with --complexity; a policy or recipe file says its own",
                Status.USAGE
            )
        if recipe is not None:
            return _named(f"recipe {recipe}", recipe)
        assert policy is not None
        from .policy import in_force

        return in_force([policy]).recipe()
    level = 4 if complexity is None else complexity
    if 6 <= level <= 8:
        if length is not None:
            raise Failure(
                f"--length goes with complexity 1 to 5; complexity {level} takes --words",
                Status.USAGE
            )
        return Recipe.passphrase(level, 6 if words is None else _small(words, "--words", "3 to 10"))
    if words is not None:
        raise Failure(
            f"--words goes with complexity 6 to 8; complexity {level} takes --length", Status.USAGE
        )
    return Recipe.complexity(
        _small(level, "--complexity", "1 to 8"),
        14 if length is None else _small(length, "--length", "8 to 64")
    )


def _named(where: str, path: Path) -> Recipe:
    from ..exceptions import LapsError

    document = inputs.read(path, "recipe")
    try:
        return Recipe.from_json(document)
    except LapsError as error:
        raise type(error)(f"{where}: {error}", error.code) from None


def _small(value: int, option: str, accepted: str) -> int:
    # The core says the exact range; this only keeps what is no number of its size from reaching it.
    if not 0 <= value <= 255:
        raise Failure(f"{option} {value}: {accepted} are accepted", Status.REFUSED)
    return value
