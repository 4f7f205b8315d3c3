"""What the ground truth of a sample says about who plays which track to its end."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.dataset.sample.truth import FILES, FullPlays, expected_full_plays

MONDAY, WEEKS = date(2025, 9, 15), 16  # before 2026-01-05
END = MONDAY + timedelta(weeks=WEEKS)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth of a sample of 60 users and 16 weeks."""
    return write_sample(tmp_path_factory.mktemp("sample") / "data", users=60, weeks=WEEKS).folder / "truth"


def parquet(truth: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(truth / f"{name}.parquet")


def all_plays(truth: Path, first: date, last: date) -> np.ndarray:
    """The plays to expect (users, tracks), to their end or not."""
    demand = pl.DataFrame(np.load(truth / "demand.npy"), parquet(truth, "artists")["id"].to_list())
    rates = parquet(truth, "weeks").filter(pl.col("week").is_between(first, last, "left"))
    rate = dict(rates.group_by("artist_id").agg(pl.col("rate").sum()).iter_rows())
    tracks = parquet(truth, "tracks").select("artist_id", "share").iter_rows()
    return np.column_stack([demand[artist].to_numpy() * rate[artist] * share for artist, share in tracks])


def finished(truth: Path) -> np.ndarray:
    """The share (users, tracks) of plays that go to the end."""
    return expected_full_plays(truth, MONDAY, END).expected / all_plays(truth, MONDAY, END)


def simple_plays(truth: Path) -> pl.DataFrame:
    """The plays of users who never buy premium, with no advertisement before them; rows of users and tracks."""
    events = pl.read_ndjson(truth.parent / "sessions.jsonl")
    after = pl.col("event_type").shift().over("session_id") == "ADVERTISEMENT"
    log = events.with_columns(after=after.fill_null(False)).filter(pl.col("event_type") == "PLAY")
    plays = parquet(truth, "skips").with_columns(after=log["after"])
    assert plays["track_id"].equals(log["track_id"])
    users = parquet(truth, "users").with_row_index("user").filter(~pl.col("buyer"))
    tracks = parquet(truth, "tracks").with_row_index("track")
    return plays.filter(~pl.col("after")).join(users, on="user_id").join(tracks, on="track_id")


def test_the_plays_of_an_artist_divide_among_users_and_tracks(truth: Path) -> None:
    """The shares of users and of tracks add up, so that the rates of weeks.parquet are the sum of all plays."""
    assert np.load(truth / "demand.npy").dtype == np.float32
    shares = parquet(truth, "tracks").group_by("artist_id").agg(pl.col("share").sum())
    assert shares["share"].to_list() == pytest.approx([1.0] * len(shares))
    artists = parquet(truth, "tracks")["artist_id"]
    plays = pl.DataFrame({"artist_id": artists, "plays": all_plays(truth, MONDAY, END).sum(axis=0)})
    rates = parquet(truth, "weeks").group_by("artist_id").agg(pl.col("rate").sum())
    both = plays.group_by("artist_id").agg(pl.col("plays").sum()).join(rates, on="artist_id")
    assert len(both) == len(rates)
    assert both["plays"].to_list() == pytest.approx(both["rate"].to_list(), rel=1e-4)


def test_full_plays_are_those_that_are_not_skipped(truth: Path) -> None:
    """Every pair has fewer full plays than plays; users and tracks stand in the order of the tables."""
    full = expected_full_plays(truth, MONDAY, END)
    assert isinstance(full, FullPlays)
    assert full.expected.dtype == np.float32
    assert full.user_ids == pl.read_ndjson(truth.parent / "users.jsonl")["user_id"].to_list()
    assert full.track_ids == pl.read_ndjson(truth.parent / "tracks.jsonl")["id"].to_list()
    assert ((finished(truth) > 0) & (finished(truth) < 1)).all()


def test_the_share_of_full_plays_is_that_of_the_log(truth: Path) -> None:
    """Without premium and advertisement, the probability of each play in the log is that of its user and track."""
    plays = simple_plays(truth)
    expected = 1 - finished(truth)[plays["user"].to_numpy(), plays["track"].to_numpy()]
    assert len(plays) > 5000
    assert plays["probability"].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_the_log_has_the_expected_mix_of_users_and_tracks(truth: Path) -> None:
    """The mean probability of the plays that happened is that of the expected plays, within four standard errors."""
    plays = simple_plays(truth)
    rest = ~parquet(truth, "users")["buyer"].to_numpy()
    weights, skip = all_plays(truth, MONDAY, END)[rest], 1 - finished(truth)[rest]
    mean = np.average(skip, weights=weights)
    deviation = np.sqrt(np.average((skip - mean) ** 2, weights=weights))
    assert abs(plays["probability"].mean() - mean) < 4 * deviation / np.sqrt(len(plays))


def test_one_pair_by_hand(truth: Path) -> None:
    """Rate × demand × share × the probability of no skip, from the definitions."""
    user, track = parquet(truth, "users").row(3, named=True), parquet(truth, "tracks").row(40, named=True)
    artists = parquet(truth, "artists")
    place = artists["id"].to_list().index(track["artist_id"])
    weeks = parquet(truth, "weeks").filter(artist_id=track["artist_id"])
    rate = weeks.filter(pl.col("week").is_in([MONDAY + timedelta(weeks=2), MONDAY + timedelta(weeks=3)]))["rate"].sum()
    logit = user["skip_base"] - 0.4 * (artists["genre"][place] in user["favourite_genres"])
    logit += sum(user[f"{trait}_slope"] * track[trait] for trait in ("danceability", "minutes", "valence"))
    full = rate * np.load(truth / "demand.npy")[3, place] * track["share"] / (1 + np.exp(logit))
    found = expected_full_plays(truth, MONDAY + timedelta(weeks=2), MONDAY + timedelta(weeks=4))
    assert found.expected[3, 40] == pytest.approx(full, rel=1e-5)


def test_weeks_add_up(truth: Path) -> None:
    """What is expected of all weeks is the sum of two parts of them."""
    middle = MONDAY + timedelta(weeks=5)
    parts = [expected_full_plays(truth, *weeks).expected for weeks in ((MONDAY, middle), (middle, END))]
    assert expected_full_plays(truth, MONDAY, END).expected == pytest.approx(parts[0] + parts[1], rel=1e-5)


def test_many_users_are_computed_in_blocks(truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a block, here one that does not divide the users, changes nothing."""
    whole = expected_full_plays(truth, MONDAY, END).expected
    monkeypatch.setattr("pozytywka_cli.dataset.sample.truth.BLOCK", 7)
    assert np.array_equal(expected_full_plays(truth, MONDAY, END).expected, whole)


@pytest.mark.parametrize(("start", "weeks"), [(1, 2), (0, 17), (-7, 2), (0, 0), (0, -1)])
def test_other_weeks_than_those_of_the_sample_are_refused(truth: Path, start: int, weeks: int) -> None:
    """From a Tuesday, after the end, before the start, none, or backwards."""
    first = MONDAY + timedelta(days=start)
    with pytest.raises(ValueError, match=str(first)):
        expected_full_plays(truth, first, first + timedelta(weeks=weeks))


def test_the_same_seed_gives_the_same_truth(truth: Path, tmp_path: Path) -> None:
    """Every file of it, byte for byte; another seed gives another."""
    again = write_sample(tmp_path / "again", users=60, weeks=WEEKS).folder / "truth"
    other = write_sample(tmp_path / "other", users=60, weeks=WEEKS, seed=1).folder / "truth"
    for name in FILES:
        assert (again / name).read_bytes() == (truth / name).read_bytes()
        assert (other / name).read_bytes() != (truth / name).read_bytes()
