"""How the commands of ``laps`` read their arguments."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..exceptions import NotFound
from .output import safe

__all__ = ["Command", "DeviceName", "Json", "Scope", "VaultCommand", "VaultPath", "Yes"]

Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on standard output and nothing else.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Answer every question with yes.")]
DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="The name of the device.")]
Scope = Annotated[str, typer.Option("--scope", help="The tenant.")]
VaultPath = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help=(
            "The vault file; left out when LAPS_VAULT is set. On a network file system only with "
            "--allow-network-file-system."
        ),
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
    """A command whose first argument is the vault, unless ``LAPS_VAULT`` names it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments."""
        end = args.index("--") if "--" in args else len(args)
        if _NETWORK in args[:end]:
            from .._laps import allow_network_file_systems

            allow_network_file_systems()
            args = [argument for argument in args[:end] if argument != _NETWORK] + args[end:]
        vault = os.environ.get("LAPS_VAULT")
        if vault and "--help" not in args:
            args = [vault, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs it. What is not there is named."""
        try:
            return super().invoke(ctx)
        except NotFound as error:
            device = ctx.params.get("device")
            if isinstance(device, str) and str(error).startswith("there is no such"):
                raise NotFound(f"device {safe(device)}: {error}", error.code) from None
            raise
