"""``laps policy new``: a policy to begin with, with the settings that are given or asked for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._laps import evaluate, policy_schema
from . import output
from .command import Command, Yes
from .policy import Strict, display, hold, policy
from .status import Failure, Status

__all__: list[str] = []


@policy.command("new", cls=Command)
def new(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where it goes; it must not exist. Standard output if not given."
        )
    ] = None,
    assigned: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE",
            help="A setting and its value; may be given several times."
        ),
    ] = None,
    strict: Strict = False,
    yes: Yes = False,
) -> None:
    """Write a policy to begin with: Entra backup, 30 days, complexity 4, length 14, reset and sign
    out after use.

    Asks for what administrators mostly change when there is a terminal and neither --set nor --yes
    is given.

    Example: [bold]laps policy new policy.json --set PasswordLength=20[/bold]
    """
    from importlib import resources

    if file is not None and file.exists():
        raise Failure(
            f"policy {file}: exists already and is not overwritten; give another name",
            Status.REFUSED
        )
    data = resources.files("laps.demo").joinpath("policy.json").read_bytes()
    document: dict[str, object] = json.loads(data)
    if assigned:
        document.update(_assigned(each) for each in assigned)
    elif not yes and sys.stdin.isatty():
        _ask(document)
    found = evaluate([("policy", json.dumps(document).encode())])
    for each in found.findings:
        if each.level == "error":  # the line is that of a document which nobody wrote
            output.note(f"error: {each.setting}: {each.message.removeprefix('line 1: ')}")
    if found.policy is None:
        raise Failure(
            "the policy is refused for the errors above; nothing was written", Status.REFUSED
        )
    hold([found], strict)
    if document != json.loads(data):
        data = found.export("json")
    if file is None:
        sys.stdout.write(data.decode("utf-8"))
        return
    try:
        with open(file, "xb", opener=lambda name, flags: os.open(name, flags, 0o644)) as opened:
            opened.write(data)
    except FileExistsError:
        raise Failure(
            f"policy {file}: exists already and is not overwritten; give another name",
            Status.REFUSED
        ) from None
    print(f"wrote {file}; now: laps policy show {file}")


def _assigned(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Failure(f"--set {text!r}: give NAME=VALUE, such as PasswordLength=20", Status.USAGE)
    return name, _value(name, value)


def _value(name: str, text: str) -> object:
    """What our JSON writes for a value given as text; what is none of its setting's kind stays text
    and is refused."""
    kinds = {each["name"]: each["type"] for each in json.loads(policy_schema())["settings"]}
    if kinds.get(name) == "string":
        return text
    if text in ("true", "false"):
        return text == "true"
    # The longest number of any setting has four digits; a longer one is refused as it stands.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else text


def _ask(document: dict[str, object]) -> None:
    """Asks for the settings that administrators mostly change; an answer that is refused is asked
    for again."""
    summaries = {each["name"]: each["summary"] for each in json.loads(policy_schema())["settings"]}
    names = ["BackupDirectory", "AdministratorAccountName", "PasswordAgeDays", "PasswordComplexity"]
    for name in [*names, "", "PostAuthenticationActions", "PostAuthenticationResetDelay"]:
        if not name:
            words = document["PasswordComplexity"] in (6, 7, 8)
            name = "PassphraseLength" if words else "PasswordLength"
            if words:
                document.pop("PasswordLength", None)
        while True:
            answer = typer.prompt(
                f"{name} ({summaries[name]})", default=display(document.get(name, 6)), err=True,
                type=str
            )
            tried = {**document, name: _value(name, answer.strip())}
            refused = [
                each
                for each in evaluate([("policy", json.dumps(tried).encode())]).findings
                if each.level == "error" and each.setting == name
            ]
            if not refused:
                document.update(tried)
                break
            for each in refused:
                output.note(f"error: {each.setting}: {each.message.removeprefix('line 1: ')}")
