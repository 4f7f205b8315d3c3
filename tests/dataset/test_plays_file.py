"""The file of plays: what was written is what is read, or it is refused."""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.tables import NO_NAMES
from pozytywka_cli.errors import ArtifactError, StorageError
from pozytywka_cli.records import Input

MOMENT = datetime(2023, 5, 1, 10, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
SCHEMA = {
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "track_id": pl.String,
    "started_at": TIME,
    "advertisement_before": pl.Boolean,
    "skipped": pl.Boolean,
    "liked": pl.Boolean,
    "listened_ms": pl.Int64,
    "skipped_at": TIME,
    "liked_at": TIME,
}
ROWS = [
    (1, 7, "t1", MOMENT, False, True, False, 4000, MOMENT, None),
    (1, 7, "t2", MOMENT, True, False, True, None, None, MOMENT),
]
PLAYS = pl.DataFrame(ROWS, schema=SCHEMA, orient="row")
PURCHASES = pl.DataFrame([(1, MOMENT)], schema={"user_id": pl.Int64, "purchased_at": TIME}, orient="row")
INPUTS = [Input("sessions.jsonl", "0" * 64, 10, 2, "2023-05-01T10:00:00Z", "2023-05-01T10:00:00Z")]


def written(folder: Path, plays: pl.DataFrame = PLAYS) -> Path:
    """The file of these plays, a purchase and an input."""
    plays_file.write(folder / "plays.parquet", plays, PURCHASES, INPUTS, NO_NAMES)
    return folder / "plays.parquet"


def problem(path: Path) -> str:
    """Why a file is refused."""
    with pytest.raises(ArtifactError) as raised:
        plays_file.read(path)
    assert raised.value.exit_code == 4
    assert str(path) in raised.value.message
    assert "pozytywka transform" in raised.value.hint
    return raised.value.message


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Plays, purchases, inputs and names of columns; any Parquet reader can read the plays, too."""
    path = written(tmp_path)
    plays, purchases, inputs, columns = plays_file.read(path)
    assert plays.equals(PLAYS)
    assert purchases.equals(PURCHASES)
    assert (inputs, columns) == (INPUTS, {})
    assert pl.read_parquet(path).equals(PLAYS)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    """Wherever it is: in the rows, in the metadata, or in the digest itself."""
    content = bytearray(written(tmp_path).read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    (tmp_path / "flipped").write_bytes(content)
    problem(tmp_path / "flipped")


@pytest.mark.parametrize("content", [b"", b"plays", b"PAR1", bytes(100)], ids=["empty", "text", "cut short", "zeros"])
def test_a_file_that_is_not_parquet_is_refused(content: bytes, tmp_path: Path) -> None:
    """It is damaged, or was made by something else."""
    path = tmp_path / "plays.parquet"
    path.write_bytes(content)
    problem(path)


def test_a_file_that_was_cut_or_extended_is_refused(tmp_path: Path) -> None:
    """At either end."""
    content = written(tmp_path).read_bytes()
    for number, damaged in enumerate((content[:-1], content[1:], content + b"x", content[: len(content) // 2])):
        (tmp_path / str(number)).write_bytes(damaged)
        problem(tmp_path / str(number))


def test_files_of_other_versions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an earlier or later one, without a digest, or without any metadata."""
    path = written(tmp_path)
    for version in (plays_file.VERSION - 1, plays_file.VERSION + 1):
        with monkeypatch.context() as patch:
            patch.setattr(plays_file, "VERSION", version)
            assert "version" in problem(path)
    for metadata in ({}, {"pozytywka": '{"transform":3,"inputs":[],"purchases":[]}'}):
        PLAYS.write_parquet(path, metadata=metadata)
        assert "version" in problem(path)


@pytest.mark.parametrize(
    ("plays", "column"),
    [
        (PLAYS.drop("liked_at"), "liked_at"),
        (PLAYS.with_columns(pl.col("user_id").cast(pl.String)), "user_id"),
        (PLAYS.with_columns(pl.col("started_at").dt.replace_time_zone(None)), "started_at"),
        (PLAYS.with_columns(track_id=pl.lit(None, pl.String)), "track_id"),
        (PLAYS.with_columns(skipped=pl.Series([True, None])), "skipped"),
    ],
    ids=["missing", "text for a number", "no time zone", "nulls", "a null"],
)
def test_other_columns_than_those_of_plays_are_refused(plays: pl.DataFrame, column: str, tmp_path: Path) -> None:
    """The message names the column."""
    assert column in problem(written(tmp_path, plays))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """As one that does not exist."""
    assert "does not exist" in problem(tmp_path / "plays.parquet")


def test_a_file_that_cannot_be_read_is_a_storage_error(tmp_path: Path) -> None:
    """Such as a folder, or a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StorageError, match=str(path)):
            plays_file.read(path)


def test_the_same_plays_give_the_same_bytes(tmp_path: Path) -> None:
    """The digest is a part of them."""
    assert written(tmp_path).read_bytes() == written(tmp_path).read_bytes()
