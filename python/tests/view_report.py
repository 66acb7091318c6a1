"""Opens reports about 5, 3 000 and 100 000 devices in headless Chromium, in light, dark and print,
and works their tables: `make proofs`.

Usage: python tests/view_report.py FOLDER. The pictures and PDFs stay in FOLDER, for a person's
eyes. A page fails when its script does not fill the table, when the browser reports an error, or
when a password is in the page.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path

from laps import Agent, ReaderKey, Vault
from laps.demo import fleet as demo

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests import graph as fake  # noqa: E402

_SIZES = (5, 3_000, 100_000)
# The demonstration's account store, which in a folder with a file `refuses` refuses a password by
# policy, and in one with a file `breaks` fails at setting it and cannot tell afterwards which one
# is in force.
_STORE = f"""#!/bin/sh
[ "$2" != set ] || [ ! -f "$1/refuses" ] || {{ echo "this password was used before" >&2; exit 10; }}
[ "$2" != set ] || [ ! -f "$1/breaks" ] || exit 1
[ "$2" != verify ] || [ ! -f "$1/breaks" ] || exit 11
exec /bin/sh '{Path(demo.__file__).with_name('account.sh')}' "$@"
"""
_TEMPLATES = {
    "settled": None, "uncertain": "breaks", "failed": "refuses", "pending": None, "retired": None
}


def main(folder: Path) -> None:
    """Makes and opens the pages."""
    folder.mkdir(parents=True)
    passwords = _vault(folder)
    for size in _SIZES:
        path = folder / f"fleet-{size}.vault"
        _grow(folder / "small.vault", path, size)
        html = folder / f"fleet-{size}.html"
        command = [
            sys.executable, "-m", "laps", "report", "--vault", str(path), "--html", str(html),
            "--policy",
            str(folder / "policy.json")
        ]
        subprocess.run(command, check=True)
        text = html.read_text(encoding="utf-8")
        assert not [each for each in passwords if each in text], "a password is in the page"
        assert not re.search(
            r"""(?:src|href)\s*=\s*["'](?!#)|url\((?!#)|@import""", text
        ), "the page refers to something outside it"
        dom = _chromium("--dump-dom", page=html)
        rows = re.search(r'id="devices">.*?<tbody>(.*?)</tbody>', dom, re.DOTALL)
        assert rows is not None and rows[1].count("<tr") >= 3, "the script did not fill the table"
        began = time.monotonic()
        _works(html, text)
        took = time.monotonic() - began
        for name, scheme in (("light", 1), ("dark", 0)):
            picture = folder / f"fleet-{size}-{name}.png"
            options = [
                f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1200,2200",
                f"--screenshot={picture}"
            ]
            _chromium(*options, page=html)
            assert picture.stat().st_size > 10_000
        _chromium(
            f"--print-to-pdf={folder / f'fleet-{size}.pdf'}", "--no-pdf-header-footer", page=html
        )
        print(f"{size} devices: {len(text):,} characters, "
              f"{rows[1].count('<tr')} rows shown; opened, sorted and searched in {took:.1f} s; "
              f"pictures in {folder}")
    _tenant(folder)


def _vault(folder: Path) -> list[str]:
    """A vault with devices that stand differently, and the passwords that must be in no page."""
    (folder / "policy.json").write_text(
        '{"BackupDirectory": 1, "AdministratorAccountName": "Admin"}', encoding="utf-8"
    )
    store = folder / "store.sh"
    store.write_text(_STORE, encoding="utf-8")
    key = ReaderKey.generate("help desk", suite="x25519")
    vault = Vault.init(
        folder / "small.vault", readers=[key.reader], actor="proofs", reason="a fleet to look at"
    )
    passwords = []
    for name, trouble in _TEMPLATES.items():
        accounts = folder / f"accounts-{name}"
        accounts.mkdir()
        (accounts / "Admin").write_text("before", encoding="utf-8")
        with Agent(
            policy=[folder / "policy.json"],
            channel=vault,
            state=folder / f"state-{name}",
            device=name,
            readers=[key.reader],
            store=f"command:/bin/sh '{store}' '{accounts}'",
        ) as agent:
            if name != "pending":  # which enrols, and has no rotation yet
                agent.run_once()
            agent.check_in()
            if trouble is not None:
                (accounts / trouble).touch()
                agent.run_once(force=True)
                agent.check_in()
        passwords.append((accounts / "Admin").read_text(encoding="utf-8"))
    for at in range(30):
        vault.disclose(
            ("settled", "uncertain")[at % 2], actor=("ann", "bob")[at % 3 == 0],
            reason=f"ticket <b>{at}</b>"
        )
    vault.order_rotation(["settled"], actor="ann", reason="read out on the phone")
    vault.retire("retired", actor="ann", reason="sold")
    # Each stands as it is called, or the page would not show what it is there to show.
    stands = {row.device: row.state for row in vault.list()[0]}
    assert stands == {name: name for name in _TEMPLATES}, stands
    return passwords


