"""The errors that a user can cause, each with its exit code and the next thing to do.

Code below `commands` raises these and never prints; the one boundary in `commands.app` shows them.
"""

from typing import ClassVar


class PozytywkaError(Exception):
    """What is wrong and where (`message`), and what to do next (`hint`)."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def raise_any(refused: dict[str, PozytywkaError]) -> None:
    """Raise the errors of several families as one, of the kind of the first; nothing if there are none."""
    if refused:
        first = next(iter(refused.values()))
        raise type(first)("; ".join(f"{name}: {error.message}" for name, error in refused.items()), first.hint)


class UsageError(PozytywkaError):
    """An argument, an option or the configuration cannot be used."""

    exit_code = 2


class RefusedError(PozytywkaError):
    """The program ran and the answer is no: bad data, an unknown name, a gate that is not met."""

    exit_code = 3


class ArtifactError(PozytywkaError):
    """An artifact is missing, damaged or of a newer format."""

    exit_code = 4


class UnavailableError(PozytywkaError):
    """A device or an extra that was asked for is not there."""

    exit_code = 5


class StorageError(PozytywkaError):
    """Reading or writing failed: no such place, no permission, disk full."""

    exit_code = 74


class BusyError(PozytywkaError):
    """Another run holds the lock."""

    exit_code = 75
