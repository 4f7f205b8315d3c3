"""The faults of a dirty sample, and the lines that have them, each in rows of its own, so that none causes another.

The rules `table`, `unread` and `column` are about whole files and not among them: delete or rename a file to see them.
"""

import json
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset.tables import DAY_MS, RULES

Row = dict[str, Any]
ABSENT = object()  # in a change: the row lacks this field
UNKNOWN = "unknown000000000000000"  # an id that no row has
BEFORE_ALL = "2026-01-04T00:00:00"  # earlier than all other events with faults
PAST_INT64 = 2**63
NOON = datetime(2026, 1, 4, 12)  # of the last day of every sample
USER: Row = {"city": "Toruń", "street": "ul. Cicha 1", "favourite_genres": ["jazz"], "premium_user": False}
SOUND: Row = {"danceability": 0.5, "energy": 0.5, "key": 5, "loudness": -9.5, "speechiness": 0.05}
SOUND |= {"acousticness": 0.5, "instrumentalness": 0.5, "liveness": 0.2, "valence": 0.5, "tempo": 110.5}
STORAGE: Row = {"storage_class": "SLOW", "daily_cost": 0.01}
SKIP = {"event_type": "SKIP"}
LIKE = {"event_type": "LIKE"}


@dataclass(frozen=True)
class Fault:
    """A kind of faulty row: a good one in which a field is changed or the text is damaged."""

    rule: str
    column: str | None
    count: int
    fault: str
    change: Row = field(default_factory=dict)
    damage: Callable[[bytes], bytes] = bytes
    shares: str | None = None  # the column whose value it has in common with a good row right before it

    @property
    def level(self) -> str:
        """`error` or `warning`."""
        return RULES[self.rule].level


