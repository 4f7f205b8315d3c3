"""Files that appear whole or not at all, and their hashes."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from pozytywka_cli.errors import StorageError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, flushed to disk and renamed onto it if the block succeeds.

    A kill or an error at any point leaves the old `target`, or none. Through a link, what it points to is replaced; a
    device or pipe is written to as it is.

    Raises:
        StorageError: `target` is a folder.
    """
    target = target.resolve()
    if target.is_dir():
        raise StorageError(f"{target} is a folder", "Name a file.")
    if target.exists() and not target.is_file():
        yield target
        return
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}.tmp")
    with explained(target), removed(temporary):
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        flush(temporary)
        temporary.replace(target)
        flush(target.parent)


def check_writable(target: Path) -> None:
    """Refuse a file that could not be made, before the work that it is for; a full disk shows later.

    Raises:
        StorageError: `target` is a folder, or the nearest folder above it that exists cannot be written to.
    """
    target = target.resolve()
    if target.is_dir():
        raise StorageError(f"{target} is a folder", "Name a file.")
    above = next(parent for parent in target.parents if parent.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise StorageError(f"cannot write {target}: {above} is no folder to write to", "Check the path.")


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Make every failure to write a StorageError that names `target`, also those of libraries with their own errors."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or "(os error" in str(error):
            reason = getattr(error, "strerror", None) or str(error)
            hint = "Check the path, its permissions and the disk's space."
            raise StorageError(f"cannot write {target}: {reason}", hint) from None
        raise


@contextmanager
def removed(temporary: Path) -> Iterator[None]:
    """Leave nothing of a temporary file or folder behind, however the block ends."""
    try:
        yield
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def indented_json(value: Any) -> bytes:
    """A value as JSON that people can read; dataclasses and structs by their fields, times as ISO 8601."""
    return msgspec.json.format(msgspec.json.encode(value))


def flush(path: Path) -> None:
    """Wait until a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
