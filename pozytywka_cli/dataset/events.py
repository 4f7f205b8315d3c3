"""Events as they happen: lines of the table sessions, written by the service and read again as they grow.

It imports nothing heavy. `plain` reads events that are written as they should be; `event_check` is for all others.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=1)  # that a sender's clock may be fast
MICROSECOND = timedelta(microseconds=1)
BLANKS = (None, "", "-1")  # of an id

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # -1 means that there is none


class Event(NamedTuple):
    """A good line of the table sessions.

    at: µs since 1970
    kind: PLAY, SKIP, LIKE, ADVERTISEMENT or BUY_PREMIUM
    """

    at: int
    user_id: int
    session_id: int
    track_id: str | None
    kind: str


class _Logged(msgspec.Struct, frozen=True):
    timestamp: datetime
    user_id: int
    event_type: str
    session_id: int
    track_id: str | None = None

    @property
    def event(self) -> Event:
        at = (self.timestamp - EPOCH) // MICROSECOND
        return Event(at, self.user_id, self.session_id, self.track_id, self.event_type)


class _Plain(_Logged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    timestamp: Annotated[datetime, Meta(tz=True)]
    user_id: Id
    event_type: Literal["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]
    session_id: Id


LOGGED, PLAIN = msgspec.json.Decoder(_Logged), msgspec.json.Decoder(_Plain)
NAMES = tuple(f'"{name}"'.encode() for name in _Plain.__struct_fields__)


def plain(line: bytes, knows_track: Callable[[str], bool]) -> Event | None:
    """Return the event of a line, or None if it takes `event_check.check` to tell what it is, or what is wrong."""
    if b"\\" in line or any(line.count(name) > 1 for name in NAMES):
        return None  # a key may be there twice
    try:
        read = PLAIN.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    known = read.track_id is None or (read.track_id not in BLANKS and knows_track(read.track_id))
    in_time = EARLIEST <= read.timestamp <= datetime.now(UTC) + AHEAD
    needs_track = read.event_type in ("PLAY", "SKIP", "LIKE") and read.track_id is None
    return read.event if known and in_time and not needs_track else None


LOG_FILES = "events-*.jsonl"  # a pattern of the names of all days


def file_name(day: date) -> str:
    """Return the name of the file, in the folder `sessions/`, to which a service appends the events of a day (UTC)."""
    return f"events-{day.isoformat()}.jsonl"


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in the order in which they are to be logged and observed: of time, at equal times PLAYs last.

    So a reaction to the track before comes before the PLAY that follows at once, as it does in `plays`.
    """
    return sorted(events, key=lambda one: (one.at, one.kind == "PLAY", one.session_id, one.track_id or ""))


def encode(events: Iterable[Event]) -> bytes:
    """Return events as lines of the table, as `validate` and `transform` read them."""
    lines = (
        {
            "timestamp": EPOCH + event.at * MICROSECOND,
            "user_id": event.user_id,
            "track_id": event.track_id,
            "event_type": event.kind,
            "session_id": event.session_id,
        }
        for event in events
    )
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def decode(lines: bytes) -> list[Event]:
    """Return the events of lines that `encode` has made; a ValueError if one is something else."""
    return [line.event for line in map(LOGGED.decode, lines.splitlines())]