def _grow(small: Path, path: Path, size: int) -> None:
    """A copy in which each device stands for many; the page reads no record, so they have none."""
    with closing(sqlite3.connect(small)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        kinds = target.execute(
            "SELECT scope_number, due, state FROM device ORDER BY number"
        ).fetchall()
        rows = [
            (kind[0], f"PC-{at:06}", kind[1], kind[2]) for at in range(len(kinds), size)
            for kind in [kinds[_kind(at)]]
        ]
        with target:
            target.executemany(
                "INSERT INTO device (scope_number, name, due, state) VALUES (?, ?, ?, ?)", rows
            )
    path.chmod(0o600)


def _kind(at: int) -> int:
    """Which template a device is like: most are settled; by number, as the templates stand in the
    vault."""
    order = list(_TEMPLATES)
    rare = {7: "uncertain", 11: "failed", 19: "pending", 31: "retired"}
    return order.index(rare.get(at % 90, "settled"))


# Clicks every heading twice, reads what the table then shows, searches for one device, and writes
# it all into the page.
_CLICKS = """<script>
const seen = {sorted: [], found: null};
const heads = [...document.querySelectorAll("#devices th")];
const cells = at => [...document.querySelectorAll("#devices tbody tr")].map(row => row.cells[at].textContent);
heads.forEach((head, at) => { for (const turn of [0, 1]) {
  head.click();
  seen.sorted.push([at, head.getAttribute("aria-sort"), cells(at), document.getElementById("shown").textContent]);
} });
const find = document.getElementById("find");
find.value = NAME;
find.dispatchEvent(new Event("input"));
seen.found = [...document.querySelectorAll("#devices tbody tr")].map(row => [...row.cells].map(cell => cell.textContent));
const out = document.createElement("pre");
out.id = "seen";
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script></body>"""


def _works(html: Path, text: str) -> None:
    """The table sorts by every column, both ways, and finds a device."""
    data = json.loads(_between(text, 'id="data">', "</script>"))
    wanted = data[len(data) // 2][0]
    copy = html.with_name(f"{html.stem}-clicked.html")
    copy.write_text(
        text.replace("</body>", _CLICKS.replace("NAME", json.dumps(wanted))), encoding="utf-8"
    )
    seen = json.loads(
        unescape(_between(_chromium("--dump-dom", page=copy), '<pre id="seen">', "</pre>"))
    )
    copy.unlink()
    columns = len(data[0])
    assert len(seen["sorted"]) == 2 * columns
    for at, order, shown, where in seen["sorted"]:
        column = [str(row[at]) for row in data]
        first = min(len(data), 200)
        assert where == f"1 to {first} of {len(data)}" and len(shown) == first
        # Numbers by size, the others by letters; all of one column are of one kind.
        key = (lambda each: (0, int(each), "")) if all(
            each.isdigit() for each in column
        ) else _letters
        expected = sorted(column, key=key, reverse=order == "descending")[:first]
        assert [key(each) for each in shown] == [key(each) for each in expected], (
            at, order, shown[:3], expected[:3]
        )
    assert {order for _, order, _, _ in seen["sorted"]} == {"ascending", "descending"}
    # The words may stand in any column: a device may be called as a state is.
    assert wanted in [row[0] for row in seen["found"]]
    assert all(any(wanted in cell for cell in row) for row in seen["found"]), seen["found"][:3]


def _letters(each: str) -> tuple[int, int, str]:
    # As the browser compares: case last, hyphens and colons as they stand in names and times of one
    # form.
    return (1, 0, each.casefold())


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]


def _tenant(folder: Path) -> None:
    """A page about a tenant, from a server on this machine."""
    devices = [fake.entity(at, name=f"PC-{at:06}") for at in range(3_000)]
    for at, each in enumerate(devices):
        moment = datetime.now(timezone.utc) - timedelta(days=at % 47)
        each["lastBackupDateTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        each["refreshDateTime"] = f"{moment + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    graph = fake.Graph(devices=devices, page=500)
    graph.recoveries = [
        fake.recovery(("ann", "bob")[at % 3 == 0] + "@example.org", f"PC-{at:06}")
        for at in range(40)
    ]
    html = folder / "tenant.html"
    (folder / "token").write_text(fake.token(*fake.EVERYTHING), encoding="utf-8")
    with fake.serving(graph):
        words = [
            "entra", "report", "--html", str(html), "--policy", str(folder / "policy.json"),
            "--graph-url", graph.url, "--graph-host", "127.0.0.1"
        ]
        subprocess.run(
            [sys.executable, "-m", "laps", *words, "--token-file", str(folder / "token")],
            check=True
        )
    text = html.read_text(encoding="utf-8")
    assert "ExamplePassword1" not in text
    _works(html, text)
    for name, scheme in (("light", 1), ("dark", 0)):
        options = [f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1200,2200"]
        _chromium(*options, f"--screenshot={folder / f'tenant-{name}.png'}", page=html)
    print(f"a tenant of {len(devices)} devices: {len(text):,} characters")


def _chromium(*options: str, page: Path) -> str:
    browser = shutil.which("chromium")
    assert browser, "the Debian package chromium is missing"
    common = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--virtual-time-budget=10000"
    ]
    logged = ["--enable-logging=stderr", "--v=0"]
    done = subprocess.run(
        [browser, *common, *logged, *options, page.resolve().as_uri()], capture_output=True,
        text=True, timeout=300, check=True
    )
    wrong = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    assert not wrong, wrong
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
