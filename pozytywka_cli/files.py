"""Write files and folders atomically, and hash files."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EFBIG, EINVAL, ENOSYS, EPIPE
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from pozytywka_cli import temporaries
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
    with explained(target), temporaries.created(target, Path.touch) as path:
        yield path
        flush(path)
        path.replace(target)
        flush(target.parent)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of the folder `target` if the block succeeds, else a StorageError.

    The two are exchanged in one step. Where the system cannot do that, a kill between two renames may leave no
    `target`; then the next call puts the old one back.
    """
    target = target.resolve()
    check_utf8(target)
    old = target.with_name(f".{target.name}.old.tmp")
    with explained(target), temporaries.created(target, Path.mkdir) as new:
        if old.exists() and not target.exists():
            old.rename(target)
        temporaries.remove(old)
        yield new
        if not target.exists():
            new.rename(target)
        elif not _exchange(new, target):
            _replace_folder(new, target, old)
        flush(target.parent)


def _replace_folder(new: Path, target: Path, old: Path) -> None:
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    temporaries.remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step (renameat2 of Linux); return False where the system cannot."""
    import ctypes

    at_working_folder, rename_exchange = -100, 2
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if renameat2(at_working_folder, os.fsencode(one), at_working_folder, os.fsencode(other), rename_exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in (ENOSYS, EINVAL):  # the kernel, or this file system, does not know it
        return False
    raise OSError(number, os.strerror(number), str(other))


def check_writable(target: Path) -> None:
    """Raise a StorageError if a file cannot be written, before the work whose result it holds.

    It is a folder, or the nearest folder above it that exists cannot be written to; a full disk is only found later.
    """
    target = _file(target)
    above = next(parent for parent in target.parents if parent.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise StorageError(f"cannot write {target}: {above} is not a writable folder", "Check the path.")


def check_utf8(path: Path) -> None:
    """Raise a StorageError if a path is not UTF-8, which the frame library can neither read nor write."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise StorageError(f"{path} is not UTF-8", "Give the file or folder a name in UTF-8.") from None


def _file(target: Path) -> Path:
    target = target.resolve()
    check_utf8(target)
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


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a regular file for reading; an OSError for a folder, a pipe (which would be waited for) or a device.

    Without `follow` a symbolic link is an OSError too.
    """
    if not follow and path.is_symlink():
        raise OSError(EINVAL, "it is a symbolic link", str(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(EINVAL, "it is not a regular file", str(path))
    return os.fdopen(handle, "rb")


def read_regular(path: Path, *, limit: int, follow: bool = True) -> bytes:
    """Return the bytes of a regular file; an OSError as in `open_regular`, and if it has more than `limit` bytes."""
    with open_regular(path, follow=follow) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise OSError(EFBIG, f"it has more than {limit:,} bytes", str(path))
    return content


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
