"""Cases: how values are written, and values beyond belief."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from math import nan
from typing import Any

import polars as pl

from .case import Case, Data, Row, changed, every

TRACKS, ARTISTS, USERS, EVENTS = 2053, 206, 12, 3876  # rows of the sample
WARSAW = timezone(timedelta(hours=1))
NAMESPACE = uuid.UUID(int=7)


def times(write: Callable[[datetime], Any]) -> Callable[[Data], None]:
    """Write every time of the log in another way."""

    def convert(row: Row) -> Row:
        moment = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
        return row | {"timestamp": write(moment)}

    return every("sessions", convert)


def epoch(moment: datetime, unit: int) -> int:
    """Return a time as an integer; the sample's times are whole milliseconds."""
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * unit // 10**6


def as_floats(*names: str) -> Callable[[Row], Row]:
    return lambda row: row | {name: float(row[name]) for name in names}


def as_text(*names: str) -> Callable[[Row], Row]:
    return lambda row: row | {name: str(row[name]) for name in names}


def renamed(old: str, new: str) -> Callable[[Row], Row]:
    return lambda row: {new if name == old else name: value for name, value in row.items()}


def without(column: str) -> Callable[[Row], Row]:
    return lambda row: {name: value for name, value in row.items() if name != column}


def raw(position: int, old: bytes, new: bytes) -> Callable[[Data], None]:
    """Replace a part of the text of one line of tracks."""

    def change(data: Data) -> None:
        lines = data.lines("tracks")
        assert old in lines[position]
        lines[position] = lines[position].replace(old, new)
        data.write("tracks", lines)

    return change


def beyond_9999(data: Data) -> None:
    log = pl.DataFrame(data.rows("sessions"), infer_schema_length=None)
    moments = log["timestamp"].str.to_datetime(time_unit="us").to_physical().to_list()
    moments[5] = 300_000_000_000_000_000  # the year 11476
    log.with_columns(timestamp=pl.Series(moments, dtype=pl.Datetime("us"))).write_parquet(
        data.folder / "sessions.parquet"
    )
    data.path("sessions").unlink()


def binary_ids(data: Data) -> None:
    log = pl.DataFrame(data.rows("sessions"), infer_schema_length=None)
    log.with_columns(pl.col("track_id").cast(pl.Binary)).write_parquet(data.folder / "sessions.parquet")
    data.path("sessions").unlink()


