"""Declare the five tables, their columns and the rules that they are checked against."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import polars as pl

Level = Literal["error", "warning"]


class Kind(StrEnum):
    """What a column's values look like in a file."""

    INTEGER = "integer"
    KEY = "integer or text"  # text becomes an integer, see `values.key`
    NUMBER = "number"
    TEXT = "text"
    TEXTS = "list of text"
    FLAG = "true or false"
    TIME = "time"  # ISO 8601 text, or a number since 1970, see `times`
    DATE = "date"  # YYYY, YYYY-MM or YYYY-MM-DD


DTYPES: dict[Kind, pl.DataType] = {
    Kind.INTEGER: pl.Int64(),
    Kind.KEY: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.TEXT: pl.String(),
    Kind.TEXTS: pl.List(pl.String()),
    Kind.FLAG: pl.Boolean(),
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.DATE: pl.String(),
}
EVENTS = ("PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM")
SPELLINGS = (("ADVERTISMENT", "ADVERTISEMENT"),)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    required: every line needs a value
    essential: models need the column, though a single line may do without a value
    low, high: the range of values, both included; above: the bound that values must exceed
    usual: the highest value that raises no doubt
    typical: the range in which nearly all values lie; units: where they lie in it only after being divided by a factor,
        the unit that they probably have, as (factor, name)
    words: the allowed values, in any case; `spellings` maps further spellings to one of them
    word_rule: the rule that another word breaks
    references: the table whose key the values are; `reference_rule` is the rule that an unknown one breaks
    sometimes_needed: some events need a value (`track_id`: a PLAY needs it, a SKIP or LIKE should have it)
    personal: values are never shown, and never leave `validate`
    synonyms: other names that the column often has in files, which a message suggests
    source: the name in the files, where the settings give another one
    """

    name: str
    kind: Kind
    required: bool = False
    essential: bool = False
    low: float | None = None
    high: float | None = None
    above: float | None = None
    usual: float | None = None
    typical: tuple[float, float] | None = None
    units: tuple[tuple[float, str], ...] = ()
    words: tuple[str, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()
    word_rule: str = "range"
    references: str | None = None
    reference_rule: str = "reference"
    sometimes_needed: bool = False
    personal: bool = False
    synonyms: tuple[str, ...] = ()
    source: str | None = None

    @property
    def has_range(self) -> bool:
        """Whether some values are out of range, or unusual."""
        return any(bound is not None for bound in (self.low, self.high, self.above, self.usual))

    @property
    def is_binary(self) -> bool:
        """Whether the values are 0 and 1, for which true and false may stand."""
        return self.kind is Kind.INTEGER and (self.low, self.high) == (0, 1)

    @property
    def level_if_absent(self) -> Level:
        """The level of the violation if no line has the column."""
        return "error" if self.required or self.sometimes_needed or self.essential else "warning"

    @property
    def blank_is_null(self) -> bool:
        """Whether -1 and empty text mean "no value" here."""
        return self.required or self.sometimes_needed

    @property
    def allowed(self) -> str:
        """The range or the allowed words, as text."""
        if self.words:
            return " ".join(self.words)
        if self.above is not None:
            return f"> {self.above:g}" + (f", <= {self.high:.0f}" if self.high is not None else "")
        low, high = ("" if bound is None else f"{bound:g}" for bound in (self.low, self.high))
        return f"{low}..{high}" if low or high else ""


@dataclass(frozen=True)
class Table:
    """A table: its columns, its key column, and the level of the violation if it is missing."""

    name: str
    columns: tuple[Column, ...]
    key: str | None = None
    missing: Level = "error"

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The type of each column in the frame that is read."""
        return {column.name: DTYPES[column.kind] for column in self.columns}

    def named(self, names: Mapping[str, str]) -> "Table":
        """Return the table with the names that its columns have in files, by `table.column`."""
        columns = [replace(column, source=names.get(f"{self.name}.{column.name}")) for column in self.columns]
        return replace(self, columns=tuple(columns))

    def by_key(self, keys: Collection[str]) -> dict[str, Column]:
        """Return the columns that a file's keys stand for: the name that the settings give, else the column's own."""
        wanted = {
            column.source if column.source and column.source in keys else column.name: column for column in self.columns
        }
        return {key: column for key, column in wanted.items() if key in keys}


