"""Small listens whose answers are known."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.scrobbles import load_scrobbles
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import card
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.settings import SimilarSettings

LASTFM = Path(__file__).parents[4] / "shared" / "data" / "lastfm"


@pytest.fixture(scope="session")
def lastfm() -> Dataset:
    """The real scrobbles."""
    if not LASTFM.is_dir():
        pytest.skip(f"{LASTFM} is missing")
    return load_scrobbles(LASTFM / "lastfm_user_scrobbles.csv", LASTFM / "lastfm_artist_list.csv", print)


def scrobbled(rows: pl.DataFrame, artists: list[tuple[str, str]]) -> Dataset:
    """A dataset of scrobbles: rows of user_id, artist_id and listens, and artists' ids and names."""
    named = pl.DataFrame(artists, ["id", "name"], orient="row")
    return Dataset(*[pl.DataFrame()] * 3, artists=named, tracks=pl.DataFrame(), scrobbles=rows)


@pytest.fixture(scope="session")
def communities() -> Dataset:
    """Two communities of 40 users and 30 artists: a00 to a29 and b00 to b29, with one listen in twenty astray."""
    random = np.random.default_rng(1)
    own = random.random((80, 60)) < 0.5
    same = np.arange(80)[:, None] // 40 == np.arange(60) // 30
    users, artists = np.nonzero(np.where(same, own, random.random((80, 60)) < 0.025))
    ids = [f"{community}{artist:02}" for community in "ab" for artist in range(30)]
    rows = pl.DataFrame(
        {
            "user_id": [f"{user:02}" for user in users],
            "artist_id": [ids[artist] for artist in artists],
            "listens": random.integers(1, 50, len(users)),
        }
    )
    return scrobbled(rows, [(one, f"Artist {one}") for one in ids])


@pytest.fixture(scope="session")
def counted(communities: Dataset) -> Listens:
    """The counts of the two communities."""
    return listens(communities)


def run(variant: str = "als", *, seed: int = 0, device: str = "cpu", **settings: object) -> TrainingRun:
    """A run with few factors and little regularization, for few users."""
    small = SimilarSettings(factors=4, regularization=1.0, iterations=10)
    return TrainingRun(msgspec.structs.replace(small, **settings), variant, seed, device)


@pytest.fixture
def save(tmp_path: Path):
    """A function that saves a model as a version."""

    def saved(model: Draft | Factors) -> Version:
        draft = model if isinstance(model, Draft) else draft_of(model)
        return Store(tmp_path / "artifacts").save(Origin("similar", "als", {}, 0, "cpu", None, []), draft)

    return saved


def draft_of(model: Factors, variant: str = "als") -> Draft:
    """A draft without metrics."""
    return Draft(variant, model.save, {}, [], card.text(variant, SimilarSettings()))


def factors(*artists: tuple[str, list[float], int]) -> Factors:
    """Factors from (name, direction, listeners); ids are "0", "1", …"""
    names, directions, listeners = zip(*artists, strict=True)
    rows = np.array(directions, dtype=np.float32)
    ids = [str(number) for number in range(len(names))]
    return Factors.of(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.array(listeners), ids, list(names))
