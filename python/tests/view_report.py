"""Opens reports about 3, 3 000 and 100 000 devices in headless Chromium, in light, dark and print: `make proofs`.

Usage: python tests/view_report.py FOLDER. The pictures and PDFs stay in FOLDER, for a person's eyes. A page fails when its
script does not fill the table, when the browser reports an error, or when a password is in the page.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from laps import Agent, ReaderKey, Vault
from laps.demo import fleet as demo

_SIZES = (3, 3_000, 100_000)
_STORE = f"command:/bin/sh '{Path(demo.__file__).with_name('account.sh')}' '{{}}'"
_TEMPLATES = ("settled", "uncertain", "failed")


def main(folder: Path) -> None:
    """Makes and opens the pages."""
    folder.mkdir(parents=True)
    passwords = _vault(folder)
    for size in _SIZES:
        path = folder / f"fleet-{size}.vault"
        _grow(folder / "small.vault", path, size)
        html = folder / f"fleet-{size}.html"
        command = [sys.executable, "-m", "laps", "report", str(path), "--html", str(html), "--policy", str(folder / "policy.json")]
        subprocess.run(command, check=True)
        text = html.read_text(encoding="utf-8")
        assert not [each for each in passwords if each in text], "a password is in the page"
        assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|url\((?!#)|@import""", text), "the page refers to something outside it"
        dom = _chromium("--dump-dom", page=html)
        rows = re.search(r'id="devices">.*?<tbody>(.*?)</tbody>', dom, re.DOTALL)
        assert rows is not None and rows[1].count("<tr") >= 3, "the script did not fill the table"
        for name, scheme in (("light", 1), ("dark", 0)):
            picture = folder / f"fleet-{size}-{name}.png"
            options = [f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1200,2200", f"--screenshot={picture}"]
            _chromium(*options, page=html)
            assert picture.stat().st_size > 10_000
        _chromium(f"--print-to-pdf={folder / f'fleet-{size}.pdf'}", "--no-pdf-header-footer", page=html)
        print(f"{size} devices: {len(text):,} characters, {rows[1].count('<tr')} rows shown; pictures in {folder}")


def _vault(folder: Path) -> list[str]:
    """A vault with a device in each state, and the passwords that must be in no page."""
    (folder / "policy.json").write_text('{"BackupDirectory": 1, "AdministratorAccountName": "Admin"}', encoding="utf-8")
    key = ReaderKey.generate("help desk", suite="x25519")
    vault = Vault.init(folder / "small.vault", readers=[key.reader], actor="proofs", reason="a fleet to look at")
    passwords = []
    for name in _TEMPLATES:
        accounts = folder / f"accounts-{name}"
        accounts.mkdir()
        (accounts / "Admin").write_text("before", encoding="utf-8")
        with Agent(
            policy=[folder / "policy.json"],
            channel=vault,
            state=folder / f"state-{name}",
            device=name,
            readers=[key.reader],
            store=_STORE.format(accounts),
        ) as agent:
            agent.run_once()
            if name != "uncertain":
                agent.check_in()
            if name == "failed":
                (accounts / "Admin").unlink()
                agent.run_once(force=True)
                agent.check_in()
        if (accounts / "Admin").exists():
            passwords.append((accounts / "Admin").read_text(encoding="utf-8"))
    for at in range(30):
        vault.disclose(_TEMPLATES[at % 2], actor=("ann", "bob")[at % 3 == 0], reason=f"ticket <b>{at}</b>")
    vault.order_rotation(["settled"], actor="ann", reason="read out on the phone")
    return passwords


def _grow(small: Path, path: Path, size: int) -> None:
    """A copy in which each device stands for many; the page reads no record, so they have none."""
    with closing(sqlite3.connect(small)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        kinds = target.execute("SELECT scope, due, state FROM device ORDER BY number").fetchall()
        rows = [(kind[0], f"PC-{at:06}", kind[1], kind[2]) for at in range(3, size) for kind in [kinds[_kind(at)]]]
        with target:
            target.executemany("INSERT INTO device (scope, name, due, state) VALUES (?, ?, ?, ?)", rows)
    path.chmod(0o600)


def _kind(at: int) -> int:
    return 1 if at % 40 == 7 else 2 if at % 90 == 11 else 0


def _chromium(*options: str, page: Path) -> str:
    browser = shutil.which("chromium")
    assert browser, "the Debian package chromium is missing"
    common = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=10000"]
    logged = ["--enable-logging=stderr", "--v=0"]
    done = subprocess.run(
        [browser, *common, *logged, *options, page.resolve().as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    wrong = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    assert not wrong, wrong
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
