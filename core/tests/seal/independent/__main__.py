"""Sealed records, readers, key files and reader sets, written from core/src/seal/FORMAT.md alone.

    python core/tests/seal/independent check FOLDER  runs the cases of a folder (FORMAT.md §13)
    python core/tests/seal/independent make FOLDER   writes cases of its own, to run elsewhere

Needs the package `cryptography`, 48 or later. To read a record, read in this order: suites,
readers, records, opening.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cases import check
from making import make


def main() -> int:
    match sys.argv[1:]:
        case ["check", folder]:
            return check(Path(folder))
        case ["make", folder]:
            return make(Path(folder))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
