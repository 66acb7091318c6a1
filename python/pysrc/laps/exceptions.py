"""What can go wrong. Each family is a class; ``code`` is the number that Rust and C use too."""

from __future__ import annotations

__all__ = [
    "AccountError",
    "ArgumentError",
    "Busy",
    "InternalError",
    "JournalError",
    "KeyFileError",
    "LapsError",
    "MachineError",
    "MessageError",
    "NotFound",
    "PolicyError",
    "ReaderError",
    "RecipeError",
    "RecordError",
    "UnexpectedEvent",
    "VaultError",
    "from_code",
]


class LapsError(Exception):
    """Anything that this library refuses or cannot do.

    ``code`` is a stable number: 1-63 the caller, 64-95 the author of a policy or recipe, 96-127 the
    owner of the data, 128-159 the machine, 240-255 a bug of ours.
    """

    code: int

    def __init__(self, message: str, code: int = 255) -> None:
        super().__init__(message)
        self.code = code


class ArgumentError(LapsError, ValueError):
    """An argument outside what the call accepts."""


class NotFound(LapsError, LookupError):
    """No such device, record, reader or account."""


class UnexpectedEvent(LapsError, RuntimeError):
    """An event that cannot happen in the present state of a rotation."""


class PolicyError(LapsError, ValueError):
    """A policy document that cannot be read, or has settings that are refused."""


class RecipeError(PolicyError):
    """A recipe outside its limits, or one that no password satisfies."""


class AccountError(LapsError):
    """The local account cannot be managed."""


class RecordError(LapsError):
    """A sealed record that does not parse, is for other readers, or was changed."""


class KeyFileError(LapsError):
    """A key file that does not parse, or whose passphrase is wrong."""


class ReaderError(LapsError, ValueError):
    """A reader's public key or a reader set that does not parse."""


class MessageError(LapsError):
    """A check-in message that does not parse or names another device."""


class JournalError(LapsError):
    """The journal of an agent does not parse."""


class VaultError(LapsError):
    """The vault is damaged, its audit log does not verify, or its schema is another."""


class MachineError(LapsError):
    """The machine could not: random source, memory, files, permissions, the account store."""


class Busy(MachineError):
    """Locked by somebody else, or out of reach: try again."""


class InternalError(LapsError):
    """A bug of this library."""


_FAMILIES: tuple[tuple[range, type[LapsError]], ...] = (
    (range(4, 5), UnexpectedEvent),
    (range(6, 7), NotFound),
    (range(1, 64), ArgumentError),
    (range(64, 66), PolicyError),
    (range(66, 70), RecipeError),
    (range(70, 71), NotFound),
    (range(71, 74), AccountError),
    (range(96, 100), RecordError),
    (range(100, 102), KeyFileError),
    (range(102, 104), MessageError),
    (range(104, 105), JournalError),
    (range(105, 110), VaultError),
    (range(110, 112), ReaderError),
    (range(130, 131), Busy),
    (range(136, 137), Busy),
    (range(128, 160), MachineError),
    (range(240, 256), InternalError),
)


def from_code(code: int, message: str) -> LapsError:
    """The exception for a number."""
    for numbers, family in _FAMILIES:
        if code in numbers:
            return family(message, code)
    return LapsError(message, code)
