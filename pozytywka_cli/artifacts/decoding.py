"""Decode the files of a version; content that is wrong although its hash fits is damage, not an internal error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError, PozytywkaError

T = TypeVar("T")


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder of a version's file, or folder, raises into an ArtifactError that names it.

    Parsers of damaged content raise many kinds of errors. A missing file is damage too; one that cannot be read, or a
    library that is not installed, is not.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactError(f"{error.filename or path} is missing", DAMAGED_HINT) from error
    except (PozytywkaError, OSError, ImportError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise ArtifactError(f"{path} is damaged: {reason}", DAMAGED_HINT) from error


def read_json(path: Path, kind: type[T]) -> T:
    """Read a JSON file as a value of this type; an ArtifactError if it holds something else."""
    with decoding(path):
        return msgspec.json.decode(path.read_bytes(), type=kind)
