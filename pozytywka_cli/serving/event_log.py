"""The log of events: a file of JSON lines for each day (UTC), which all workers append to and follow."""

import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pozytywka_cli import files
from pozytywka_cli.artifacts import locks
from pozytywka_cli.dataset.events import LOG_FILES, Event, decode, encode, file_name
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

BLOCK = 2**20  # bytes that are read at a time
DAY_SECONDS = 86_400
LATE_SECONDS = 600  # of a day, in which a writer may still append to the file of the day before
NOT_SUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # by the file system: then writing itself fails
MISSING = -1  # in place of the size of a file


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
        if not lines:
            return
        with files.explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # so a day's file is complete before the next one begins
            with locks.held(self.folder / ".events-lock", "another worker appends events", wait=True):
                self._append(self.folder / file_name(datetime.now(UTC).date()), lines)

    def _append(self, path: Path, lines: bytes) -> None:
        is_new = not path.exists()
        if is_new:
            self._complete_earlier()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            _write(handle, lines, _end(handle))
            if self._fsync:
                os.fsync(handle)
        finally:
            os.close(handle)
        if is_new and self._fsync:
            files.flush(path.parent)
            files.flush(path.parent.parent)

    def _complete_earlier(self) -> None:
        """Cut off what a killed writer has left of a line in the file of the day before: nothing is appended there."""
        for path in log_files(self.folder)[-1:]:
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                _end(handle)
            finally:
                os.close(handle)


def log_files(folder: Path) -> list[Path]:
    """Return the files of a log, the oldest first."""
    return sorted(folder.glob(LOG_FILES))


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
    """Write everything at a place, however much the system takes at a time, or nothing.

    The room is taken first: a disk that is full refuses it before anybody who follows the file sees a line.
    """
    try:
        os.posix_fallocate(handle, at, len(content))
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            os.ftruncate(handle, at)
            raise
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written


class Follower:
    """Reads what is appended to the files of a folder, from known places on."""

    def __init__(self, folder: Path, offsets: Mapping[str, int]) -> None:
        """Start at `offsets`, by the names of files; other files are read from their beginnings."""
        self.folder, self._offsets = folder, dict(offsets)
        self._period = (-1, False)
        self._growing: list[tuple[str, str]] = []  # names and paths of the files that may grow

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
        for path in log_files(self.folder)[-2:]:
            left, lines = self._offsets.get(path.name, 0), []
            with path.open("rb") as stream:
                while left > 0 and (line := stream.readline()):
                    left -= len(line)
                    if b'"ADVERTISEMENT"' in line:
                        lines.append(line)
            found += _decoded(path, 0, b"".join(lines))
        return found

    def events(self) -> Iterator[list[Event]]:
        """Yield what has been appended since the last call, some events at a time.

        Raises:
            ArtifactError: a file has become shorter, or has a line that is no event.
            OSError: a file cannot be read.
        """
        if self._has_grown():
            for path in log_files(self.folder):
                yield from self._rest_of(path)

    def _has_grown(self) -> bool:
        """Return whether a file may have new events: that of today, and for a while after midnight that of yesterday.

        At the first call, and when a day begins, all files are looked at.
        """
        now = time.time()
        period = (int(now // DAY_SECONDS), now % DAY_SECONDS < LATE_SECONDS)
        if period != self._period:
            self._period = period
            days = [now] if not period[1] else [now - DAY_SECONDS, now]
            names = [file_name(datetime.fromtimestamp(day, UTC).date()) for day in days]
            self._growing = [(name, str(self.folder / name)) for name in names]
            return True
        return any(_size(path) != self._offsets.get(name, MISSING) for name, path in self._growing)

    def _rest_of(self, path: Path) -> Iterator[list[Event]]:
        offset, size = self._offsets.setdefault(path.name, 0), _size(str(path))
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
                events = _decoded(path, offset, block)
                offset += len(block)
                self._offsets[path.name] = offset
                yield events


def _decoded(path: Path, offset: int, lines: bytes) -> list[Event]:
    try:
        return decode(lines)
    except (ValueError, TypeError) as error:  # a time without a zone is a TypeError
        problem = f"{path}: a line after byte {offset} is no event: {error}"
        hint = "Correct it, and prepare again: `pozytywka models prepare`."
        raise ArtifactError(problem, hint) from None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - before every answer: a Path takes as long as the system
    except FileNotFoundError:
        return MISSING
