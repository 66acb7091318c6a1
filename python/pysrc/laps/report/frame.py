"""What every page is made of: one file, no network, light and dark, sortable, printable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape
from importlib import resources

from .._laps import Policy

__all__ = ["age_note", "document", "policy_section", "section", "table", "tiles", "time"]


def document(
    title: str, subtitle: str, sections: Sequence[str], columns: Sequence[str],
    rows: Sequence[Sequence[object]]
) -> str:
    """A whole page: sections, then the sortable table of devices."""
    folder = resources.files(__package__)
    style = folder.joinpath("style.css").read_text(encoding="utf-8")
    script = folder.joinpath("table.js").read_text(encoding="utf-8")
    heads = "".join(f'<th tabindex="0">{escape(name)}</th>' for name in columns)
    body = "\n".join(each for each in sections if each)
    # Inside a script element only "<" could end it or open a comment.
    data = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    # Nothing is fetched, nothing but our own script runs: the policy says so to the browser too.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}: {len(rows):,} {"device" if len(rows) == 1 else "devices"}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{escape(title)}</h1>
<p>{escape(subtitle)} There is no password on this page.</p></header>
<main>
{body}
<section><h2>Devices</h2>
<p><input id="find" type="search" placeholder="find" aria-label="find a device"> <span id="shown"></span>
<button id="less" type="button">previous</button> <button id="more" type="button">next</button></p>
<div class="wide"><table id="devices"><thead><tr>{heads}</tr></thead><tbody></tbody></table></div>
<noscript><p>The table of devices needs the script of this page.</p></noscript></section>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def tiles(figures: Iterable[tuple[str, int, bool]], below: str = "") -> str:
    """The figures on top: a name, a number, and whether it is bad when it is not zero."""
    made = "".join(
        f'<div class="tile{" bad" if grave and value else ""}"><b>{value:,}</b>'
        f"<span>{escape(name)}</span></div>"
        for name, value, grave in figures
    )
    return f'<section class="tiles">{made}</section>{below}'


def section(title: str, body: str, note: str = "") -> str:
    """A heading, a line that explains, and what it is about."""
    # A long number may go on in the next line behind any of its commas.
    told = re.sub(r"(?<=\d),(?=\d{3})", ",<wbr>", escape(note))
    below = f"<p>{told}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{below}{body}</section>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that does not sort."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    # On a phone each cell stands below the one before it, behind the name of its column.
    body = "".join(
        "<tr>" + "".join(
            f'<td data-name="{escape(name)}">{_cell(name, cell)}</td>'
            for name, cell in zip(columns, row, strict=True)
        ) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def _cell(name: str, text: str) -> str:
    # The name of a setting goes on in the next line where one of its words ends.
    made = escape(text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "<wbr>", made) if name == "setting" else made


def policy_section(policy: Policy | None) -> str:
    """The policy and its strength, when there is one."""
    if policy is None:
        return ""
    strength = policy.recipe().strength
    rows = [
        [name, str(value).lower() if isinstance(value, bool) else str(value)]
        for name, value in policy.settings.items()
    ]
    note = f"It allows {strength.admissible:,} passwords: {strength.bits:.6f} bits, rounded down."
    return section("The policy", table(["setting", "value"], rows), note)


def age_note(policy: Policy | None) -> str:
    """What the line in the plot of ages is."""
    return (
        "" if policy is None else f"The line is the policy's age, {policy.password_age_days} days."
    )


def time(at: datetime | None) -> str:
    """A moment, to the minute, in UTC."""
    return "" if at is None else at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")
