"""The five tables and the rules that they are held to: declarations only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import polars as pl

Level = Literal["error", "warning"]


class Kind(StrEnum):
    """What a column's values look like in a file."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    TEXTS = "list of text"
    FLAG = "true or false"
    TIME = "time"  # ISO 8601 text, or milliseconds since 1970 as an integer
    DATE = "date"  # YYYY, YYYY-MM or YYYY-MM-DD


DTYPES: dict[Kind, pl.DataType] = {
    Kind.INTEGER: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.TEXT: pl.String(),
    Kind.TEXTS: pl.List(pl.String()),
    Kind.FLAG: pl.Boolean(),
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.DATE: pl.String(),
}


@dataclass(frozen=True)
class Column:
    """A column: its kind, whether it can be done without, its range, the words it may hold, the table it points to.

    `words` are matched in any case; `spellings` maps further spellings to one of them. `sometimes_needed`: by some
    events only (`track_id`: a PLAY needs it, a SKIP or LIKE should have it).
    """

    name: str
    kind: Kind
    required: bool = False
    low: float | None = None
    high: float | None = None
    above: float | None = None
    words: tuple[str, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    word_rule: str = "range"
    references: str | None = None
    reference_rule: str = "reference"
    sometimes_needed: bool = False
    personal: bool = False

    @property
    def blank_is_null(self) -> bool:
        """Whether -1 and empty text mean "no value" here."""
        return self.required or self.sometimes_needed

    @property
    def allowed(self) -> str:
        """The range or the words, as text."""
        if self.words:
            return " ".join(self.words)
        if self.above is not None:
            return f"> {self.above:g}"
        low, high = ("" if bound is None else f"{bound:g}" for bound in (self.low, self.high))
        return f"{low}..{high}" if low or high else ""


@dataclass(frozen=True)
class Table:
    """A table: its columns, its key, and whether the service can be understood without it."""

    name: str
    columns: tuple[Column, ...]
    key: str | None = None
    missing: Level = "error"

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Each column's type once it is read."""
        return {column.name: DTYPES[column.kind] for column in self.columns}


def _share(name: str) -> Column:
    return Column(name, Kind.NUMBER, low=0, high=1)


EVENTS = ("PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM")

USERS = Table(
    "users",
    (
        Column("user_id", Kind.INTEGER, required=True),
        Column("name", Kind.TEXT, personal=True),
        Column("city", Kind.TEXT, personal=True),
        Column("street", Kind.TEXT, personal=True),
        Column("favourite_genres", Kind.TEXTS),
        Column("premium_user", Kind.FLAG),
    ),
    key="user_id",
)
ARTISTS = Table(
    "artists",
    (Column("id", Kind.TEXT, required=True), Column("name", Kind.TEXT), Column("genres", Kind.TEXTS)),
    key="id",
)
TRACKS = Table(
    "tracks",
    (
        Column("id", Kind.TEXT, required=True),
        Column("name", Kind.TEXT),
        Column("popularity", Kind.INTEGER, low=0, high=100),
        Column("duration_ms", Kind.INTEGER, required=True, above=0),
        Column("explicit", Kind.INTEGER, low=0, high=1),
        Column("id_artist", Kind.TEXT, references="artists"),
        Column("release_date", Kind.DATE),
        _share("danceability"),
        _share("energy"),
        Column("key", Kind.INTEGER, low=0, high=11),
        Column("loudness", Kind.NUMBER),
        _share("speechiness"),
        _share("acousticness"),
        _share("instrumentalness"),
        _share("liveness"),
        _share("valence"),
        Column("tempo", Kind.NUMBER, low=0),
    ),
    key="id",
)
SESSIONS = Table(
    "sessions",
    (
        Column("timestamp", Kind.TIME, required=True),
        Column("user_id", Kind.INTEGER, required=True, references="users"),
        Column("track_id", Kind.TEXT, references="tracks", reference_rule="track", sometimes_needed=True),
        Column(
            "event_type",
            Kind.TEXT,
            required=True,
            words=EVENTS,
            spellings=(("ADVERTISMENT", "ADVERTISEMENT"),),
            word_rule="event_type",
        ),
        Column("session_id", Kind.INTEGER, required=True),
    ),
)
TRACK_STORAGE = Table(
    "track_storage",
    (
        Column("track_id", Kind.TEXT, required=True, references="tracks"),
        Column("storage_class", Kind.TEXT, words=("FAST", "MEDIUM", "SLOW")),
        Column("daily_cost", Kind.NUMBER, low=0),
    ),
    key="track_id",
    missing="warning",
)
TABLES = {table.name: table for table in (USERS, ARTISTS, TRACKS, SESSIONS, TRACK_STORAGE)}


@dataclass(frozen=True)
class Rule:
    """A rule's level, and what it means to break it."""

    level: Level
    meaning: str


RULES = {
    "json": Rule("error", "the line is not one JSON object with each key once"),
    "type": Rule("error", "the value has the wrong type"),
    "required": Rule("error", "null, empty or -1 where a value is needed"),
    "key": Rule("error", "a key seen before; the first line is good, the later ones are bad"),
    "range": Rule("error", "out of range, or not one of the words allowed"),
    "event_type": Rule("error", "not one of " + ", ".join(EVENTS)),
    "time": Rule("error", "not a time or date that can be read; for events also before 2000 or in the future"),
    "track": Rule("error", "an event names a track that tracks does not have"),
    "table": Rule("error", "the table is missing or empty (track_storage: a warning)"),
    "reference": Rule("warning", "names a user, artist or track that its table does not have"),
    "optional": Rule("warning", "null where a value is expected but can be done without"),
    "duplicate_name": Rule("warning", "artists that share a name, counted in names"),
    "duplicate_title": Rule("warning", "tracks of one artist that share a name, counted in names"),
    "orphan": Rule("warning", "a SKIP or LIKE before any PLAY of its user and session"),
    "event_track": Rule("warning", "a SKIP or LIKE that names another track than the one playing"),
    "order": Rule("warning", "an event earlier than the line before it of the same user and session"),
    "storage": Rule("warning", "a track that track_storage does not have"),
    "extra": Rule("warning", "a column that the schema does not have"),
}
