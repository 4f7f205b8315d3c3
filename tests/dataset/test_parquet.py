"""Parquet files: types of any width, times of any unit, and what cannot be read."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from pozytywka_cli.dataset.data_files import locate
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS, TABLES, Table
from pozytywka_cli.dataset.validate import Checked
from pozytywka_cli.dataset.values import key
from pozytywka_cli.errors import StorageError

TEN = datetime(2023, 5, 1, 10, tzinfo=UTC)


def whole(table: Table, place: Path) -> Reading:
    return read(table, locate(place, table), counts=True)


def parquet(place: Path, table: str, frame: pl.DataFrame) -> Reading:
    (place / f"{table}.jsonl").unlink()
    frame.write_parquet(place / f"{table}.parquet")
    return whole(TABLES[table], place)


@pytest.mark.parametrize("table", TABLES)
def test_parquet_is_read_like_json_lines(table: str, folder: Callable[..., Path]) -> None:
    """A table that was read, written as Parquet and read again is the same table."""
    place = folder()
    before = whole(TABLES[table], place)
    after = parquet(place, table, before.frame.drop("file", "line"))
    assert after.frame.equals(before.frame)
    assert after.frame.schema == before.frame.schema
    assert (after.lines, after.findings.rows(), after.counts) == (before.lines, [], before.counts)


def test_parquet_integers_that_were_stored_as_floats(folder: Callable[..., Path]) -> None:
    """Whole floats are integers, as pandas stores a column with nulls; NaN and infinities are no value."""
    given = [1.0, None, 2.5, float("nan"), float("inf"), 1e19]
    frame = pl.DataFrame({"id": list("abcdef"), "popularity": given})
    reading = parquet(folder(), "tracks", frame)
    assert reading.frame["popularity"].to_list() == [1, None, None, None, None, None]
    assert sorted(reading.findings.drop("file").rows()) == [
        (3, "type", "popularity", "2.5"),
        (4, "optional", "popularity", "nan"),
        (5, "optional", "popularity", "inf"),
        (6, "type", "popularity", "1e+19"),
    ]


def test_parquet_numbers_of_any_width(folder: Callable[..., Path]) -> None:
    """Small integers, unsigned ones and single floats become the schema's types."""
    frame = pl.DataFrame(
        {"id": ["a"], "popularity": [5], "duration_ms": [6], "tempo": [7], "energy": [0.5]},
        schema={
            "id": pl.String,
            "popularity": pl.Int8,
            "duration_ms": pl.UInt64,
            "tempo": pl.Int16,
            "energy": pl.Float32,
        },
    )
    reading = parquet(folder(), "tracks", frame)
    row = reading.frame.select("popularity", "duration_ms", "tempo", "energy")
    assert row.rows() == [(5, 6, 7.0, 0.5)]
    assert row.dtypes == [pl.Int64, pl.Int64, pl.Float64, pl.Float64]
    assert reading.findings.is_empty()


def test_parquet_of_wrong_types(folder: Callable[..., Path]) -> None:
    """A column of another type is a finding for each of its values; -1 says "no value" in any type."""
    frame = pl.DataFrame({"id": [7, -1], "name": [True, None], "genres": [5, None], "x": [None, date(2023, 1, 1)]})
    reading = parquet(folder(), "artists", frame)
    assert reading.frame.drop("file").rows() == [(None, None, None, 1), (None, None, None, 2)]
    assert sorted(reading.findings.drop("file").rows()) == [
        (1, "type", "genres", "5"),
        (1, "type", "id", "7"),
        (1, "type", "name", "True"),
        (2, "extra", "x", "2023-01-01"),
        (2, "required", "id", "-1"),
    ]
    assert reading.unknown == {"x": 1}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Warsaw"])
def test_parquet_times(unit: Any, zone: str | None, folder: Callable[..., Path]) -> None:
    """Times of any unit; without a zone they are UTC, with one they are converted."""
    naive = pl.Series("timestamp", [datetime(2023, 5, 1, 10, 0, 0, 250_000), None], dtype=pl.Datetime(unit))
    times = naive.dt.replace_time_zone(zone) if zone else naive
    reading = parquet(folder(), "sessions", pl.DataFrame({"timestamp": times}))
    hour = timedelta(hours=2 if zone == "Europe/Warsaw" else 0)
    assert reading.frame["timestamp"].to_list() == [TEN + timedelta(milliseconds=250) - hour, None]
    assert reading.findings.is_empty()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1682935200000], [TEN]),
        (["2023-05-01T12:00:00+02:00"], [TEN]),
        ([date(2023, 5, 1)], [TEN - timedelta(hours=10)]),
        ([1682935200000.0], [TEN]),
        ([1682935200.25], [TEN + timedelta(milliseconds=250)]),
        ([Decimal("1682935200.000001")], [TEN + timedelta(microseconds=1)]),
        ([True], [None]),
    ],
)
def test_parquet_times_written_otherwise(values: list[Any], expected: list[Any], folder: Callable[..., Path]) -> None:
    """Numbers and text as in JSON lines, decimals and dates; true is no time."""
    reading = parquet(folder(), "sessions", pl.DataFrame({"timestamp": values}))
    assert reading.frame["timestamp"].to_list() == expected
    assert reading.findings["rule"].to_list() == (["type"] if expected == [None] else [])