# by table, in this order: faulty rows of track_storage name faulty tracks
FAULTS: dict[str, tuple[Fault, ...]] = {
    "users": (
        Fault("json", None, 1, "a line cut short", damage=lambda line: line[: len(line) // 2]),
        Fault("json", "user_id", 2, "a key twice in one object", damage=lambda line: b'{"user_id": 9, ' + line[1:]),
        Fault("type", "premium_user", 1, "text instead of true or false", {"premium_user": "yes"}),
        Fault("type", "user_id", 2, "an integer past int64", {"user_id": PAST_INT64}),
        Fault("required", "user_id", 3, "null", {"user_id": None}),
        Fault("key", "user_id", 2, "the id of the user before", shares="user_id"),
        Fault("optional", "favourite_genres", 4, "null", {"favourite_genres": None}),
        Fault("optional", "premium_user", 1, "null", {"premium_user": None}),
        Fault("extra", "id", 1, "an unknown column", {"id": -1}),
    ),
    "artists": (
        Fault("json", None, 2, "bytes that are not UTF-8", damage=lambda line: line.replace(b"Pl", b"P\xff")),
        Fault("json", None, 1, "an array instead of an object", damage=lambda line: b"[" + line + b"]"),
        Fault("type", "id", 2, "a number instead of text", {"id": 7}),
        Fault("type", "genres", 3, "a number in a list of texts", {"genres": ["jazz", 7]}),
        Fault("type", "genres", 1, "a number instead of a list", {"genres": 7}),
        Fault("required", "id", 5, "-1, a number", {"id": -1}),
        Fault("required", "id", 2, "empty text", {"id": ""}),
        Fault("key", "id", 3, "the id of the artist before", shares="id"),
        Fault("optional", "genres", 4, "null", {"genres": None}),
        Fault("optional", "name", 1, "null", {"name": None}),
        Fault("duplicate_name", "name", 3, "the name of the artist before", shares="name"),
    ),
    "tracks": (
        Fault("optional", "tempo", 3, "not a number", {"tempo": nan}),
        Fault("optional", "loudness", 1, "infinity", {"loudness": inf}),
        Fault("optional", "loudness", 1, "minus infinity", {"loudness": -inf}),
        Fault("json", None, 2, "cut short", damage=lambda line: line[:40]),
        Fault("type", "duration_ms", 2, "a fraction where an integer belongs", {"duration_ms": 1.5}),
        Fault("type", "tempo", 1, "text instead of a number", {"tempo": "fast"}),
        Fault("required", "id", 2, "null", {"id": None}),
        Fault("required", "duration_ms", 4, "null", {"duration_ms": None}),
        Fault("key", "id", 2, "the id of the track before", shares="id"),
        Fault("range", "popularity", 3, "above 100", {"popularity": 101}),
        Fault("range", "danceability", 2, "above 1", {"danceability": 1.5}),
        Fault("range", "key", 1, "above 11", {"key": 12}),
        Fault("range", "explicit", 2, "neither 0 nor 1", {"explicit": 2}),
        Fault("range", "duration_ms", 1, "zero", {"duration_ms": 0}),
        Fault("range", "duration_ms", 2, "negative", {"duration_ms": -5}),
        Fault("range", "duration_ms", 1, "longer than a day", {"duration_ms": 2 * DAY_MS}),
        Fault("unusual", "duration_ms", 2, "longer than three hours", {"duration_ms": DAY_MS // 6}),
        Fault("time", "release_date", 4, "unreadable", {"release_date": "19xx"}),
        Fault("reference", "id_artist", 2, "an unknown artist", {"id_artist": UNKNOWN}),
        Fault("optional", "name", 2, "null", {"name": None}),
        Fault("optional", "id_artist", 3, "null", {"id_artist": None}),
        Fault("optional", "valence", 1, "null", {"valence": None}),
        Fault("duplicate_title", "name", 4, "the name of the artist's track before", shares="name"),
        Fault("storage", "id", 5, "no row in track_storage"),
        Fault("extra", "mode", 1, "an unknown column", {"mode": 1}),
    ),
    "sessions": (
        Fault("json", None, 2, "a blank line", damage=lambda line: b""),
        Fault("json", None, 1, "a number instead of an object", damage=lambda line: b"42"),
        Fault("json", None, 3, "malformed", damage=lambda line: line.replace(b":", b"=", 1)),
        Fault("type", "user_id", 1, "text instead of a number", {"user_id": "u101"}),
        Fault("type", "user_id", 2, "an integer past int64", {"user_id": PAST_INT64}),
        Fault("type", "session_id", 1, "a fraction where an integer belongs", {"session_id": 1.5}),
        Fault("type", "track_id", 4, "a number instead of text", {"track_id": 7}),
        Fault("required", "timestamp", 2, "null", {"timestamp": None}),
        Fault("required", "user_id", 5, "-1", {"user_id": -1}),
        Fault("required", "user_id", 1, "absent", {"user_id": ABSENT}),
        Fault("required", "session_id", 1, "null", {"session_id": None}),
        Fault("required", "event_type", 3, "null", {"event_type": None}),
        Fault("required", "track_id", 2, "empty, of a PLAY", {"track_id": ""}),
        Fault("event_type", "event_type", 2, "an unknown word", {"event_type": "PAUSE"}),
        Fault("time", "timestamp", 3, "unreadable", {"timestamp": "yesterday"}),
        Fault("time", "timestamp", 1, "before 2000", {"timestamp": "1999-12-31T23:59:59"}),
        Fault("time", "timestamp", 1, "in the future", {"timestamp": "2100-01-01T00:00:00"}),
        Fault("track", "track_id", 3, "a PLAY of an unknown track", {"track_id": UNKNOWN}),
        Fault("track", "track_id", 1, "a SKIP of an unknown track", SKIP | {"track_id": UNKNOWN}, shares="session_id"),
        Fault("reference", "user_id", 3, "an unknown user", {"user_id": PAST_INT64 - 1}),
        Fault("optional", "track_id", 2, "empty, of a SKIP", SKIP | {"track_id": ""}, shares="session_id"),
        Fault("optional", "track_id", 3, "null, of a LIKE", LIKE | {"track_id": None}, shares="session_id"),
        Fault("orphan", "event_type", 2, "a SKIP without a PLAY", SKIP),
        Fault("orphan", "event_type", 1, "a LIKE without a PLAY", LIKE),
        Fault("event_track", "track_id", 4, "another track than the PLAY's", SKIP, shares="session_id"),
        Fault("order", "timestamp", 2, "earlier than the line before", {"timestamp": BEFORE_ALL}, shares="session_id"),
        Fault("extra", "device", 1, "an unknown column", {"device": "phone"}),
    ),
    "track_storage": (
        Fault("json", None, 1, "a byte order mark inside the file", damage=lambda line: BOM_UTF8 + line),
        Fault("type", "daily_cost", 2, "text instead of a number", {"daily_cost": "cheap"}),
        Fault("required", "track_id", 3, "null", {"track_id": None}),
        Fault("key", "track_id", 1, "the id of the row before", shares="track_id"),
        Fault("range", "daily_cost", 2, "negative", {"daily_cost": -0.5}),
        Fault("range", "storage_class", 3, "an unknown word", {"storage_class": "COLD"}),
        Fault("reference", "track_id", 1, "an unknown track", {"track_id": UNKNOWN}),
        Fault("extra", "region", 1, "an unknown column", {"region": "eu"}),
    ),
}


def add_faults(folder: Path, artist: str, tracks: pl.Series, listener: int, user: int, session: int) -> list[Row]:
    """Add faulty rows, and the good ones that they need, to the tables in `folder`.

    `artist`, `tracks` and `listener` are known ids; `user` and `session` are the first free ones.

    Returns:
        for each fault: table, rule, column, count, level, fault.
    """
    writer = _FaultWriter(artist, tracks, listener, user, session)
    truth = []
    for table, faults in FAULTS.items():
        for fault in faults:
            for _ in range(fault.count):
                writer.add_fault(table, fault)
            place = {"table": table, "rule": fault.rule, "column": fault.column, "count": fault.count}
            truth.append({**place, "level": fault.level, "fault": fault.fault})
    for track in writer.unstored:  # so that only tracks of the rule `storage` have no row there
        writer.add("track_storage", {"track_id": track, **STORAGE})
    for table, lines in writer.lines.items():
        with (folder / f"{table}.jsonl").open("ab") as file:
            file.writelines(lines)
    return truth


@dataclass
class _FaultWriter:
    artist: str
    tracks: pl.Series
    listener: int
    user: int
    session: int
    lines: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    # ids of faulty tracks that track_storage does not name yet: a faulty row there that names one neither dangles,
    # nor repeats a key, nor leaves a good track without storage
    unstored: list[str] = field(default_factory=list)
    rows: int = 0

    def add_fault(self, table: str, fault: Fault) -> None:
        row = self.good_row(table)
        if fault.shares:
            self.add(table, row)
            row = self.good_row(table) | {fault.shares: row[fault.shares]}
        row = {name: value for name, value in (row | fault.change).items() if value is not ABSENT}
        if fault.level == "warning" and fault.rule != "storage":
            self.add(table, row)
        else:
            self.lines[table].append(fault.damage(_text(row)) + b"\n")
        if table == "tracks" and fault.level == "error" and fault.column not in (None, "id"):
            self.unstored.append(row["id"])
        if table == "track_storage" and fault.rule != "json" and row["track_id"] in self.unstored:
            self.unstored.remove(row["track_id"])

    def add(self, table: str, row: Row) -> None:
        """Add a row without an error; a track is stored, too."""
        self.lines[table].append(_text(row) + b"\n")
        if table == "tracks":
            self.add("track_storage", {"track_id": row["id"], **STORAGE})

    def good_row(self, table: str) -> Row:
        """Make a row that differs from all others in its key and name."""
        number, self.rows = self.rows, self.rows + 1
        name, key = f"Planted {number}", f"planted{number:015}"  # as long as any other id
        match table:
            case "users":
                return {"user_id": self.user + number, "name": name, **USER}
            case "artists":
                return {"id": key, "name": name, "genres": ["jazz"]}
            case "tracks":
                facts = {"id": key, "name": name, "popularity": 10, "duration_ms": 200_000, "explicit": 0}
                return {**facts, "id_artist": self.artist, "release_date": "1999-05-17", **SOUND}
            case "sessions":
                play = {"track_id": self.tracks[number % len(self.tracks)], "event_type": "PLAY"}
                moment = (NOON + timedelta(seconds=number)).isoformat()
                return {"timestamp": moment, "user_id": self.listener, **play, "session_id": self.session + number}
            case _:
                return {"track_id": self.unstored[-1], **STORAGE}


def _text(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()
