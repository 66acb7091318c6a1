"""``laps policy``: what is in force and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Evaluation, Policy, evaluate
from . import inputs, output
from .command import Command, Json
from .status import Failure, Status

__all__ = ["in_force", "policy"]

policy = typer.Typer(help="Policies: what is in force, and what is wrong with it.", no_args_is_help=True)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Policy documents: our JSON, Intune's JSON, CSP SyncML, .reg exports."),
]


@policy.command("show", cls=Command)
def show(files: Files, as_json: Json = False) -> None:
    """Show the value and origin of every setting, and the findings. Status 3 with an error among them.

    Example: [bold]laps policy show policy.json[/bold]
    """
    found = evaluated(files)
    if as_json:
        output.emit(
            {
                "settings": {
                    name: {"value": setting.value, "source": setting.source}
                    for name, setting in found.settings.items()
                },
                "findings": [
                    {"level": each.level, "setting": each.setting, "message": each.message} for each in found.findings
                ],
            }
        )
    else:
        output.table(
            ["setting", "value", "source"],
            ([name, shown(setting.value), setting.source] for name, setting in found.settings.items()),
            styles=["bold", "", "dim"],
        )
        if found.policy is not None:
            strength = found.policy.recipe().strength
            print(f"strength: {strength.bits:.6f} bits, {strength.admissible:,} passwords")
        for each in found.findings:
            if each.level != "error":
                print(f"{each.level}: {each.setting}: {each.message}")
    complain(found)
    if found.policy is None:
        raise typer.Exit(int(Status.REFUSED))


def evaluated(files: Sequence[Path]) -> Evaluation:
    """Reads and evaluates documents."""
    return evaluate([(file.name, inputs.read(file, "policy")) for file in files])


def in_force(files: Sequence[Path]) -> Policy:
    """The policy in force; with an error finding there is none."""
    found = evaluated(files)
    complain(found)
    if found.policy is None:
        names = ", ".join(str(file) for file in files)
        raise Failure(f"policy {names}: refused for the errors above", Status.REFUSED)
    return found.policy


def complain(found: Evaluation) -> None:
    """Error findings go to standard error."""
    for each in found.findings:
        if each.level == "error":
            output.note(f"error: {each.setting}: {each.message}" if each.setting else f"error: {each.message}")


def shown(value: object) -> str:
    """A value as the policy file writes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
