"""``laps policy import``: from the forms in which administrators find these settings to a policy
file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from .._laps import Evaluation, Finding, evaluate
from ..convert import Converted, convert
from . import inputs, output
from .command import Command
from .policy import Form, Name, Output, Strict, hold, policy, source, write
from .status import Failure, Status

__all__: list[str] = []


@policy.command("import", cls=Command)
def import_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file in any of the forms below.")],
    name: Name = None,
    form: Annotated[Form, typer.Option("--as", help="The form to write.")] = Form.JSON,
    to: Output = None,
    strict: Strict = False,
) -> None:
    """Make a policy file of what lies in other tools: Registry.pol and other forms of Group Policy,
    templates of CIPP, and more.

    Read are Registry.pol, the text of LGPO /parse, the XML of Get-GPOReport, Group Policy
    preferences (Registry.xml), what reg query and Get-ItemProperty print (as text or JSON),
    templates of CIPP, settings of Microsoft.OSConfig, and every form that the other commands read.
    Several policies in one file are listed; --policy chooses one.

    Example: [bold]laps policy import Registry.pol --output policy.json[/bold]
    """
    data = inputs.read(file, "policy")
    known = source(file)
    chosen = _chosen(convert(data, known), name, file)
    converted = chosen.document is not data
    found = evaluate([(known, chosen.document)], policy=None if converted else name)
    for each in found.findings:
        output.note(_line(each, converted))
    if found.policy is None:
        raise Failure(
            f"policy {file}: refused for the errors above; nothing was written", Status.REFUSED
        )
    if found.root is None:
        raise Failure(
            f"policy {file}: {chosen.form} in which {found.summary}; nothing was written",
            Status.NOT_FOUND
        )
    for note in chosen.notes:
        output.note(output.safe(f"note: {note}"))
    hold([found], strict)
    output.note(_summary(chosen, found))
    write(found.export(form.value), to)


def _chosen(found: list[Converted], name: str | None, file: Path) -> Converted:
    """The one policy that was meant."""
    if len(found) == 1 and (name is None or not found[0].name):
        return found[0]
    names = ", ".join(repr(each.name) for each in found)
    if name is None:
        raise Failure(
            f"policy {file}: it holds {len(found)} policies; choose one with --policy NAME: "
            f"{names}",
            Status.REFUSED
        )
    wanted = [each for each in found if each.name.casefold() == name.casefold()]
    if len(wanted) != 1:
        how_many = "no policy in it has" if not wanted else "several policies in it have"
        raise Failure(
            f"policy {file}: {how_many} the name {name!r}; there are {names}", Status.NOT_FOUND
        )
    return wanted[0]


def _line(finding: Finding, converted: bool) -> str:
    of = f"{finding.setting}: " if finding.setting else ""
    # A line of what the conversion made is none of the file.
    message = re.sub(
        r"\bline [0-9]+: |, line [0-9]+\b", "", finding.message
    ) if converted else finding.message
    return output.safe(f"{finding.level}: {of}{message}")


def _summary(chosen: Converted, found: Evaluation) -> str:
    of = f" {chosen.name!r}" if chosen.name else ""
    return output.safe(f"read {chosen.form}{of} ({found.root}): {found.summary}")
