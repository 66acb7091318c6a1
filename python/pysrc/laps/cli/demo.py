"""``laps demo``: the whole story in a temporary folder."""

from __future__ import annotations

from typing import Annotated

import typer

from . import output
from .asking import confirm
from .command import Yes
from .status import Failure, Status

__all__ = ["demo"]


def demo(
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="NAME",
            help="Do the first rotation on this real account of this machine, as root."
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Tell the whole story in a temporary folder: policy, rotations, a reveal, kills, an edited
    audit log.

    Nothing outside that folder is touched, unless --account names an account of this machine.

    Example: [bold]laps demo[/bold]
    """
    from ..demo.story import Broken, Story

    if account is not None:
        _ask(account, yes)
    console = output.console()
    story = Story(console)
    try:
        story.tell(account)
    except Broken as error:
        raise Failure(
            f"the demonstration failed: {error}; its folder is {story.folder}", Status.OTHER
        ) from error


def _ask(account: str, yes: bool) -> None:
    import pwd

    from ..demo.story import is_root

    try:
        found = pwd.getpwnam(account)
    except KeyError:
        raise Failure(
            f"account {account}: this machine has no such account; give the name of one whose "
            "password may change",
            Status.NOT_FOUND,
        ) from None
    if not is_root():
        raise Failure(
            f"account {account}: only root may set its password; run this as root, or without "
            "--account",
            Status.NOT_ALLOWED
        )
    output.note(
        f"This will CHANGE THE PASSWORD of the local account {account} (user id {found.pw_uid}) of "
        "THIS MACHINE, now and for good.\nThe new password is random. It is printed in the third "
        "chapter, and sealed in the vault of the demonstration."
    )
    confirm(f"Change the password of {account}?", yes)
