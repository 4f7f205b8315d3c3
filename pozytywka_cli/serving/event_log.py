"""The log of events: a file of JSON lines for each day (UTC), which all workers append to and follow."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pozytywka_cli import files
from pozytywka_cli.dataset.events import Event, decode, encode
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

PREFIX, SUFFIX = "events-", ".jsonl"
BLOCK = 2**20  # bytes that are read at a time
DAY_SECONDS = 86_400
MISSING, UNREAD = -1, -2  # in place of the size of a file


class EventLog:
    """Appends events to the file of today in `folder`, which is a part of the table sessions of the data folder.

    fsync: whether `append` waits until they are on the disk; else a crash of the machine, not of the program, may lose
        what the system has not written yet
    """

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        self.folder, self._fsync = folder, fsync

    def append(self, events: Sequence[Event]) -> None:
        """Append events, all of them or none.

        Raises:
            StorageError: they cannot be written, as on a full disk.
        """
        lines = encode(events)
        with files.explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder / f".{PREFIX}lock"):
                self._append(self.folder / f"{PREFIX}{datetime.now(UTC):%Y-%m-%d}{SUFFIX}", lines)

    def _append(self, path: Path, lines: bytes) -> None:
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            end = _end(handle)
            try:
                _write(handle, lines, end)
                if self._fsync:
                    os.fsync(handle)
            except OSError:
                os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)
        if is_new and self._fsync:
            files.flush(path.parent)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock, so that a day's file is complete before the next one begins."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _end(handle: int) -> int:
    """Return where the last complete line ends; what a killed writer has left after it is cut off."""
    size = end = os.fstat(handle).st_size
    while end:
        start = max(0, end - BLOCK)
        place = os.pread(handle, end - start, start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    if end < size:
        os.ftruncate(handle, end)
    return end


def _write(handle: int, content: bytes, at: int) -> None:
    """Write everything at a place, however much the system takes at a time."""
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, at)
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view, at = view[written:], at + written


class Follower:
    """Reads what is appended to the files of a folder, from known places on."""

    def __init__(self, folder: Path, offsets: Mapping[str, int]) -> None:
        """Start at `offsets`, by the names of files; other files are read from their beginnings."""
        self.folder, self._offsets = folder, dict(offsets)
        self._day = 0.0  # since 1970, of the file that grows
        self._growing = ""
        self._size = UNREAD  # of that file, when it was last read

    @classmethod
    def after(cls, folder: Path, inputs: Sequence[Input]) -> "Follower":
        """Start after the events in these inputs."""
        prefix = f"{folder.name}/"
        return cls(folder, {one.name.removeprefix(prefix): one.bytes for one in inputs if one.name.startswith(prefix)})

    def advertisements(self) -> list[Event]:
        """Return the advertisements of the last two files that come before the offsets.

        A play may still follow them, which data that were prepared meanwhile do not tell.
        """
        found = []
        for path in sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"))[-2:]:
            with path.open("rb") as stream:
                lines = stream.read(self._offsets.get(path.name, 0)).splitlines(keepends=True)
            found += decode(b"".join(line for line in lines if b'"ADVERTISEMENT"' in line))
        return found

    def events(self) -> Iterator[list[Event]]:
        """Yield what has been appended since the last call, some events at a time.

        Raises:
            ArtifactError: a file has become shorter, or has a line that is no event.
            OSError: a file cannot be read.
        """
        today = time.time() // DAY_SECONDS
        if today != self._day:
            name = f"{PREFIX}{datetime.fromtimestamp(today * DAY_SECONDS, UTC):%Y-%m-%d}{SUFFIX}"
            self._growing, self._size = str(self.folder / name), UNREAD
        size = _size(self._growing)
        if size == self._size:
            return
        for path in sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}")):
            yield from self._rest_of(path)
        self._day, self._size = today, size

    def _rest_of(self, path: Path) -> Iterator[list[Event]]:
        offset, size = self._offsets.get(path.name, 0), _size(str(path))
        if size < offset:
            problem = f"{path} has {size} bytes; it had {offset}"
            raise ArtifactError(problem, "Prepare the models again: `pozytywka models prepare`.")
        with path.open("rb") as stream:
            while offset < size:
                stream.seek(offset)
                block = stream.read(min(BLOCK, size - offset))
                block = block[: block.rfind(b"\n") + 1]
                if not block:
                    return  # a line that is still being written
                try:
                    events = decode(block)
                except ValueError as error:
                    problem = f"{path}: a line after byte {offset} is no event: {error}"
                    raise ArtifactError(problem, "Correct it, and prepare again: `pozytywka models prepare`.") from None
                offset += len(block)
                self._offsets[path.name] = offset
                yield events


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - before every answer: a Path takes as long as the system
    except FileNotFoundError:
        return MISSING
