"""One small dataset, and every variant of every family trained on it once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.families.registry import registry
from pozytywka_cli.families.similar.predict import Lookup
from pozytywka_cli.families.skip import predict as skip
from pozytywka_cli.families.weekly import predict as weekly
from pozytywka_cli.records import silent
from pozytywka_cli.settings import Settings, SimilarSettings, SkipSettings, WeeklySettings

SETTINGS = Settings(
    skip=SkipSettings(epochs=2),
    weekly=WeeklySettings(epochs=2, test_weeks=4),
    similar=SimilarSettings(factors=8, iterations=5),
)
VARIANTS = [(family, variant) for family in registry.FAMILIES for variant in registry.variants(family)]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 users, 30 weeks."""
    folder = tmp_path_factory.mktemp("contract")
    write_sample(folder / "data", users=40, weeks=30)
    return load(folder / "data", folder / "plays.parquet", lambda _: None)


def trained(root: Path, dataset: Dataset, family: str, variant: str, seed: int = 0) -> Version:
    """Train, save, and load what was saved."""
    settings = getattr(SETTINGS, family)
    origin = Origin(family, variant, msgspec.to_builtins(settings), seed, "cpu", None, dataset.inputs)
    made = registry.training(family).train(dataset, settings, variant=variant, seed=seed, device="cpu", report=silent)
    store = Store(root)
    return store.load(family, store.save(origin, made.model).name)


@dataclass(frozen=True)
class Questions:
    """How a family is asked: about everything at once, about one thing, and about what it has never seen."""

    everything: Callable[[Version, Dataset], pl.DataFrame]
    one_by_one: Callable[[Version, Dataset, pl.DataFrame], pl.DataFrame]
    unseen: Callable[[Version, Dataset], Any]


def _pairs(dataset: Dataset) -> pl.DataFrame:
    return skip.default_pairs(dataset).head(600)


def _unseen_pairs(version: Version, dataset: Dataset) -> list[tuple[str, bool]]:
    track, user = dataset.tracks["id"][0], dataset.plays["user_id"][0]
    pairs = pl.DataFrame({"user_id": [-7, user, -7], "track_id": [track, "nothing", "nothing"]})
    found = skip.predict(version, dataset, pairs)
    return list(zip(found["reason"], found["probability"].is_between(0, 1), strict=True))


def _forecast_alone(version: Version, dataset: Dataset, batch: pl.DataFrame) -> pl.DataFrame:
    """Each artist forecast from a log in which only that artist and the log's two ends remain."""
    owner = dataset.tracks.select(track_id="id", artist="id_artist")
    plays = dataset.plays.join(owner, on="track_id", how="left", maintain_order="left")
    ends = pl.col("started_at").is_in(plays.select(pl.col("started_at").min()).to_series().implode()) | (
        pl.col("started_at") == plays["started_at"].max()
    )
    parts = []
    for artist in batch["artist_id"]:
        alone = replace(dataset, plays=plays.filter(ends | (pl.col("artist") == artist)).drop("artist"))
        parts.append(weekly.predict(version, alone).filter(pl.col("artist_id") == artist))
    return pl.concat(parts)


def _neighbours(version: Version, ids: list[str]) -> pl.DataFrame:
    lookup = Lookup.open(version)
    rows = [(one, n.id, n.score) for one in ids for n in lookup.similar(lookup.by_id(one), 5)]
    return pl.DataFrame(rows, schema=["asked", "id", "score"], orient="row")


def _known_ids(version: Version, dataset: Dataset) -> list[str]:
    from pozytywka_cli.families.similar.model import Factors

    return sorted(Factors.load(version).ids.strings.list())


def _unknown_name(version: Version, _: Dataset) -> str:
    from pozytywka_cli.errors import RefusedError

    with pytest.raises(RefusedError) as refusal:
        Lookup.open(version).find("qqqqqqqqqqqqqqqqqqqq")
    return f"exit {refusal.value.exit_code}"


def _late_artist(version: Version, dataset: Dataset) -> list[bool]:
    """An artist first heard in the last full week, long after training."""
    last = dataset.plays.filter(pl.col("started_at") > dataset.plays["started_at"].max() - timedelta(days=2)).head(1)
    track = dataset.tracks.head(1).with_columns(id=pl.lit("new track"), id_artist=pl.lit("new artist"))
    later = replace(
        dataset,
        plays=pl.concat([dataset.plays, last.with_columns(track_id=pl.lit("new track"))]),
        tracks=pl.concat([dataset.tracks, track]),
    )
    found = weekly.predict(version, later).filter(pl.col("artist_id") == "new artist")
    return found["mean"].is_finite().to_list()


QUESTIONS = {
    "skip": Questions(
        lambda version, dataset: skip.predict(version, dataset, _pairs(dataset)),
        lambda version, dataset, batch: pl.concat(
            [skip.predict(version, dataset, _pairs(dataset)[row : row + 1]) for row in range(0, len(batch), 37)]
        ),
        _unseen_pairs,
    ),
    "weekly": Questions(
        weekly.predict, lambda version, dataset, batch: _forecast_alone(version, dataset, batch[::23]), _late_artist
    ),
    "similar": Questions(
        lambda version, dataset: _neighbours(version, _known_ids(version, dataset)),
        lambda version, dataset, _: pl.concat(
            [_neighbours(version, [one]) for one in _known_ids(version, dataset)[::23]]
        ),
        _unknown_name,
    ),
}
UNSEEN = {
    "skip": [("unknown user", True), ("unknown track", True), ("unknown track", True)],
    "weekly": [True],
    "similar": "exit 3",
}