def test_a_damaged_parquet_is_named(folder: Callable[..., Path]) -> None:
    """A file that is no Parquet is an error of storage."""
    place = folder(artists=None)
    (place / "artists.parquet").write_bytes(b"PAR1 but no more than that")
    with pytest.raises(StorageError, match=r"^cannot read .*artists\.parquet: "):
        whole(ARTISTS, place)


def test_a_reader_that_breaks_down_is_an_error_of_storage(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some damaged Parquet files make the frame library panic, which is no ordinary exception."""
    place = folder(artists=None)
    (place / "artists.parquet").write_bytes(b"")

    def panic(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("offset + length <= self.length")

    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(StorageError, match=r"^cannot read .*artists\.parquet: offset \+ length"):
        whole(ARTISTS, place)


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("ms", 253_402_300_800_000),
        ("us", 253_402_300_800_000_000),
        ("us", -62_135_596_800_000_001),
        ("ms", 2**62),
        ("us", 2**63 - 1),
        ("ms", -(2**63) + 1),
    ],
)
def test_parquet_times_beyond_the_calendar(
    unit: Any, number: int, folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """A time past year 9999 or before year 1 is an error of its line, which reports can show."""
    good = pl.Series("timestamp", [1_682_935_200 * {"ms": 10**3, "us": 10**6}[unit], number])
    place, row = folder(), {"user_id": 1, "track_id": "t1", "event_type": "PLAY", "session_id": 7}
    frame = pl.DataFrame({"timestamp": good.cast(pl.Datetime(unit))}).with_columns(
        **{name: pl.lit(value) for name, value in row.items()}, other=pl.col("timestamp")
    )
    reading = parquet(place, "sessions", frame)
    assert reading.frame["timestamp"].to_list() == [TEN, None]
    checks = checked(place, facts=True)
    [violation] = [violation for violation in checks.violations if violation.rule == "time"]
    assert [(example.line, example.value) for example in violation.examples] == [(2, str(number))]
    assert msgspec.json.encode([checks.violations, checks.profile])


def test_parquet_times_past_int64(folder: Callable[..., Path]) -> None:
    """An unsigned integer that no signed one can hold is an error of its line; the others are read."""
    times = pl.Series("timestamp", [1682935200000, 2**63, 2**64 - 1], dtype=pl.UInt64)
    reading = parquet(folder(), "sessions", times.to_frame())
    assert reading.frame["timestamp"].to_list() == [TEN, None, None]
    assert reading.findings.filter(pl.col("rule") == "time")["value"].to_list() == [str(2**63), str(2**64 - 1)]


def test_parquet_of_other_types_is_read_where_nothing_is_in_doubt(folder: Callable[..., Path]) -> None:
    """Decimals, dates, categories, large lists and booleans; binary values are errors of their lines."""
    frame = pl.DataFrame(
        {
            "id": pl.Series(["a", "b"], dtype=pl.Categorical),
            "duration_ms": [Decimal(200_000), Decimal("1.5")],
            "popularity": pl.Series([5, 6], dtype=pl.UInt16),
            "explicit": [True, False],
            "release_date": [date(1999, 12, 31), None],
            "tempo": [Decimal("120.5"), None],
            "name": [b"One", b"\xff\x00"],
        }
    )
    reading = parquet(folder(), "tracks", frame)
    row = reading.frame.select("id", "duration_ms", "popularity", "explicit", "release_date", "tempo").row(0)
    assert row == ("a", 200_000, 5, 1, "1999-12-31", 120.5)
    found = sorted(reading.findings.drop("file").rows())
    assert [finding[:3] for finding in found] == [
        (1, "type", "name"),
        (2, "type", "duration_ms"),
        (2, "type", "name"),
    ]
    assert all(finding[3].isprintable() for finding in found)


def test_parquet_keys_of_sessions(folder: Callable[..., Path]) -> None:
    """Text, floats and integers past int64 name the same sessions as in JSON."""
    for values, expected in (
        (["a1b2", "7"], [key("a1b2"), 7]),
        ([7.0, 8.0], [7, 8]),
        (pl.Series([2**64 - 1, 7], dtype=pl.UInt64), [key(str(2**64 - 1)), 7]),
    ):
        place = folder()
        reading = parquet(place, "sessions", pl.DataFrame({"session_id": values}))
        assert reading.frame["session_id"].to_list() == expected
        assert reading.findings.is_empty()
