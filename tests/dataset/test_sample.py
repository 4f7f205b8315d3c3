"""The generated sample: its files, its believability and its truth."""

import json
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_cli.dataset.sample import Sample, write_sample
from pozytywka_cli.errors import StorageError, UsageError

TABLES = ("users", "artists", "tracks", "sessions", "track_storage")
SHARES = ["danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence"]
ISO = "%Y-%m-%dT%H:%M:%S%.f"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table(sample: Sample, name: str) -> pl.DataFrame:
    return pl.read_ndjson(sample.folder / f"{name}.jsonl", infer_schema_length=None)


def truth(sample: Sample, name: str) -> pl.DataFrame:
    return pl.read_parquet(sample.folder / "truth" / f"{name}.parquet")


def events(sample: Sample) -> pl.DataFrame:
    """The log with parsed times and, on every line, the number of the PLAY that it belongs to."""
    return table(sample, "sessions").with_columns(
        pl.col("timestamp").str.to_datetime(ISO, time_unit="us"), play=(pl.col("event_type") == "PLAY").cum_sum()
    )


def plays(sample: Sample) -> pl.DataFrame:
    """One row for each PLAY, in the order of the file."""
    return (
        events(sample)
        .group_by("play", maintain_order=True)
        .agg(
            pl.col("user_id", "session_id", "track_id", "timestamp").first(),
            skipped=(pl.col("event_type") == "SKIP").any(),
        )
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write_sample(tmp_path_factory.mktemp("clean") / "sample", users=12, weeks=6)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write_sample(tmp_path_factory.mktemp("dirty") / "sample", users=12, weeks=6, dirty=True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return write_sample(tmp_path_factory.mktemp("large") / "sample", users=300, weeks=60)


def test_the_same_arguments_give_the_same_bytes(clean: Sample, dirty: Sample, tmp_path: Path) -> None:
    """Every file, truth included, is a function of the arguments."""
    again = write_sample(tmp_path / "again", users=12, weeks=6)
    dirty_again = write_sample(tmp_path / "dirty", users=12, weeks=6, dirty=True)
    assert contents(again.folder) == contents(clean.folder)
    assert contents(dirty_again.folder) == contents(dirty.folder)


def test_another_seed_gives_another_service(clean: Sample, tmp_path: Path) -> None:
    """The seed reaches the music, the users and the log."""
    other = write_sample(tmp_path / "other", users=12, weeks=6, seed=1)
    for name in TABLES:
        assert (other.folder / f"{name}.jsonl").read_bytes() != (clean.folder / f"{name}.jsonl").read_bytes()


@pytest.mark.parametrize("held", ["notes.txt", "sessions.jsonl", "truth/sample.json/x", "truth/mine.csv"])
def test_a_foreign_folder_is_refused_and_left_as_it_was(held: str, tmp_path: Path) -> None:
    """Whatever no sample has written may be someone's work."""
    (tmp_path / "mine" / held).parent.mkdir(parents=True)
    (tmp_path / "mine" / held).write_text("precious")
    with pytest.raises(UsageError, match="not a sample's"):
        write_sample(tmp_path / "mine", users=2, weeks=1)
    assert contents(tmp_path) == {f"mine/{held}": b"precious"}


def test_notes_and_hidden_files_are_kept(tmp_path: Path) -> None:
    """A folder with only a README and dotfiles, as `data/` of a clone is, may be filled; they stay, also next time."""
    (tmp_path / "data" / ".git").mkdir(parents=True)
    (tmp_path / "data" / "README.md").write_text("notes")
    (tmp_path / "data" / ".git" / "HEAD").write_text("ref")
    for _ in range(2):
        sample = write_sample(tmp_path / "data", users=2, weeks=1)
        assert (sample.folder / "README.md").read_text() == "notes"
        assert (sample.folder / ".git" / "HEAD").read_text() == "ref"
        assert (sample.folder / "sessions.jsonl").stat().st_size
    assert list(tmp_path.iterdir()) == [tmp_path / "data"]


def test_a_sample_with_a_file_of_the_users_is_refused(tmp_path: Path) -> None:
    """A former sample is replaced only when nothing else would be lost."""
    write_sample(tmp_path / "sample", users=2, weeks=1)
    (tmp_path / "sample" / "notes.txt").write_text("precious")
    with pytest.raises(UsageError):
        write_sample(tmp_path / "sample", users=2, weeks=1)
    assert (tmp_path / "sample" / "notes.txt").read_text() == "precious"


def test_a_sample_whose_table_somebody_replaced_is_refused(tmp_path: Path) -> None:
    """Their own data may have been put in its place."""
    write_sample(tmp_path / "sample", users=2, weeks=1)
    write_sample(tmp_path / "sample", users=3, weeks=1)
    (tmp_path / "sample" / "sessions.jsonl").write_text("precious")
    with pytest.raises(UsageError, match="not a sample's"):
        write_sample(tmp_path / "sample", users=2, weeks=1)
    assert (tmp_path / "sample" / "sessions.jsonl").read_text() == "precious"


def test_a_file_and_the_current_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither can be replaced by a folder without harm."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="not a folder"):
        write_sample(tmp_path / "file", users=2, weeks=1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="current folder"):
        write_sample(Path(), users=2, weeks=1)


def test_a_former_sample_is_replaced(clean: Sample, tmp_path: Path) -> None:
    """Writing over a sample leaves nothing of it, and nothing beside the new one."""
    write_sample(tmp_path / "sample", users=3, weeks=2, seed=5, dirty=True)
    write_sample(tmp_path / "sample", users=12, weeks=6)
    assert contents(tmp_path / "sample") == contents(clean.folder)
    assert list(tmp_path.iterdir()) == [tmp_path / "sample"]


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path: Path) -> None:
    """The folder and those above it need not be there."""
    (tmp_path / "empty").mkdir()
    assert write_sample(tmp_path / "empty", users=2, weeks=1).plays > 0
    assert write_sample(tmp_path / "a" / "b", users=2, weeks=1).plays > 0


def test_a_failure_leaves_the_former_sample_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new sample takes the place of the old one only when it is complete."""
    before = contents(write_sample(tmp_path / "sample", users=2, weeks=1).folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pozytywka_cli.dataset.sample.write._write_events", full)
    with pytest.raises(StorageError, match="No space left"):
        write_sample(tmp_path / "sample", users=3, weeks=1)
    assert contents(tmp_path / "sample") == before
    assert list(tmp_path.iterdir()) == [tmp_path / "sample"]


@pytest.mark.parametrize(
    ("users", "weeks", "seed", "option"),
    [(0, 1, 0, "--users"), (1, 0, 0, "--weeks"), (1, 1001, 0, "--weeks"), (1, 1, -1, "--seed")],
)
def test_a_number_that_cannot_be_used_names_its_option(
    users: int, weeks: int, seed: int, option: str, tmp_path: Path
) -> None:
    """The user learns which option to change, and nothing is written."""
    with pytest.raises(UsageError, match=option) as caught:
        write_sample(tmp_path / "sample", users=users, weeks=weeks, seed=seed)
    assert caught.value.hint
    assert not (tmp_path / "sample").exists()


def test_the_fields_are_those_of_2023(clean: Sample) -> None:
    """Keys, and their order, are what the service wrote in 2023."""
    first = {name: list(json.loads((clean.folder / f"{name}.jsonl").read_text().splitlines()[0])) for name in TABLES}
    assert first["users"] == ["user_id", "name", "city", "street", "favourite_genres", "premium_user"]
    assert first["artists"] == ["id", "name", "genres"]
    assert first["sessions"] == ["timestamp", "user_id", "track_id", "event_type", "session_id"]
    assert first["track_storage"] == ["track_id", "storage_class", "daily_cost"]
    head = ["id", "name", "popularity", "duration_ms", "explicit", "id_artist", "release_date"]
    sound = ["danceability", "energy", "key", "loudness", *SHARES[2:], "tempo"]
    assert first["tracks"] == head + sound


def test_the_music_is_in_order(clean: Sample) -> None:
    """Ids, names and titles are unique, values in range, references known, every track stored."""
    artists, tracks, storage = (table(clean, name) for name in ("artists", "tracks", "track_storage"))
    assert artists["id"].is_unique().all()
    assert artists["name"].is_unique().all()
    assert artists["genres"].list.len().is_between(1, 3).all()
    assert tracks["id"].str.contains("^[0-9A-Za-z]{22}$").all()
    assert tracks["id"].is_unique().all()
    assert tracks.select("id_artist", "name").is_unique().all()
    assert set(tracks["id_artist"]) == set(artists["id"])
    assert tracks.select(pl.col(SHARES).is_between(0, 1).all()).row(0) == (True,) * len(SHARES)
    assert tracks["popularity"].is_between(0, 100).all()
    assert tracks["key"].is_between(0, 11).all()
    assert tracks["explicit"].is_in([0, 1]).all()
    assert tracks["duration_ms"].is_between(120_000, 540_000).all()
    assert set(tracks["release_date"].str.len_chars()) == {4, 7, 10}
    assert storage["track_id"].to_list() == tracks["id"].to_list()
    assert storage["storage_class"].is_in(["FAST", "MEDIUM", "SLOW"]).all()
    assert (storage["daily_cost"] > 0).all()


def test_post_metal_holds_the_five(clean: Sample) -> None:
    """The bands that the examples name are there."""
    genre = truth(clean, "artists").filter(pl.col("genre") == "post-metal")
    assert {"Rosetta", "Cult Of Luna", "Pelican", "*shels", "The Ocean"} <= set(genre["name"])
    mains = table(clean, "artists").select(pl.col("genres").list.first())["genres"]
    assert mains.to_list() == truth(clean, "artists")["genre"].to_list()


def test_the_log_is_in_order(clean: Sample) -> None:
    """Known users and tracks, sessions by user with new numbers, time order with PLAY last, nothing before a PLAY."""
    log = events(clean)
    assert log["user_id"].is_in(table(clean, "users")["user_id"].to_list()).all()
    named = log["event_type"].is_in(["PLAY", "SKIP", "LIKE"])
    assert log.filter(named)["track_id"].is_in(table(clean, "tracks")["id"].to_list()).all()
    assert (log.filter(~named)["track_id"] == "").all()
    sessions = log.unique(["user_id", "session_id"], maintain_order=True)
    assert sessions["session_id"].to_list() == list(range(124, 124 + clean.sessions))
    assert sessions["user_id"].is_sorted()
    ordered = log.sort("session_id", "timestamp", pl.col("event_type") == "PLAY", maintain_order=True)
    assert ordered.equals(log)
    assert (log.filter(pl.col("session_id") != pl.col("session_id").shift(fill_value=0))["event_type"] == "PLAY").all()
    inside = log.filter(named)
    assert inside.filter(pl.col("track_id") != pl.col("track_id").first().over("play")).is_empty()


def test_likes_and_skips_fall_within_the_listening(clean: Sample) -> None:
    """A SKIP comes a second or later, not past the end of the track, and a LIKE strictly inside of what was heard."""
    log = events(clean).join(table(clean, "tracks").select(track_id="id", duration="duration_ms"), on="track_id")
    after = (pl.col("timestamp") - pl.col("timestamp").first().over("play")).dt.total_milliseconds()
    log = log.sort("play", "timestamp", maintain_order=True).with_columns(after=after)
    skips = log.filter(pl.col("event_type") == "SKIP")
    assert (skips["after"] >= 1000).all()
    assert (skips["after"] <= skips["duration"]).all()
    likes = log.filter(pl.col("event_type") == "LIKE").join(skips.select("play", end="after"), on="play", how="left")
    assert likes.select(((pl.col("after") > 0) & (pl.col("after") < pl.coalesce("end", "duration"))).all()).item()


def test_sessions_stay_inside_their_week(large: Sample) -> None:
    """Full weeks before 2026-01-05, and no session with plays in two of them, so that weekly truth is exact."""
    weeks = plays(large).with_columns(week=pl.col("timestamp").dt.truncate("1w"))
    assert weeks.group_by("session_id").agg(pl.col("week").n_unique())["week"].max() == 1
    assert weeks["week"].n_unique() == 60
    assert weeks["week"].max() == datetime(2025, 12, 29)
    assert weeks["timestamp"].max() < datetime(2026, 1, 5)


def test_sessions_of_a_user_do_not_overlap(large: Sample) -> None:
    """A user listens to one thing at a time."""
    sessions = (
        events(large)
        .group_by("user_id", "session_id", maintain_order=True)
        .agg(start=pl.col("timestamp").min(), end=pl.col("timestamp").max())
    )
    early = sessions.filter(pl.col("start") <= pl.col("end").shift(1).over("user_id"))
    assert early.is_empty()


def test_no_advertisement_follows_premium(large: Sample) -> None:
    """Premium is bought by about a quarter of the users, once, and ends the advertisements."""
    log = events(large)
    bought = log.filter(pl.col("event_type") == "BUY_PREMIUM")
    assert bought["user_id"].is_unique().all()
    assert 0.15 < len(bought) / large.users < 0.35
    users = table(large, "users")
    assert set(users.filter("premium_user")["user_id"]) == set(bought["user_id"])
    heard = log.filter(pl.col("event_type") == "ADVERTISEMENT").join(
        bought.select("user_id", since="timestamp"), on="user_id"
    )
    assert len(heard) > 0
    assert (heard["timestamp"] < heard["since"]).all()


def test_the_truth_has_one_row_for_each_play(clean: Sample) -> None:
    """The rows of skips.parquet are the PLAYs of the log, by user, session and time."""
    skips = truth(clean, "skips")
    assert skips.schema["started_at"] == pl.Datetime("us", "UTC")
    assert skips.equals(skips.sort("user_id", "session_id", "started_at"))
    expected = plays(clean).select(
        "user_id", "session_id", "track_id", started_at=pl.col("timestamp").dt.replace_time_zone("UTC")
    )
    assert skips.drop("probability").equals(expected)


def test_the_skips_follow_their_probabilities(large: Sample) -> None:
    """In every tenth of the probabilities the share of skips is within four standard errors of their mean."""
    skipped, probability = plays(large)["skipped"], truth(large, "skips")["probability"]
    frame = pl.DataFrame({"skipped": skipped, "probability": probability})
    tenths = (
        frame.sort("probability")
        .with_row_index()
        .group_by(pl.col("index") * 10 // len(frame))
        .agg(
            error=pl.col("skipped").mean() - pl.col("probability").mean(),
            deviation=(pl.col("probability") * (1 - pl.col("probability"))).sum().sqrt() / pl.len(),
        )
    )
    assert len(tenths) == 10
    assert (tenths["error"].abs() < 4 * tenths["deviation"]).all()
    assert 0.27 < skipped.mean() < 0.34
    assert probability.std() > 0.15


def test_the_weekly_plays_follow_their_rates(large: Sample) -> None:
    """Plays of (artist, week) spread about the rate as Poisson counts do: the Pearson statistic is near its mean."""
    artist = table(large, "tracks").select(track_id="id", artist_id="id_artist")
    counts = (
        plays(large)
        .join(artist, on="track_id")
        .group_by("artist_id", week=pl.col("timestamp").dt.truncate("1w").dt.date())
        .len("plays")
    )
    rates = truth(large, "weeks").join(counts, on=["artist_id", "week"], how="left").fill_null(0)
    assert len(rates) == large.artists * 60
    assert rates["plays"].sum() == large.plays
    assert rates["week"].dt.weekday().unique().to_list() == [1]
    pearson = ((rates["plays"] - rates["rate"]) ** 2 / rates["rate"]).mean()
    assert pearson == pytest.approx(1.0, abs=0.08)
    kinds = Counter(truth(large, "artists")["level"])
    assert set(kinds) == {"flat", "trending", "seasonal", "autoregressive"}
    assert max(kinds.values()) - min(kinds.values()) <= 1
    assert rates.filter(
        pl.col("artist_id").is_in(truth(large, "artists").filter(level="flat")["id"].to_list())
    ).group_by("artist_id").agg(pl.col("rate").std())["rate"].max() == pytest.approx(0)


def test_users_play_their_favourite_genres_most(large: Sample) -> None:
    """A genre that a user names is played several times as often as the others, so that tastes can be learnt."""
    tracks = table(large, "tracks").select(track_id="id", id="id_artist").join(truth(large, "artists"), on="id")
    heard = plays(large).join(tracks, on="track_id").join(table(large, "users"), on="user_id")
    share = heard.select(pl.col("favourite_genres").list.contains(pl.col("genre")).mean()).item()
    assert share > 0.4


def test_the_counts_are_those_of_the_files(clean: Sample, dirty: Sample) -> None:
    """The result and truth/sample.json speak of the clean rows, dirty or not."""
    for name, count in [("users", clean.users), ("artists", clean.artists), ("tracks", clean.tracks)]:
        assert len(table(clean, name)) == count
    assert len(events(clean)) == clean.events
    assert len(plays(clean)) == clean.plays
    assert clean.faults == 0
    assert json.loads((clean.folder / "truth" / "faults.json").read_text()) == []
    settings = json.loads((dirty.folder / "truth" / "sample.json").read_text())
    assert settings.pop("bytes") == {path.name: path.stat().st_size for path in dirty.folder.glob("*.jsonl")}
    assert settings == {"users": 12, "weeks": 6, "seed": 0, "dirty": True} | {
        name: getattr(dirty, name) for name in ("artists", "tracks", "sessions", "events", "plays", "faults")
    }
    assert (clean.sessions, clean.events, clean.plays) == (dirty.sessions, dirty.events, dirty.plays)


def test_the_dirty_sample_is_the_clean_one_with_more_lines(clean: Sample, dirty: Sample) -> None:
    """Clean lines stand as they were; generated faults come after them."""
    for name in TABLES:
        lines = (clean.folder / f"{name}.jsonl").read_bytes()
        dirtied = (dirty.folder / f"{name}.jsonl").read_bytes()
        assert dirtied.startswith(lines)
        assert dirtied.count(b"\n") > lines.count(b"\n")


def rows(sample: Sample, name: str) -> list[dict[str, Any] | None]:
    """The objects of a file; None for a line that is not an object of distinct keys."""
    return [strict(line) for line in (sample.folder / f"{name}.jsonl").read_bytes().split(b"\n")[:-1]]


def strict(line: bytes) -> dict[str, Any] | None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    try:
        row = json.loads(line.decode(), object_pairs_hook=once)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def good(sample: Sample, name: str) -> list[dict[str, Any]]:
    return [row for row in rows(sample, name) if row is not None]


ANY = object()


def broken(sample: Sample, name: str, rule: str, column: object) -> int:
    """How often the list of generated faults names a rule."""
    faults = json.loads((sample.folder / "truth" / "faults.json").read_text())
    same = [fault for fault in faults if (fault["table"], fault["rule"]) == (name, rule)]
    return sum(fault["count"] for fault in same if column is ANY or fault["column"] == column)


def test_the_list_of_faults_adds_up(clean: Sample, dirty: Sample) -> None:
    """Every rule that a line can break is broken, a few times, at its level."""
    faults = json.loads((dirty.folder / "truth" / "faults.json").read_text())
    assert sum(fault["count"] for fault in faults) == dirty.faults
    assert all(1 <= fault["count"] <= 5 for fault in faults)
    levels = {fault["rule"]: fault["level"] for fault in faults}
    errors = {"json", "type", "required", "key", "range", "event_type", "time", "track"}
    warnings = {
        "reference",
        "optional",
        "unusual",
        "duplicate_name",
        "duplicate_title",
        "orphan",
        "event_track",
        "order",
    }
    assert levels == dict.fromkeys(errors, "error") | dict.fromkeys(warnings | {"storage", "extra"}, "warning")


@pytest.mark.parametrize("name", TABLES)
def test_the_unreadable_lines_are_as_many_as_listed(name: str, dirty: Sample) -> None:
    """A strict decoder refuses the lines of rule json and no others."""
    assert sum(row is None for row in rows(dirty, name)) == broken(dirty, name, "json", ANY) > 0


@pytest.mark.parametrize(
    ("name", "key"), [("users", "user_id"), ("artists", "id"), ("tracks", "id"), ("track_storage", "track_id")]
)
def test_the_keys_are_faulty_as_often_as_listed(name: str, key: str, dirty: Sample) -> None:
    """Repeated keys, missing ones, and ones of the wrong type, counted by hand."""
    keys = [row.get(key) for row in good(dirty, name)]
    missing = [value for value in keys if value in (None, "", -1)]
    assert len(missing) == broken(dirty, name, "required", key) > 0
    kind = int if name == "users" else str
    typed = [value for value in keys if isinstance(value, kind) and value not in (-1, "")]
    wrong = len(keys) - len(missing) - len(typed) + sum(value >= 2**63 for value in typed if isinstance(value, int))
    assert wrong == broken(dirty, name, "type", key)
    repeated = sum(count - 1 for value, count in Counter(typed).items() if value != 2**63)
    assert repeated == broken(dirty, name, "key", key) > 0


def test_the_events_are_faulty_as_often_as_listed(dirty: Sample) -> None:
    """Faults of the log, counted by hand from its lines."""
    log = good(dirty, "sessions")
    tracks = {row["id"] for row in good(dirty, "tracks")}
    users = {row["user_id"] for row in good(dirty, "users")}
    music = [row for row in log if row["event_type"] in ("PLAY", "SKIP", "LIKE") and isinstance(row["track_id"], str)]
    named = [row for row in music if row["track_id"]]
    assert sum(row["track_id"] not in tracks for row in named) == broken(dirty, "sessions", "track", "track_id")
    known = users | {None, -1, "u101", 2**63}
    strangers = sum(row.get("user_id") not in known for row in log)
    assert strangers == broken(dirty, "sessions", "reference", "user_id")
    started = Counter(row["session_id"] for row in log if row["event_type"] == "PLAY")
    orphans = sum(row["event_type"] in ("SKIP", "LIKE") and row["session_id"] not in started for row in log)
    assert orphans == broken(dirty, "sessions", "orphan", "event_type")
    pairs = [(before, row) for before, row in pairwise(log) if before["session_id"] == row["session_id"]]
    back = sum(
        row["timestamp"] < before["timestamp"] for before, row in pairs if before["timestamp"] and row["timestamp"]
    )
    assert back == broken(dirty, "sessions", "order", "timestamp")


def test_the_tracks_are_faulty_as_often_as_listed(dirty: Sample) -> None:
    """Titles that an artist has twice, and good tracks that are stored nowhere."""
    tracks = good(dirty, "tracks")
    titles = Counter((row["id_artist"], row["name"]) for row in tracks if row["name"])
    assert sum(count > 1 for count in titles.values()) == broken(dirty, "tracks", "duplicate_title", "name")
    stored = {row["track_id"] for row in good(dirty, "track_storage")}
    unstored = {row["id"] for row in tracks if row["id"]} - stored
    assert len(unstored) == broken(dirty, "tracks", "storage", "id")
