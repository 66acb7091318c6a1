"""How the commands of ``laps`` read their arguments."""

from __future__ import annotations

import math
import os
import shlex
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from ..exceptions import NotFound
from . import completing
from .output import safe
from .status import Failure, Status

__all__ = ["Command", "DeviceName", "Json", "Scope", "VaultCommand", "VaultPath", "Yes"]

# Names the vault where no --vault does.
_ENVIRONMENT = "LAPS_VAULT"

Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on standard output and nothing else.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Answer every question with yes.")]
DeviceName = Annotated[
    str,
    typer.Argument(
        metavar="DEVICE", help="The name of the device.", autocompletion=completing.devices
    )
]
Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]
VaultPath = Annotated[
    str,
    typer.Option(
        "--vault", metavar="PATH", envvar=_ENVIRONMENT,
        help=(
            "The vault file, in place of what LAPS_VAULT names. On a network file system only with "
            "--allow-network-file-system."
        )
    ),
]

# The word of every command that opens a vault: no other machine ever opens it.
_NETWORK = "--allow-network-file-system"


class Command(TyperCommand):
    """A command that takes ``--yes`` also where nothing is asked."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments."""
        end = args.index("--") if "--" in args else len(args)
        if not any("--yes" in parameter.opts for parameter in self.params):
            args = [argument for argument in args[:end] if argument != "--yes"] + args[end:]
        return list(super().parse_args(ctx, args))


class VaultCommand(Command):
    """A command on a vault, which ``--vault`` or ``LAPS_VAULT`` names, and never a position."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments."""
        end = args.index("--") if "--" in args else len(args)
        if _NETWORK in args[:end]:
            from .._laps import allow_network_file_systems

            allow_network_file_systems()
            args = [argument for argument in args[:end] if argument != _NETWORK] + args[end:]
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except TyperException:
            if vault := self._misplaced(ctx, given):
                raise Failure(
                    "the vault is named by --vault or LAPS_VAULT, never by a position: type "
                    f"`--vault {shlex.quote(vault)}` in place of `{safe(vault)}`",
                    Status.USAGE
                ) from None
            raise

    def _misplaced(self, ctx: Any, args: list[str]) -> str | None:
        """The first position, where it is one too many or a vault is lacking, and it looks like a
        vault."""
        given, left, _ = self.make_parser(ctx).parse_args(args=args)
        positions: list[str] = []
        most: float = 0
        for each in self.params:
            if each.param_type_name == "argument":
                most += each.nargs if each.nargs > 0 else math.inf
                value = given.get(each.name or "")
                positions += [value] if isinstance(value, str) else value or ()
        positions += left
        lacking = not (given.get("path") or os.environ.get(_ENVIRONMENT))
        if not positions or not (lacking or len(positions) > most):
            return None
        first = positions[0]
        looks = first.endswith(".vault") or os.sep in first or os.path.exists(first)
        return first if looks or (lacking and len(positions) > most) else None

    def invoke(self, ctx: Any) -> Any:
        """Runs it. What is not there is named."""
        try:
            return super().invoke(ctx)
        except NotFound as error:
            device = ctx.params.get("device")
            if isinstance(device, str) and str(error).startswith("there is no such"):
                raise NotFound(f"device {safe(device)}: {error}", error.code) from None
            raise
