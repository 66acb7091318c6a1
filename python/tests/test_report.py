"""The report: one page, no network, never a secret."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from laps import ReaderKey, Vault, back_up_vault
from laps.cli.origin import user
from laps.report import gather, page
from laps.report.facts import named

from .agreement import disagreements
from .conftest import Fleet


class Page(HTMLParser):
    """Collects what a page would fetch, and whether its elements are closed."""

    VOID = frozenset({"meta", "input", "br", "wbr", "path", "use", "rect", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.open: list[str] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in (
                "src", "href", "xlink:href", "action"
            ) and value and not value.startswith("#"):
                self.outside.append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and (not self.open or self.open.pop() != tag):
            self.problems.append(tag)


def test_the_page_is_whole_and_has_no_secret(fleet: Fleet) -> None:
    fleet.reveal()
    evil = "<script>alert(1)</script></script><!--"
    fleet.laps(
        "disclose", "--vault", "vault", "PC-1", "--actor", evil, "--reason", "an actor with markup",
        status=0
    )
    fleet.agent(verb="check-in")
    fleet.laps(
        "report", "--vault", "vault", "--html", "fleet.html", "--policy", "policy.json", status=0
    )
    text = (fleet.folder / "fleet.html").read_text()
    assert fleet.password not in text
    assert "PC-1" in text and "ticket 1" in text and "ann" in text
    assert "alert(1)" in text and "<script>alert" not in text
    page = Page()
    page.feed(text)
    assert (page.outside, page.problems, page.open) == ([], [], [])
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    rows = json.loads(data.group(1))
    assert rows[0][:3] == ["PC-1", "Admin", "settled"]
    assert text.count("<svg") >= 3


def test_what_is_late_comes_first(fleet: Fleet) -> None:
    vault = Vault.open(fleet.folder / "vault")
    now = datetime.now(timezone.utc)

    def headings(**later: float) -> list[str]:
        facts = gather(vault, now=now + timedelta(**later))
        return re.findall(r"<h2>(.*?)</h2>", page(facts))

    assert headings(days=6.9)[0] == "Age of the passwords"
    assert headings(days=7.1)[0] == "Silent"
    assert headings(days=40)[:2] == ["Overdue", "Silent"]
    vault.retire("PC-1", actor="ann", reason="sold")
    # Nobody waits for a device that is out of service.
    assert headings(days=40)[0] == "Age of the passwords"


def test_axes_are_in_whole_units_and_the_time_zone_is_said(fleet: Fleet) -> None:
    text = page(gather(Vault.open(fleet.folder / "vault")))
    plot = re.search(r'<svg class="ages".*?</svg>', text, re.DOTALL)
    assert plot
    ticks = re.findall(r"<text[^>]*>([^<]*)</text>", plot[0])
    assert sum(tick.isdigit() for tick in ticks) >= 4
    assert [tick for tick in ticks if not tick.isdigit()] == [
        "age of the password in days", "devices"
    ]
    assert "Times are UTC." in text and ": 1 device<" in text


def test_a_broken_audit_log_is_said(fleet: Fleet) -> None:
    import sqlite3

    with sqlite3.connect(fleet.folder / "vault") as file:
        file.execute("UPDATE audit SET actor = 'x'")
    file.close()
    fleet.laps("report", "--vault", "vault", "--html", "fleet.html", status=0)
    assert "AN ENTRY IS NOT AS IT WAS WRITTEN" in (fleet.folder / "fleet.html").read_text()


def test_a_report_needs_a_vault_and_a_place(fleet: Fleet) -> None:
    assert "absent" in fleet.laps("report", "--vault", "absent", "--html", "x.html", status=4).err
    assert "--html" in fleet.laps("report", "--vault", "vault", status=2).err
    assert not (fleet.folder / "x.html").exists()


def test_what_was_shown_is_counted_by_what_is_known_of_it(fleet: Fleet) -> None:
    path = fleet.folder / "vault"
    ann, bob = (Vault.open(path, caller=name) for name in ("ann", "bob"))

    def disclose(vault: Vault, actor: str, *opened: bool) -> int:
        entry = vault.disclose("PC-1", actor=actor, reason="ticket 1").entry
        for each in opened:
            vault.record_outcome(entry, opened=each, actor=actor, reason="ticket 1")
        return entry

    disclose(ann, "ann")
    entry = disclose(ann, "helpdesk", True, False)
    disclose(bob, "bob", False)
    fleet.reveal()
    back_up_vault(ann, fleet.folder / "copy", actor="cron", reason="nightly")
    # What became of Ann's disclosure is hers to say, whatever name Bob types.
    with pytest.raises(ValueError, match="somebody else"):
        bob.record_outcome(entry, opened=False, actor="helpdesk", reason="ticket 1")
    facts = gather(ann)
    assert dict(facts.disclosed) == {"without outcome": 1, "claimed": 1, "proven": 1}
    assert [each.how for each in facts.looks] == [
        "without outcome", "claimed", "not opened", "proven"
    ]
    assert dict(facts.lookers) == {"ann": 1, "ann (as helpdesk)": 1, f"{user()} (as ann)": 1}
    [proven] = [each for each in facts.looks if each.how == "proven"]
    key = ReaderKey.from_key_file((fleet.folder / "ann.key").read_bytes())
    assert proven.reader == key.reader.id
    assert [(each.action, named(each)) for each in facts.copies] == [("exported", "ann (as cron)")]
    assert "1 proven, 1 claimed, 1 without outcome" in page(facts)
    # The audit log's own table and document.
    log = fleet.laps(
        "vault", "audit", "--vault", "vault", "--entries", "--json", status=0
    ).json["audit_log"]
    told = {
        (each["caller"], each["actor"], each["reader"]) for each in log
        if each["action"] == "outcome"
    }
    assert (user(), "ann", key.reader.id) in told and ("bob", "bob", None) in told
    table = fleet.laps("vault", "audit", "--vault", "vault", "--entries", status=0).out
    assert "caller" in table and key.reader.id[:16] in table


def test_a_report_says_what_the_vault_says(fleet: Fleet) -> None:
    path = fleet.folder / "vault"
    now = datetime.now(timezone.utc)

    def agree(*later: int) -> None:
        vault = Vault.open(path)
        for days in (0, *later):
            assert list(disagreements(vault, now + timedelta(days=days))) == []

    agree(29, 31, 100)
    fleet.reveal()
    fleet.laps("vault", "rotate", "--vault", "vault", "PC-1", "--reason", "x", status=0)
    agree(100)
    fleet.laps("vault", "retire", "--vault", "vault", "PC-1", "--reason", "x", status=0)
    agree(100)
