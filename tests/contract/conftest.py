"""One small dataset, and every variant of every family trained on it once: the toy family of this folder among them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn
from pozytywka_cli.families.family import Family, TrainingRun
from pozytywka_cli.families.predictor import Opener, Predictor
from pozytywka_cli.settings import Assigned, Settings

from . import toy_family

VALUES = {
    "skip.epochs": 2,
    "weekly.epochs": 2,
    "weekly.test_weeks": 4,
    "similar.factors": 8,
    "similar.iterations": 5,
    "recommend.factors": 8,
    "recommend.epochs": 2,
}
SETTINGS = Settings({key: Assigned(key, value, "the test") for key, value in VALUES.items()})
FAMILIES: dict[str, Family] = {name: registry.get(name) for name in registry.names()} | {"toy": toy_family.FAMILY}
VARIANTS = [(name, variant) for name, family in FAMILIES.items() for variant in family.variants]


@pytest.fixture(scope="module", autouse=True)
def _toy_family_is_registered() -> Iterator[None]:
    """One line in the registry is all that a family takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.MODULES, "toy", toy_family.__name__)
        yield


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 users, 30 weeks."""
    folder = tmp_path_factory.mktemp("contract")
    write_sample(folder / "data", users=40, weeks=30)
    return load(folder / "data", folder / "plays.parquet", lambda _: None)


def trained(root: Path, dataset: Dataset, name: str, variant: str, seed: int = 0) -> Version:
    """Train, save, and load what was saved."""
    family = FAMILIES[name]
    settings = SETTINGS.section(name, family.Settings)
    origin = Origin(name, variant, msgspec.to_builtins(settings), seed, "cpu", None, dataset.inputs)
    other = partial(_fitted, root, family.builds_on) if isinstance(family, BuildsOn) else None
    made = family.train(dataset, TrainingRun(settings, variant, seed, other=other))
    store = Store(root)
    return store.load(name, store.save(origin, made.model).name)


def _fitted(root: Path, name: str, training: Dataset) -> Opener:
    """Fit a family that another one builds on: its baseline, which takes no time."""
    version = trained(root / "other", training, name, FAMILIES[name].baseline)
    return lambda known: FAMILIES[name].open(version, known)


def requests_for(predictor: Predictor, dataset: Dataset) -> pl.DataFrame:
    """Return what the predictor answers without input, or, where it needs input, requests about every artist."""
    requests = predictor.default_requests().head(600)
    if len(requests):
        return requests
    return dataset.artists.select(artist="id", by_id=True)


def _unknown_pairs(predictor: Predictor, dataset: Dataset) -> list[tuple[str, bool]]:
    track, user = dataset.tracks["id"][0], dataset.plays["user_id"][0]
    pairs = pl.DataFrame({"user_id": [-7, user, -7], "track_id": [track, "nothing", "nothing"]})
    answers = predictor.predict(pairs)
    return list(zip(answers["reason"], answers["probability"].is_between(0, 1), strict=True))


def _unknown_artist(predictor: Predictor, _: Dataset) -> list[tuple[str, str | None]]:
    answers = predictor.predict(pl.DataFrame({"artist": ["qqqqqqqqqqqqqqqqqqqq"]}))
    return list(zip(answers["query"], answers["id"], strict=True))


def with_late_artist(dataset: Dataset) -> Dataset:
    """Add an artist who was first heard in the last days, long after training."""
    last = dataset.plays.filter(pl.col("started_at") > dataset.plays["started_at"].max() - timedelta(days=2)).head(1)
    track = dataset.tracks.head(1).with_columns(id=pl.lit("new track"), id_artist=pl.lit("new artist"))
    return replace(
        dataset,
        plays=pl.concat([dataset.plays, last.with_columns(track_id=pl.lit("new track"))]),
        tracks=pl.concat([dataset.tracks, track]),
    )


def _late_artist(predictor: Predictor, _: Dataset) -> list[bool]:
    return predictor.predict(pl.DataFrame({"artist_id": ["new artist"]}))["mean"].is_finite().to_list()


def _unknown_user(predictor: Predictor, _: Dataset) -> list[tuple[int, bool, str | None]]:
    answers = predictor.predict(pl.DataFrame({"user_id": [-7]}))
    return list(zip(answers["user_id"], answers["problem"].is_not_null(), answers["track_id"], strict=True))


# by family: a request for something that was never seen in training, and the answer
UNSEEN: dict[str, tuple[Callable[[Predictor, Dataset], object], object]] = {
    "skip": (_unknown_pairs, [("unknown user", True), ("unknown track", True), ("unknown track", True)]),
    "weekly": (_late_artist, [True]),
    "recommend": (_unknown_user, [(-7, True, None)]),
    "similar": (_unknown_artist, [("qqqqqqqqqqqqqqqqqqqq", None)]),
}
