"""Modules side by side form no circle: what two of them need stands below both.

Usage: python3 lint/circles.py [-v]. Each folder of modules is a graph: one sibling needs another if
a file in it, or below it, names something of the other's. A name that the parent passes on (`pub
use`) counts as the sibling's that has it. What a child needs of its parent is not looked at. Tests
(`#[cfg(test)]`) do not count. -v prints the edges with where they come from.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CRATES = ["core/src", "core/host/src", "ffi/src", "python/src", "fuzz/src", "testkit/src"]

Module = tuple[str, ...]
_TEST = re.compile(
    r"#\[cfg\((?:test|all\(test)[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([a-z]+\))? )?(?:mod "
    r"\w+;|mod \w+ \{|use [^;]*;)"
)
_USE = re.compile(r"\b(pub(?:\([a-z ]+\))?\s+)?use\s+([^;]+);")
_HERE = ("crate", "self", "super")
_PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")


def code(text: str) -> str:
    """Without comments, texts and what only tests see."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text, flags=re.S)
    while found := _TEST.search(text):
        end = found.end()
        if found.group().endswith("{"):
            depth = 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
        text = text[: found.start()] + text[end:]
    return text


def spread(tree: str) -> list[tuple[list[str], str]]:
    """Each path of a `use`, with the name that it gets here."""
    tree = re.sub(r"\s+", " ", tree).strip()
    if "{" not in tree:
        path, _, name = tree.partition(" as ")
        words = path.strip().split("::")
        return [(words, name.strip() or words[-1])]
    head, _, rest = tree.partition("{")
    before = [word for word in head.strip().split("::") if word]
    parts, depth, start = [], 0, 0
    inner = rest[: rest.rindex("}")]
    for at, char in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(inner[start:at])
            start = at + 1
    leaves = [leaf for part in parts if part.strip() for leaf in spread(part)]
    return [
        (before, before[-1]) if words == ["self"] else (before + words, name)
        for words, name in leaves
    ]


class Crate:
    """The modules of one crate, with the names each has from others."""

    def __init__(self, folder: Path) -> None:
        self.texts: dict[Module, str] = {}
        self.names: dict[Module, dict[str, tuple[Module, list[str]]]] = {}
        for file in sorted(folder.rglob("*.rs")):
            words = file.relative_to(folder).with_suffix("").parts
            self.texts[() if words == ("lib",) else words] = code(file.read_text(encoding="utf-8"))
        # Only what is reached by `mod` from the top, but not for tests alone.
        reached: list[Module] = [()]
        for module in reached:
            for name in re.findall(r"\bmod (\w+);", self.texts[module]):
                if (*module, name) in self.texts:
                    reached.append((*module, name))
        self.texts = {module: self.texts[module] for module in reached}
        for module, text in self.texts.items():
            uses = [pair for _, tree in _USE.findall(text) for pair in spread(tree)]
            self.names[module] = {name: (module, words) for words, name in uses if name != "_"}

    def find(self, module: Module, words: list[str], depth: int = 0) -> Module | None:
        """The module that has what a path names: through every `use` on the way."""
        if depth > 12 or not words:
            return module
        first, rest = words[0], words[1:]
        if first in _HERE:
            return self.find(
                {"crate": (), "self": module, "super": module[:-1]}[first], rest, depth + 1
            )
        if (*module, first) in self.texts:
            return self.find((*module, first), rest, depth + 1)
        if first in self.names.get(module, {}):
            at, path = self.names[module][first]
            if path[0] == first and len(path) == 1:
                return module
            if path[0] not in _HERE and (*at, path[0]) not in self.texts:
                if path[0] not in self.names[at] or path[0] == first:
                    return None
            return self.find(at, path + rest, depth + 1)
        if first == "*" or re.search(
            rf"\b(?:struct|enum|fn|trait|type|const|static|macro_rules!)\s+{first}\b",
            self.texts[module]
        ):
            return module
        for name, (at, path) in self.names[module].items():
            if name == "*" and path[0] in _HERE:
                found = self.find(at, [*path[:-1], first], depth + 1)
                if found is not None and found != module:
                    return found
        return module

    def edges(self) -> dict[tuple[Module, Module], set[str]]:
        """From sibling to sibling, with the reasons."""
        found: dict[tuple[Module, Module], set[str]] = {}
        for module, text in self.texts.items():
            paths = [words for _, tree in _USE.findall(text) for words, _ in spread(tree)]
            paths += [path.split("::") for path in _PATH.findall(_USE.sub("", text))]
            for words in [each for each in paths if each[0] in _HERE]:
                target = self.find(module, words) or ()
                common = len(os.path.commonprefix([module, target]))
                if common < len(module) and common < len(target):
                    pair = (module[: common + 1], target[: common + 1])
                    found.setdefault(pair, set()).add(f"{'/'.join(module)}: {'::'.join(words)}")
        return found


def circles(edges: set[tuple[Module, Module]]) -> list[tuple[Module, ...]]:
    """Sets of modules each of which needs each other."""
    below: dict[Module, set[Module]] = {}
    for start in {module for module, _ in edges}:
        seen = below[start] = {b for a, b in edges if a == start}
        while more := {b for a, b in edges if a in seen} - seen:
            seen |= more
    sets = {
        tuple(sorted(b for b in seen if a in below.get(b, ()))) for a, seen in below.items()
        if a in seen
    }
    return sorted(sets)


def main() -> int:
    """Prints each circle; fails if there is one."""
    bad = 0
    for folder in CRATES:
        edges = Crate(ROOT / folder).edges()
        for circle in circles(set(edges)):
            bad += 1
            parent = "/".join((folder, *circle[0][:-1]))
            print(f"{parent}: {' '.join(each[-1] for each in circle)}")
            if "-v" in sys.argv:
                for (a, b), why in sorted(edges.items()):
                    if a in circle and b in circle:
                        print(f"    {a[-1]} -> {b[-1]}: {'; '.join(sorted(why))}")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
