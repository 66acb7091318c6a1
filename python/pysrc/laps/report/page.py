"""The page: one file, no network, light and dark, sortable, printable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape
from importlib import resources

from .facts import Facts
from .plots import bars, histogram

__all__ = ["page"]


def page(facts: Facts) -> str:
    """The whole page."""
    folder = resources.files(__package__)
    style = folder.joinpath("style.css").read_text(encoding="utf-8")
    script = folder.joinpath("table.js").read_text(encoding="utf-8")
    # Nothing is fetched, nothing but our own script runs: the policy says so to the browser too.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Local administrator passwords: {len(facts.devices)} devices</title>
<style>{style}</style>
</head>
<body>
<header><h1>Local administrator passwords</h1>
<p>{escape(facts.path)}, {_time(facts.at)}. There is no password on this page.</p></header>
<main>
{_figures(facts)}
{_section("Age of the passwords", histogram(facts.ages, _age(facts)), _age_note(facts))}
{_section("How the devices stand", bars(facts.states), "")}
{_section("What the last tries said", bars(facts.failures), "Devices that are not settled, by what they last reported.")
 if facts.failures else ""}
{_damaged(facts)}
{_policy(facts)}
{_overdue(facts)}
{_looks(facts)}
<section><h2>Devices</h2>
<p><input id="find" type="search" placeholder="find" aria-label="find a device"> <span id="shown"></span>
<button id="less" type="button">previous</button> <button id="more" type="button">next</button></p>
<table id="devices"><thead><tr>{"".join(f'<th tabindex="0">{name}</th>' for name in _COLUMNS)}</tr></thead><tbody></tbody></table>
<noscript><p>The table of devices needs the script of this page.</p></noscript></section>
</main>
<script type="application/json" id="data">{_data(facts)}</script>
<script>{script}</script>
</body>
</html>
"""


_COLUMNS = ("device", "account", "state", "version", "ordered", "updated", "expires", "last seen", "last outcome")


def _data(facts: Facts) -> str:
    rows = [
        [
            each.device,
            each.account,
            each.state,
            each.version or 0,
            "yes" if each.ordered else "",
            _time(each.updated),
            _time(each.expires),
            _time(each.last_seen),
            each.outcome.name if each.outcome else "",
        ]
        for each in facts.devices
    ]
    # Inside a script element only "<" could end it or open a comment.
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _figures(facts: Facts) -> str:
    states = facts.states
    figures = [
        ("devices", len(facts.devices), ""),
        ("settled", states["settled"], ""),
        ("overdue", len(facts.overdue), "bad" if facts.overdue else ""),
        ("ordered", facts.ordered, ""),
        ("uncertain", states["uncertain"], "bad" if states["uncertain"] else ""),
        ("failed", states["failed"], "bad" if states["failed"] else ""),
        ("damaged", len(facts.damaged), "bad" if facts.damaged else ""),
        ("shown to people", len(facts.looks), ""),
    ]
    tiles = "".join(
        f'<div class="tile {kind}"><b>{value:,}</b><span>{name}</span></div>' for name, value, kind in figures
    )
    words = "every entry is as it was written" if facts.trail_ok else "AN ENTRY IS NOT AS IT WAS WRITTEN"
    kind = "" if facts.trail_ok else "bad"
    trail = f'<p class="{kind}">Audit trail: {facts.trail_entries:,} entries; {words}.</p>'
    return f'<section class="tiles">{tiles}</section>{trail}'


def _damaged(facts: Facts) -> str:
    if not facts.damaged:
        return ""
    note = "What the vault keeps about these devices cannot be read. They are in no other figure of this page."
    return _section("Damaged", _table(["device"], [[name] for name in facts.damaged]), note)


def _policy(facts: Facts) -> str:
    if facts.policy is None:
        return ""
    strength = facts.policy.recipe().strength
    rows = [[name, str(value)] for name, value in facts.policy.settings.items()]
    note = f"It allows {strength.admissible:,} passwords: {strength.bits:.6f} bits, rounded down."
    return _section("The policy", _table(["setting", "value"], rows), note)


def _overdue(facts: Facts) -> str:
    if not facts.overdue:
        return ""
    rows = [[each.device, each.account, each.state, _time(each.expires), _time(each.last_seen)] for each in facts.overdue]
    note = f"The longest {min(len(rows), 100)} of {len(rows):,}."
    return _section("Overdue", _table(["device", "account", "state", "due", "last seen"], rows[:100]), note)


def _looks(facts: Facts) -> str:
    if not facts.looks:
        return _section("Who was shown what", "<p>Nobody was shown anything.</p>", "")
    latest = [
        [_time(each.at), each.actor, each.device, each.reason, each.action] for each in reversed(facts.looks[-200:])
    ]
    table = _table(["when", "who", "device", "why", "how"], latest)
    return _section("Who was shown what", bars(facts.lookers) + table, f"The last {len(latest)} of {len(facts.looks):,}.")


def _section(title: str, body: str, note: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{f'<p>{escape(note)}</p>' if note else ''}{body}</section>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _age(facts: Facts) -> int | None:
    return None if facts.policy is None else facts.policy.password_age_days


def _age_note(facts: Facts) -> str:
    return "" if facts.policy is None else f"The line is the policy's age, {facts.policy.password_age_days} days."


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")
