"""Words that are retired do not come back as names: identifiers, subcommands, names of events.
CHANGELOG.md says what replaced them."""

import re
import subprocess
import sys
from pathlib import Path

RETIRED = (
    "wish wishes fact facts trail trails lineage sibling siblings remember underway anew adopt "
    "adopted adoptable foreign sighting members dice faces roll surroundings hand-out handed-out "
    "take-back taken-back give-back given-back under-way stamp stamps"
).split()
# No names of functions and types; a test is called by a sentence and may have them.
SPOKEN = "told said asked shown".split()
# Where a word is another one, or the thing is not ours.
EXCEPTIONS = {
    # of a report
    "facts": (
        "python/pysrc/laps/report python/pysrc/laps/cli/report.py python/tests/test_report.py "
        "python/tests/agreement.py"
    ),
    # of an object, a batch
    "members": "core/src/policy core/src/directory core/tests/policy core/host/src/sqlite/group.rs "
    "core/src/generate/classes.rs core/exploration/administration/records.rs",
    "dice": "core/host/tests/dice core/host/tests/dice.rs",  # the walk by dice
}
OURS = re.compile(r"^(core|python|fuzz|benches)/.*\.(rs|pyi?)$")
SKIPPED = re.compile(r'"""(?s:.)*?"""|//[^\n]*|(?m:^\s*#[^\n\[!].*$)|"(?:[^"\\\n]|\\(?s:.))*"')
DEFINED = re.compile(r"\b(?:fn|def|struct|enum|class|type|trait|mod)\s+(\w+)")
KEBAB = re.compile(r'"([a-z]+(?:-[a-z]+)+)"|\bcommand\("([a-z]+)"')


def words(name: str) -> str:
    """An identifier in kebab case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", "-", name).lower().strip("-")


def found(path: str, text: str) -> list[str]:
    """What a file has of retired words."""
    kebabs = [one or other for one, other in KEBAB.findall(text)]
    code = SKIPPED.sub(" ", text)
    names = kebabs + [words(name) for name in re.findall(r"[A-Za-z_]\w+", code)]
    bad = []
    for name in sorted(set(names)):
        for word in RETIRED:
            inside = re.search(rf"(?<![a-z])(?<!change-){word}(?![a-z])", name) and not re.search(
                r"roll-back|tests-dice", name
            )
            if inside and not any(path.startswith(at) for at in EXCEPTIONS.get(word, "").split()):
                bad.append(f"{path}: {name}: {word} is retired")
    if "/tests" not in path:
        spoken = [words(name) for name in DEFINED.findall(code)]
        bad += [f"{path}: {name}: say who does what" for name in spoken if name in SPOKEN]
    return bad


listed = subprocess.run(
    ["git", "ls-files"], check=True, capture_output=True, text=True
).stdout.split("\n")
wrong = [
    each for path in listed if OURS.match(path)
    for each in found(path, Path(path).read_text(encoding="utf-8"))
]
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
