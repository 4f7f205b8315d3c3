"""The faults of a dirty sample, with how often each occurs.

The rules `table` and `unread` are about files and not among them: delete or rename a file to see them.
"""

from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, nan
from typing import Any

ABSENT = object()  # in a change: the row lacks this field
UNKNOWN = "unknown000000000000000"  # an id that no row has
BEFORE_ALL = "2026-01-04T00:00:00"  # earlier than all other events with faults
PAST_INT64 = 2**63
SKIP = {"event_type": "SKIP"}
LIKE = {"event_type": "LIKE"}


@dataclass(frozen=True)
class Fault:
    """A kind of faulty row: a good one in which a field is changed or the text is damaged."""

    rule: str
    column: str | None
    count: int
    fault: str
    change: dict[str, Any] = field(default_factory=dict)
    damage: Callable[[bytes], bytes] = bytes
    shares: str | None = None  # the column whose value it has in common with a good row right before it


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
        Fault("type", "genres", 1, "text instead of a list", {"genres": "jazz"}),
        Fault("required", "id", 5, "-1, a number", {"id": -1}),
        Fault("required", "id", 2, "empty text", {"id": ""}),
        Fault("key", "id", 3, "the id of the artist before", shares="id"),
        Fault("optional", "genres", 4, "null", {"genres": None}),
        Fault("optional", "name", 1, "null", {"name": None}),
        Fault("duplicate_name", "name", 3, "the name of the artist before", shares="name"),
    ),
    "tracks": (
        Fault("json", None, 3, "not a number", {"tempo": nan}),
        Fault("json", None, 1, "infinity", {"loudness": inf}),
        Fault("json", None, 1, "minus infinity", {"loudness": -inf}),
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
        Fault("type", "user_id", 1, "text instead of a number", {"user_id": "101"}),
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
        Fault("json", None, 1, "a byte order mark", damage=lambda line: BOM_UTF8 + line),
        Fault("type", "daily_cost", 2, "text instead of a number", {"daily_cost": "cheap"}),
        Fault("required", "track_id", 3, "null", {"track_id": None}),
        Fault("key", "track_id", 1, "the id of the row before", shares="track_id"),
        Fault("range", "daily_cost", 2, "negative", {"daily_cost": -0.5}),
        Fault("range", "storage_class", 3, "an unknown word", {"storage_class": "COLD"}),
        Fault("reference", "track_id", 1, "an unknown track", {"track_id": UNKNOWN}),
        Fault("extra", "region", 1, "an unknown column", {"region": "eu"}),
    ),
}
