"""Errors that a user can cause, each with an exit code and a hint.

Code below `commands` raises these and never prints; `commands.boundary` shows them.
"""

from typing import ClassVar


class PozytywkaError(Exception):
    """An error: `message` says what is wrong and where, `hint` what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def raise_any(errors: dict[str, PozytywkaError]) -> None:
    """Raise the errors of several families as one error of the first one's type; do nothing if there are none."""
    if errors:
        first = next(iter(errors.values()))
        raise type(first)("; ".join(f"{name}: {error.message}" for name, error in errors.items()), first.hint)


class UsageError(PozytywkaError):
    """An argument, an option or the configuration cannot be used."""

    exit_code = 2


class RefusedError(PozytywkaError):
    """The request is refused: bad data, an unknown name, or a failed check."""

    exit_code = 3


class NotFoundError(RefusedError):
    """There is nothing of this name or id: an artist, a user, an experiment."""


class ArtifactError(PozytywkaError):
    """An artifact is missing, damaged or of a newer format."""

    exit_code = 4


class UnavailableError(PozytywkaError):
    """A required device or extra is missing."""

    exit_code = 5


class StorageError(PozytywkaError):
    """Reading or writing failed: no such file or folder, no permission, or a full disk."""

    exit_code = 74


class UnreachableError(StorageError):
    """A database cannot be reached."""


class BusyError(PozytywkaError):
    """Another run holds the lock."""

    exit_code = 75
