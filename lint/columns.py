"""No line of Rust is wider than 100 columns, comments and texts included: rustfmt leaves those alone."""

import subprocess
import sys

MOST = {".rs": 100}


def main() -> int:
    """Prints each line that is wider; fails if there is one."""
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True)
    bad = 0
    for path in files.stdout.split("\0"):
        most = MOST.get(path[path.rfind(".") :] if "." in path else "")
        if most is None:
            continue
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if len(line.rstrip("\n")) > most:
                    bad += 1
                    print(f"{path}:{number}: wider than {most} columns")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
