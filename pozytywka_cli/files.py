"""Write files and folders atomically, and hash files."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EPIPE
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from pozytywka_cli.errors import StorageError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path for a file that takes the place of `target` if the block succeeds.

    A kill or an error at any point leaves the old `target`, or none. A symbolic link stays a link: the file that it
    points to is replaced. A device or a pipe is written to directly.

    Raises:
        StorageError: `target` is a folder or cannot be written.
    """
    target = _file(target)
    if target.exists() and not target.is_file():
        with explained(target):
            yield target
        return
    with temporary(target) as path:
        yield path
        flush(path)
        path.replace(target)
        flush(target.parent)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of the folder `target` if the block succeeds, else a StorageError."""
    target = target.resolve()
    with temporary(target) as new, temporary(target) as old:
        new.mkdir()
        yield new
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
        flush(target.parent)


@contextmanager
def temporary(target: Path) -> Iterator[Path]:
    """Yield an unused path beside `target`, and remove what is left there; failures to write are a StorageError."""
    path = target.with_name(f".{target.name}.{uuid4().hex[:8]}.tmp")
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield path
        finally:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def check_writable(target: Path) -> None:
    """Raise a StorageError if a file cannot be written, before the work whose result it holds.

    It is a folder, or the nearest folder above it that exists cannot be written to; a full disk is only found later.
    """
    target = _file(target)
    above = next(parent for parent in target.parents if parent.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise StorageError(f"cannot write {target}: {above} is not a writable folder", "Check the path.")


def _file(target: Path) -> Path:
    target = target.resolve()
    if target.is_dir():
        raise StorageError(f"{target} is a folder", "Name a file.")
    return target


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn every failure to write into a StorageError that names `target`, also those of libraries with own errors.

    A pipe whose reader stopped reading is a BrokenPipeError.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, BrokenPipeError) or f"(os error {EPIPE})" in str(error):
            raise BrokenPipeError(EPIPE, os.strerror(EPIPE), str(target)) from None
        if isinstance(error, OSError) or "(os error" in str(error):
            reason = getattr(error, "strerror", None) or str(error)
            hint = "Check the path, its permissions and the disk's space."
            raise StorageError(f"cannot write {target}: {reason}", hint) from None
        raise


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing(target) as path:
        path.write_text(text, encoding="utf-8")


def indented_json(value: Any) -> bytes:
    """Encode a value as indented JSON; dataclasses and structs become objects, times ISO 8601."""
    return msgspec.json.format(msgspec.json.encode(value))


def flush(path: Path) -> None:
    """Wait until the bytes of a file, or the entries of a folder, are on the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
