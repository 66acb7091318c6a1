"""A password for reading aloud over the phone: in groups, each character by its name."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Spelled", "grouped", "spell"]

_LETTERS = (
    "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar "
    "papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu"
).split()
_DIGITS = "zero one two three four five six seven eight nine".split()
_SYMBOLS = {
    " ": "space",
    "!": "exclamation mark",
    '"': "double quote",
    "#": "hash",
    "$": "dollar",
    "%": "per cent",
    "&": "ampersand",
    "'": "single quote",
    "(": "open round bracket",
    ")": "close round bracket",
    "*": "asterisk",
    "+": "plus",
    ",": "comma",
    "-": "hyphen",
    ".": "full stop",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less than",
    "=": "equals",
    ">": "greater than",
    "?": "question mark",
    "@": "at",
    "[": "open square bracket",
    "\\": "backslash",
    "]": "close square bracket",
    "^": "caret",
    "_": "underscore",
    "`": "backtick",
    "{": "open curly bracket",
    "|": "vertical bar",
    "}": "close curly bracket",
    "~": "tilde",
}


class Spelled(NamedTuple):
    """One character and what to say."""

    character: str
    word: str


def spell(text: str) -> list[Spelled]:
    """Says each character: upper-case letters in upper case, lower-case letters in lower case,
    digits and signs by name."""
    return [Spelled(character, _word(character)) for character in text]


def grouped(text: str, size: int = 4) -> list[str]:
    """The text in groups, the last one possibly shorter."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def _word(character: str) -> str:
    if "a" <= character <= "z":
        return _LETTERS[ord(character) - ord("a")]
    if "A" <= character <= "Z":
        return "capital " + _LETTERS[ord(character) - ord("A")].upper()
    if "0" <= character <= "9":
        return _DIGITS[int(character)]
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    from unicodedata import name

    return name(character, f"U+{ord(character):04X}").lower()