DAY_MS = 24 * 3600 * 1000
DURATION_UNITS = ((1e3, "microseconds"), (1e6, "nanoseconds"), (1e-3, "seconds"))


def _shares(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, Kind.NUMBER, low=0, high=1, typical=(0, 1), units=((100, "percent"),)) for name in names)


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
        Column(
            "duration_ms",
            Kind.INTEGER,
            required=True,
            above=0,
            high=DAY_MS,
            usual=DAY_MS / 8,
            typical=(30_000, 1_800_000),
            units=DURATION_UNITS,
            synonyms=("duration", "length", "length_ms"),
        ),
        Column("explicit", Kind.INTEGER, low=0, high=1),
        Column("id_artist", Kind.TEXT, essential=True, references="artists"),
        Column("release_date", Kind.DATE),
        *_shares("danceability", "energy"),
        Column("key", Kind.INTEGER, low=0, high=11),
        Column("loudness", Kind.NUMBER),
        *_shares("speechiness", "acousticness", "instrumentalness", "liveness", "valence"),
        Column("tempo", Kind.NUMBER, low=0),
    ),
    key="id",
)
SESSIONS = Table(
    "sessions",
    (
        Column(
            "timestamp",
            Kind.TIME,
            required=True,
            synonyms=("ts", "time", "datetime", "date", "event_time", "created_at"),
        ),
        Column("user_id", Kind.INTEGER, required=True, references="users"),
        Column("track_id", Kind.TEXT, references="tracks", reference_rule="track", sometimes_needed=True),
        Column(
            "event_type",
            Kind.TEXT,
            required=True,
            words=EVENTS,
            spellings=SPELLINGS,
            word_rule="event_type",
            synonyms=("event", "type", "action"),
        ),
        Column("session_id", Kind.KEY, required=True, synonyms=("session",)),
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
    """The level of a rule, and what is wrong where it is broken."""

    level: Level
    meaning: str


RULES = {
    "json": Rule("error", "the line is not one JSON object that has each key once"),
    "type": Rule("error", "the value has the wrong type"),
    "column": Rule("error", "no line has the column (a warning where the column can be done without)"),
    "required": Rule("error", "a value that is needed is missing: null, empty or -1"),
    "key": Rule("error", "an earlier line has the same key; the first one is used"),
    "range": Rule("error", "the value is out of range, or not one of the allowed words"),
    "event_type": Rule("error", "the event is not one of " + ", ".join(EVENTS)),
    "time": Rule(
        "error",
        "the time or date cannot be read, is a number of another unit than most, or lies before 2000 or in the future",
    ),
    "track": Rule("error", "an event names a track that is not in tracks"),
    "table": Rule("error", "the table is missing or empty (track_storage: a warning)"),
    "unread": Rule("warning", "the file looks like a part of this table and is not read"),
    "reference": Rule("warning", "the value names a user, artist or track that is not in its table"),
    "optional": Rule("warning", "a value is missing that is useful but not needed"),
    "unusual": Rule("warning", "the value is beyond what is usual; its unit may be another one"),
    "duplicate_name": Rule("warning", "several artists have the same name (the count is of names)"),
    "duplicate_title": Rule("warning", "several tracks of an artist have the same name (the count is of names)"),
    "orphan": Rule("warning", "a SKIP or LIKE comes before any PLAY of its session"),
    "event_track": Rule("warning", "a SKIP or LIKE names another track than the one that is playing"),
    "order": Rule("warning", "an event is earlier than the line before it of the same session"),
    "storage": Rule("warning", "the track is not in track_storage"),
    "extra": Rule("warning", "the column is unknown and is not used"),
}
NO_NAMES: Mapping[str, str] = {}  # every column is named in the files as it is here
ERROR_RULES = [name for name, rule in RULES.items() if rule.level == "error"]
