"""Small listens whose answers are known."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.families.similar.features import Listens, from_scrobbles
from pozytywka_cli.families.similar.model import Factors
from pozytywka_cli.settings import SimilarSettings

LASTFM = Path(__file__).parents[2].parent / "shared" / "data" / "lastfm"


@pytest.fixture(scope="session")
def lastfm() -> Listens:
    """The real scrobbles."""
    if not LASTFM.is_dir():
        pytest.skip(f"{LASTFM} is missing")
    return from_scrobbles(LASTFM / "lastfm_user_scrobbles.csv", LASTFM / "lastfm_artist_list.csv", print)


@pytest.fixture(scope="session")
def communities() -> Listens:
    """Two communities of 40 users and 30 artists: a00 to a29 and b00 to b29, with one listen in twenty astray."""
    random = np.random.default_rng(1)
    own = random.random((80, 60)) < 0.5
    same = np.arange(80)[:, None] // 40 == np.arange(60) // 30
    heard = np.where(same, own, random.random((80, 60)) < 0.025)
    counts = csr_matrix(np.where(heard, random.integers(1, 50, (80, 60)), 0).astype(np.float32))
    ids = [f"{community}{artist:02}" for community in "ab" for artist in range(30)]
    return Listens(counts, ids, [f"Artist {name}" for name in ids], np.bincount(counts.indices, minlength=60), [])


@pytest.fixture
def settings() -> SimilarSettings:
    """Few factors and little regularization, for few users."""
    return SimilarSettings(factors=4, regularization=1.0, iterations=10)


@pytest.fixture
def save(tmp_path: Path):
    """A function that saves a model as a version."""

    def saved(model: Draft | Factors) -> Version:
        draft = model if isinstance(model, Draft) else Draft("als", model.save, {}, [], *[""] * 5, {})
        return Store(tmp_path / "artifacts").save(Origin("similar", "als", {}, 0, "cpu", None, []), draft)

    return saved


def factors(*artists: tuple[str, list[float], int]) -> Factors:
    """Factors from (name, direction, listeners); ids are "0", "1", …"""
    names, directions, listeners = zip(*artists, strict=True)
    rows = np.array(directions, dtype=np.float32)
    ids = [str(number) for number in range(len(names))]
    return Factors.of(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.array(listeners), ids, list(names))
