"""``laps policy``: what is in force and what is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from .._laps import (
    Evaluation, Finding, Policy, evaluate, policy_schema, reset_password_status,
    reset_password_syncml,
)
from . import inputs, output
from .command import Command, Json
from .status import Failure, Status

__all__ = [
    "LastWins", "Name", "Output", "Strict", "complain", "display", "hold", "in_force", "policy",
    "source", "write"
]

policy = typer.Typer()

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Policy documents: our JSON, Intune's JSON, CSP SyncML, .reg files."
    ),
]
LastWins = Annotated[
    bool,
    typer.Option(
        "--last-wins",
        help="Where two documents of one root clash, take the later one instead of refusing both."
    )
]
Name = Annotated[
    str | None,
    typer.Option(
        "--policy", metavar="NAME",
        help="Of several policies in one file, the one with this name or id."
    )
]


Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="A file instead of standard output.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse warnings, too: status 3.")]


@policy.command("show", cls=Command)
def show(
    files: Files, last_wins: LastWins = False, name: Name = None, as_json: Json = False,
    strict: Strict = False
) -> None:
    """Show the value and origin of every setting, and the findings. Status 3 with an error among
    them.

    Documents of one root (the CSP, Group Policy, local configuration) are joined setting by
    setting; a setting that two of them set differently is an error that names both. Between roots,
    the one that Windows looks at first wins whole.

    Example: [bold]laps policy show policy.json[/bold]
    """
    found = evaluated(files, last_wins=last_wins, name=name)
    if as_json:
        output.emit(
            {
                "settings": {
                    **{
                        name: {"value": setting.value, "source": setting.source}
                        for name, setting in found.settings.items()
                    },
                    # Nothing is in force for these: what was given is no value.
                    **{
                        name: {
                            "value": None, "source": each.source, "given": each.given,
                            "refused": each.reason
                        }
                        for name, each in found.refused.items()
                    },
                },
                "findings": [
                    {
                        "level": each.level, "rule": each.rule, "setting": each.setting,
                        "message": each.message
                    }
                    for each in found.findings
                ],
                "root": None if found.root is None
                else {"name": found.root, "sources": found.sources},
                "state": found.state,
                "summary": found.summary,
            }
        )
    else:
        _show(found)
    complain(found)
    if found.policy is None:
        raise typer.Exit(int(Status.REFUSED))
    hold([found], strict)


def _show(found: Evaluation) -> None:
    """What it comes to, in one sentence; then every setting, and what somebody should know."""
    if found.policy is None:
        print("refused, for the errors on standard error; nothing is in force")
    else:
        print(found.summary)
        if found.root is not None:
            print(f"from: {output.safe(', '.join(found.sources))} ({found.root})")
    if found.root is not None:
        output.table(
            ["setting", "value", "source"],
            [
                *(
                    [name, display(setting.value), setting.source]
                    for name, setting in found.settings.items()
                ),
                # A value that is refused is none: it is not in force, and no default stands for it.
                *(
                    [name, f"refused: {given(each.given)}", each.source]
                    for name, each in found.refused.items()
                ),
            ],
            styles=["bold", "", "dim"],
        )
    if found.policy is not None and found.state == "managed":
        strength = found.policy.recipe().strength
        print(f"strength: {strength.bits:.6f} bits, {strength.admissible:,} passwords")
    for each in found.findings:
        if each.level != "error":
            print(_line(each))


def _line(each: Finding) -> str:
    """A finding in one line."""
    of = f"{each.setting}: " if each.setting else ""
    return output.safe(f"{each.level}: {of}{each.message}")


class Form(str, Enum):
    """The forms in which settings travel."""

    CSP = "csp"
    REG = "reg"
    INTUNE = "intune"
    JSON = "json"


class SyncmlCommand(str, Enum):
    """What SyncML does with each setting."""

    REPLACE = "replace"
    ADD = "add"
    DELETE = "delete"


@policy.command("diff", cls=Command)
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policy that a device has.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy that it gets.")],
    more_old: Annotated[
        list[Path] | None,
        typer.Option(
            "--old", metavar="FILE", help="Another document that the device has; may be repeated."
        )
    ] = None,
    more_new: Annotated[
        list[Path] | None,
        typer.Option(
            "--new", metavar="FILE", help="Another document that it gets; may be repeated."
        )
    ] = None,
    last_wins: LastWins = False,
    as_json: Json = False,
    strict: Strict = False,
) -> None:
    """Show what a new policy changes, and what each change does on a device.

    Several documents of one side are joined as `laps policy show` joins them.

    Example: [bold]laps policy diff old.json new.json[/bold]
    """
    before = evaluated([old, *(more_old or [])], last_wins=last_wins)
    after = evaluated([new, *(more_new or [])], last_wins=last_wins)
    complain(before)
    complain(after)
    found = before.diff(after)
    if found is None:
        raise typer.Exit(int(Status.REFUSED))
    hold([before, after], strict)
    if as_json:
        output.emit(
            {
                "changes": [
                    {
                        "setting": each.setting,
                        "old": each.old,
                        "new": each.new,
                        "effect": each.effect,
                        "because": each.because,
                    }
                    for each in found
                ]
            }
        )
    elif not found:
        print("nothing changes")
    else:
        output.table(
            ["setting", "old", "new", "effect", "because"],
            (
                [each.setting, display(each.old), display(each.new), each.effect, each.because]
                for each in found
            ),
            styles=["bold"],
        )


@policy.command("export", cls=Command)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy document in any form.")],
    form: Annotated[Form, typer.Option("--as", help="The form to write.")],
    to: Output = None,
    name: Name = None,
    strict: Strict = False,
    command: Annotated[
        SyncmlCommand,
        typer.Option(
            "--command",
            help="With --as csp: what the device does with each setting, all of them or none."
        )
    ] = SyncmlCommand.REPLACE,
) -> None:
    """Write a policy in another form: CSP SyncML, a .reg file, Intune's JSON, or our JSON.

    Example: [bold]laps policy export policy.json --as csp --command add[/bold]
    """
    if form is not Form.CSP and command is not SyncmlCommand.REPLACE:
        raise Failure(
            f"--command {command.value} goes with --as csp; {form.value} has no commands",
            Status.USAGE
        )
    found = evaluated([file], name=name)
    complain(found)
    if found.policy is None:
        raise Failure(
            f"policy {file}: refused for the errors above; nothing was written", Status.REFUSED
        )
    hold([found], strict)
    write(found.export(form.value, command=command.value), to)


@policy.command("reset-password", cls=Command)
def reset_password(to: Output = None) -> None:
    """Write the SyncML with which an MDM server has a device rotate its password now, and tell how
    that went.

    Example: [bold]laps policy reset-password --output rotate.xml[/bold]
    """
    write(reset_password_syncml().encode(), to)


@policy.command("reset-status", cls=Command)
def reset_status(
    answer: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ANSWER]",
            help="The SyncML that a device answered; without one, the question is written."
        ),
    ] = None,
    to: Output = None,
    as_json: Json = False,
) -> None:
    """Write the SyncML that asks a device how its last ordered rotation went, or read its answer.

    An answer leaves with status 0 when the rotation succeeded, and with 8 while it runs or when it
    failed.

    Example: [bold]laps policy reset-status answer.xml[/bold]
    """
    if answer is None:
        if as_json:
            raise Failure(
                "--json goes with a device's ANSWER; the question is SyncML", Status.USAGE
            )
        write(reset_password_syncml(status_only=True).encode(), to)
        return
    found = reset_password_status(inputs.read(answer, "answer"), source(answer))
    if found is None:
        raise Failure(
            f"answer {answer}: it tells nothing of ResetPasswordStatus; give the Results that the "
            "device sent",
            Status.NOT_FOUND
        )
    if as_json:
        output.emit(
            {
                "state": found.state,
                "hresult": None if found.hresult is None else f"{found.hresult:#010x}"
            }
        )
    else:
        print(found.message)
    if found.state != "succeeded":
        raise typer.Exit(int(Status.NOT_COMMITTED))


def write(data: bytes, to: Path | None) -> None:
    if to is None:
        sys.stdout.buffer.write(data)
    else:
        output.replace(to, data, mode=0o644)


@policy.command("schema", cls=Command)
def schema(as_json: Json = False) -> None:
    """Print every setting with its range, default and what it needs.

    Example: [bold]laps policy schema --json[/bold]
    """
    document = json.loads(policy_schema())
    if as_json:
        output.emit(document)
        return
    output.table(
        ["setting", "default", "accepted", "what it is"],
        (
            [each["name"], display(each["default"]), _accepted(each), each["summary"]]
            for each in document["settings"]
        ),
        styles=["bold"],
    )


def _accepted(setting: dict[str, Any]) -> str:
    if "values" in setting:
        return ", ".join(str(each) for each in setting["values"])
    if "range" in setting:
        spans = [value for value in setting["range"].values() if isinstance(value, list)]
        return " or ".join(
            dict.fromkeys(f"{low} to {high}" for low, high in spans)
        ) or str(setting["range"])
    if "max_characters" in setting:
        return f"text, at most {setting['max_characters']} characters"
    return str(setting.get("type", ""))


def evaluated(
    files: Sequence[Path], *, last_wins: bool = False, name: str | None = None
) -> Evaluation:
    """Reads and evaluates documents."""
    documents = [(source(file), inputs.read(file, "policy")) for file in files]
    return evaluate(documents, last_wins=last_wins, policy=name)


def source(file: Path) -> str:
    # A file's name may hold bytes that are no text; findings and JSON cannot.
    return file.name.encode("utf-8", "replace").decode("utf-8")


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
            output.note(_line(each))


def hold(every: Sequence[Evaluation], strict: bool) -> None:
    """With ``--strict``, warnings go to standard error and leave with status 3."""
    warnings = [each for found in every for each in found.findings if each.level == "warning"]
    if strict and warnings:
        for each in warnings:
            output.note(_line(each))
        raise Failure(
            f"warnings: {len(warnings)}; --strict refuses a policy with any", Status.REFUSED
        )


def given(value: object) -> str:
    """What a document gives for a setting, in short."""
    return "no single value" if value is None else display(value)


def display(value: object) -> str:
    """A value as the policy file writes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
