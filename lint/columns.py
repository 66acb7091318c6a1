"""No line of Rust or Python is wider than 100 columns, comments and texts included.

In Python a text of several lines that is no docstring is in another language (XML, C, a page): it
may be wider.
"""

import subprocess
import sys
import tokenize
from pathlib import Path

MOST = 100
_BEFORE_A_DOCSTRING = (
    tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT,
    tokenize.ENCODING
)


def other_language(path: str) -> set[int]:
    """The lines of texts of several lines that are no docstrings."""
    lines: set[int] = set()
    starts: list[int] = []
    before = tokenize.ENCODING
    with open(path, "rb") as file:
        for token in tokenize.tokenize(file.readline):
            kind = tokenize.tok_name[token.type]
            if kind == "FSTRING_START":
                starts.append(token.start[0])
            first = starts.pop() if kind == "FSTRING_END" else token.start[0]
            text = kind == "FSTRING_END" or kind == "STRING" and before not in _BEFORE_A_DOCSTRING
            if text and first != token.end[0]:
                lines.update(range(first, token.end[0] + 1))
            before = token.type
    return lines


def main() -> int:
    """Prints each line that is wider; fails if there is one."""
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True)
    bad = 0
    for path in files.stdout.split("\0"):
        if not path.endswith((".rs", ".py", ".pyi")):
            continue
        lines = Path(path).read_text(encoding="utf-8").split("\n")
        wide = [number for number, line in enumerate(lines, 1) if len(line) > MOST]
        if wide and not path.endswith(".rs"):
            wide = sorted(set(wide) - other_language(path))
        bad += len(wide)
        for number in wide:
            print(f"{path}:{number}: wider than {MOST} columns")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