DURATION = b'"duration_ms": 333792'  # of the first track, which is played
CASES = [
    Case("times with a blank in place of T", times(lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f"))),
    Case("times with Z", times(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))),
    Case("times with UTC", times(lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f UTC"))),
    Case("times with an offset", times(lambda at: at.astimezone(WARSAW).isoformat())),
    Case("times with a blank and an offset", times(lambda at: at.astimezone(WARSAW).isoformat(" "))),
    Case("times with a comma", times(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S,%f"))),
    Case("epoch milliseconds", times(lambda at: epoch(at, 1000))),
    Case("epoch milliseconds as text", times(lambda at: str(epoch(at, 1000)))),
    Case("epoch milliseconds as floats", times(lambda at: float(epoch(at, 1000)))),
    Case("epoch microseconds", times(lambda at: epoch(at, 10**6))),
    Case("epoch seconds as floats", times(lambda at: epoch(at, 1000) / 1000)),
    Case("epoch seconds as text", times(lambda at: f"{epoch(at, 1000) / 1000:.3f}")),
    Case("ids as floats", every("sessions", as_floats("user_id", "session_id"))),
    Case("ids as text", every("sessions", as_text("user_id", "session_id"))),
    Case("ids of users as floats in users", every("users", as_floats("user_id"))),
    Case("integers of tracks as floats", every("tracks", as_floats("duration_ms", "popularity", "key"))),
    Case("explicit as true and false", every("tracks", lambda row: row | {"explicit": bool(row["explicit"])})),
    Case("genres as one text", every("artists", lambda row: row | {"genres": ", ".join(row["genres"])})),
    Case("events in lower case", every("sessions", lambda row: row | {"event_type": row["event_type"].lower()})),
    Case("events with blanks around", every("sessions", lambda row: row | {"event_type": f" {row['event_type']} "})),
    Case("NaN where an event has no track", every("sessions", lambda row: row | {"track_id": row["track_id"] or nan})),
    Case(
        "NaN as the track of a PLAY", changed("sessions", [0], track_id=nan), {"required": 1}, code=3, transform_code=3
    ),
    Case("NaN as an artist's name", changed("artists", [0], name=nan), {"optional": 1}),
    Case("release dates with a time", every("tracks", lambda row: row | {"release_date": "2001-02-03T00:00:00Z"})),
    Case("keys in another order", every("sessions", lambda row: dict(reversed(row.items())))),
    Case(
        "two epoch units in one column",
        lambda data: mixed(data),
        {"time": 3},
        code=3,
        transform_code=3,
        says=("seconds", "milliseconds"),
    ),
    Case(
        "an event in the year 0",
        changed("sessions", [1], timestamp="0000-01-01T00:00:00"),
        {"time": 1},
        code=3,
        transform_code=3,
        says=(":2",),
    ),
    Case(
        "an event in a negative year",
        changed("sessions", [1], timestamp="-0044-03-15T00:00:00"),
        {"time": 1},
        code=3,
        transform_code=3,
    ),
    Case(
        "an event after the year 9999",
        changed("sessions", [1], timestamp="12025-01-01T00:00:00"),
        {"time": 1},
        code=3,
        transform_code=3,
    ),
    Case(
        "an event in the future",
        changed("sessions", [1], timestamp="2190-01-01T00:00:00"),
        {"time": 1, "order": 1},
        code=3,
        transform_code=3,
    ),
    Case(
        "a time of 5,000 digits", changed("sessions", [1], timestamp="1" * 5000), {"time": 1}, code=3, transform_code=3
    ),
    Case("Parquet with a time after the year 9999", beyond_9999, {"time": 1}, code=3, transform_code=3),
    Case("Parquet with binary ids", binary_ids, {"type": EVENTS}, code=3, transform_code=3),
    Case(
        "durations in microseconds",
        every("tracks", lambda row: row | {"duration_ms": row["duration_ms"] * 1000}),
        {"range": TRACKS},
        code=3,
        transform_code=3,
        says=("duration_ms", "microseconds"),
    ),
    Case(
        "a duration of 2^62",
        raw(0, DURATION, b'"duration_ms": 4611686018427387904'),
        {"range": 1},
        code=3,
        transform_code=3,
    ),
    Case(
        "a duration of 25 hours", raw(0, DURATION, b'"duration_ms": 90000000'), {"range": 1}, code=3, transform_code=3
    ),
    Case("a duration of four hours", raw(0, DURATION, b'"duration_ms": 14400000'), {"unusual": 1}),
    Case("NaN as a tempo", raw(0, b'"tempo": 116.81', b'"tempo": NaN'), {"optional": 1}),
    Case("infinity as a loudness", raw(0, b'"loudness": -3.395', b'"loudness": -Infinity'), {"optional": 1}),
    Case("NaN as a duration", raw(0, DURATION, b'"duration_ms": NaN'), {"type": 1}, code=3, transform_code=3),
    Case(
        "artist_id in place of id_artist",
        every("tracks", renamed("id_artist", "artist_id")),
        {"column": 1, "extra": TRACKS},
        code=3,
        transform_code=3,
        says=("id_artist", "artist_id"),
    ),
    Case(
        "the same, with the columns named",
        every("tracks", renamed("id_artist", "artist_id")),
        config='[columns]\ntracks.id_artist = "artist_id"\n',
    ),
    Case(
        "no user_id in the log",
        every("sessions", without("user_id")),
        {"column": 1},
        code=3,
        transform_code=3,
        says=("user_id",),
    ),
    Case("text that is not UTF-8", lambda data: latin(data), {"json": 1, "reference": 1}, code=3, transform_code=3),
]


def mixed(data: Data) -> None:
    times(lambda at: epoch(at, 1000))(data)
    rows = data.rows("sessions")
    for row in rows[10:13]:
        row["timestamp"] //= 1000
    data.write("sessions", rows)


def latin(data: Data) -> None:
    lines = data.lines("tracks")
    data.write("tracks", [lines[0].replace(b"Drowning", b"Dr\xf3wning"), *lines[1:]])


def session_ids_of_text(data: Data) -> None:
    data.each("sessions", lambda row: row | {"session_id": str(uuid.uuid5(NAMESPACE, str(row["session_id"])))})
