"""The service's real data: facts that were counted independently, and plays that no order of lines changes."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.checking.validate import Checked, check
from pozytywka_cli.dataset.plays import COLUMNS
from pozytywka_cli.dataset.tables import Level
from pozytywka_cli.dataset.transform import transform

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here (../shared/data)"),
]


@pytest.fixture(scope="module")
def clean() -> Checked:
    return check(DATA / "pozytywka-2023", facts=True)


@pytest.fixture(scope="module")
def dirty() -> Checked:
    return check(DATA / "pozytywka-2023-dirty", facts=True)


@pytest.fixture(scope="module")
def large() -> Checked:
    return check(DATA / "pozytywka-2024", facts=True)


def facts(checked: Checked, table: str, column: str | None) -> dict[str, object]:
    return {fact.statistic: fact.value for fact in checked.profile if (fact.table, fact.column) == (table, column)}


def counts(checked: Checked) -> list[tuple[str, str, str | None, Level, int]]:
    return [(v.table, v.rule, v.column, v.level, v.count) for v in checked.violations]


def days(checked: Checked) -> tuple[str, str]:
    times = facts(checked, "sessions", "timestamp")
    return str(times["min"])[:10], str(times["max"])[:10]


def all_lines(checked: Checked) -> dict[str, tuple[int, int]]:
    """Good and bad lines of each table, after counting the files' lines without the package's code."""
    for name, reading in checked.readings.items():
        written = sum(pl.scan_lines(path).select(pl.len()).collect().item() for path in reading.paths)
        assert len(checked.good(name)) + len(checked.bad(name)) == reading.lines == written
    return {name: (len(checked.good(name)), len(checked.bad(name))) for name in checked.readings}


def test_2023(clean: Checked) -> None:
    """No errors; the two warnings are artists and tracks that share names."""
    assert counts(clean) == [
        ("artists", "duplicate_name", "name", "warning", 14),
        ("tracks", "duplicate_title", "name", "warning", 176),
    ]
    assert not [violation for violation in clean.violations if violation.level == "error"]
    assert all_lines(clean) == {
        "users": (50, 0),
        "artists": (10_657, 0),
        "tracks": (21_608, 0),
        "sessions": (19_348, 0),
        "track_storage": (21_608, 0),
    }


def test_the_profile_of_2023(clean: Checked) -> None:
    """Events by their spelling, sessions, and the days they cover."""
    assert facts(clean, "sessions", "event_type") == {
        "nulls": 0,
        "count of PLAY": 10_229,
        "count of SKIP": 3_761,
        "count of LIKE": 2_833,
        "count of ADVERTISEMENT": 2_497,
        "count of BUY_PREMIUM": 28,
    }
    assert facts(clean, "sessions", None) == {"files": 1, "rows": 19_348, "sessions": 596}
    assert days(clean) == ("2023-01-01", "2023-03-28")
    assert facts(clean, "sessions", "track_id") == {"nulls": 0, "empty": 2_525, "distinct": 4_960}


def test_hold_on(clean: Checked) -> None:
    """The title that one artist uses four times."""
    tracks = clean.good("tracks")
    same = (pl.col("name") == "Hold On") & (pl.col("id_artist") == "1uNFoZAHBGtllmzznpCI3s")
    assert len(tracks.filter(same)) == 4


def test_2023_dirty(dirty: Checked) -> None:
    """Every fault of the first delivery, counted, and the missing table with the rules that need it."""
    assert counts(dirty) == [
        ("users", "optional", "favourite_genres", "warning", 5),
        ("users", "optional", "premium_user", "warning", 1),
        ("users", "extra", "id", "warning", 1),
        ("artists", "required", "id", "error", 494),
        ("artists", "optional", "genres", "warning", 544),
        ("artists", "duplicate_name", "name", "warning", 14),
        ("tracks", "table", None, "error", 1),
        ("sessions", "required", "event_type", "error", 167),
        ("sessions", "required", "track_id", "error", 94),
        ("sessions", "required", "user_id", "error", 195),
        ("sessions", "optional", "track_id", "warning", 54),
        ("sessions", "orphan", "event_type", "warning", 34),
        ("sessions", "event_track", "track_id", "warning", 67),
    ]
    missing = next(violation for violation in dirty.violations if violation.rule == "table").examples[0]
    assert missing.value == "missing; skipped: reference of track_storage.track_id, track of sessions.track_id"
    assert missing.line is None
    ids = next(violation for violation in dirty.violations if violation.column == "id" and violation.rule == "required")
    assert [(example.line, example.value) for example in ids.examples] == [(6, "-1"), (8, "-1"), (58, "-1")]
    assert all_lines(dirty) == {
        "users": (50, 0),
        "artists": (10_163, 494),
        "sessions": (3_178, 448),
        "track_storage": (21_608, 0),
    }


def test_the_profile_of_2023_dirty(dirty: Checked) -> None:
    """Nulls and -1 as they were written."""
    nulls = {
        (table, column): facts(dirty, table, column)["nulls"]
        for table, column in (
            ("artists", "genres"),
            ("sessions", "event_type"),
            ("sessions", "track_id"),
            ("sessions", "user_id"),
            ("users", "favourite_genres"),
            ("users", "premium_user"),
        )
    }
    assert list(nulls.values()) == [544, 167, 163, 195, 5, 1]
    assert facts(dirty, "artists", "id") == {"nulls": 0, "minus one": 494, "distinct": 10_163}


def test_2024(large: Checked) -> None:
    """Three million events in another dialect, none of them bad; 98 advertisements are there twice."""
    assert counts(large) == [
        ("tracks", "duplicate_title", "name", "warning", 2_646),
        ("sessions", "duplicate", None, "warning", 98),
    ]
    assert all_lines(large) == {
        "users": (1_000, 0),
        "artists": (1_667, 0),
        "tracks": (22_412, 0),
        "sessions": (3_173_490, 0),
        "track_storage": (22_412, 0),
    }
    assert facts(large, "sessions", "event_type") == {
        "nulls": 0,
        "count of play": 1_756_646,
        "count of skip": 548_661,
        "count of like": 439_595,
        "count of advertisment": 428_588,
    }
    assert facts(large, "sessions", None) == {"files": 1, "rows": 3_173_490, "sessions": 556_917}
    assert days(large) == ("2022-11-26", "2024-11-26")


def test_plays_of_2023(tmp_path: Path) -> None:
    """One play for each PLAY, one purchase for each user who bought."""
    made = transform(DATA / "pozytywka-2023", tmp_path / "plays.parquet")
    assert (made.rows, made.dropped) == (10_229, {"tracks": 0, "sessions": 0})
    assert (made.duplicates, made.other_reactions) == (0, 0)
    plays = pl.read_parquet(made.plays)
    assert plays.select(COLUMNS).null_count().row(0) == (0,) * 8
    assert plays["started_at"].min() > datetime.fromisoformat("2023-01-01T00:00:00Z")
    assert len(plays_file.read(made.plays).purchases) == 28


def test_plays_of_2024_do_not_depend_on_order_or_files(tmp_path: Path) -> None:
    """The same events shuffled and cut into fifty files give the same plays."""
    source, data = DATA / "pozytywka-2024", tmp_path / "data"
    made = transform(source, tmp_path / "plays.parquet")
    assert (made.rows, made.duplicates, made.other_reactions) == (1_756_646, 98, 0)
    (data / "sessions").mkdir(parents=True)
    (data / "tracks.jsonl").write_bytes((source / "tracks.jsonl").read_bytes())
    lines = pl.scan_lines(source / "sessions.jsonl.gz", name="line").collect().sample(fraction=1, shuffle=True, seed=0)
    for number, part in enumerate(lines.iter_slices(-(-len(lines) // 50))):
        path = data / "sessions" / f"{number}.jsonl"
        part.write_csv(path, include_header=False, quote_style="never")
    assert len(list((data / "sessions").iterdir())) == 50
    again = transform(data, tmp_path / "again" / "plays.parquet")
    assert pl.read_parquet(again.plays).equals(pl.read_parquet(made.plays))
