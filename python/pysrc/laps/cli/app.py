"""The tree of commands, and how an error becomes a message and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.core

from ..exceptions import LapsError
from . import status
from .carrying import reseal
from .command import Command, VaultCommand
from .demo import demo
from .generate import check, generate, strength
from .groups import attach
from .guard import finish
from .report import report
from .reveal import disclose, open_sealed, reveal

__all__ = ["app", "root", "run"]

_CONFIRMATION_REQUIRED = 8

app = typer.Typer(
    name="laps",
    help=(
        "Local administrator passwords: make them, rotate them safely, keep them sealed, account "
        "for who saw them."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.command("generate", cls=Command)(generate)
app.command("strength", cls=Command)(strength)
app.command("check", cls=Command)(check)
app.command("reveal", cls=VaultCommand)(reveal)
app.command("disclose", cls=VaultCommand)(disclose)
app.command("open", cls=Command)(open_sealed)
app.command("reseal", cls=Command)(reseal)
app.command("report", cls=VaultCommand)(report)
app.command("demo", cls=Command)(demo)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"laps {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and leave.", callback=_version, is_eager=True
        )
    ] = False,
) -> None:
    del version


def root() -> typer.core.TyperGroup:
    """The tree of commands; its groups grow when they are asked for."""
    made = typer.main.get_command(app)
    assert isinstance(made, typer.core.TyperGroup)
    attach(made)
    return made


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; gives its exit status."""
    try:
        left = _run(arguments)
        finish()
        return left
    except BrokenPipeError:
        # Who read it has had enough.
        return int(status.Status.OTHER)
    except (status.Failure, LapsError, OSError) as error:
        complain(error)
        return int(status.of(error))
    except UnicodeError:
        # What is read from files is judged where it is read; what is left are arguments, which may
        # be any bytes.
        complain(
            status.Failure("an argument holds bytes that are not UTF-8 text", status.Status.REFUSED)
        )
        return int(status.Status.REFUSED)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        root().main(args=list(arguments) if arguments is not None else None, prog_name="laps")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    return 0


def complain(error: BaseException) -> None:
    """Says on standard error what went wrong."""
    text = str(error)
    if isinstance(error, OSError) and not isinstance(error, LapsError):
        where = f"{error.filename}: " if error.filename else ""
        text = where + (error.strerror or text)
    if isinstance(error, LapsError) and error.code == _CONFIRMATION_REQUIRED:
        text += "; --yes does it all the same"
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    head = "\x1b[1;31merror:\x1b[0m" if colour else "error:"
    print(f"{head} {text}", file=sys.stderr)
