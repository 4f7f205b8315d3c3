"""The autoencoder over attributes and genres."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.tracks import ATTRIBUTES
from pozytywka_cli.families.recommend.models import autoencoder
from pozytywka_cli.families.recommend.models.scorers import Autoencoder
from pozytywka_cli.records import Progress

from .trained import run
from .worlds import FULL, SKIPPED, dataset, dense, fans, history


def test_codes_have_length_one():
    """Sixteen numbers for each track; a record of each epoch."""
    tracks = collect_tracks(fans())
    codes, epochs = autoencoder.fit(tracks, run("autoencoder", epochs=3))
    assert codes.shape == (len(tracks), autoencoder.CODE)
    assert np.linalg.norm(codes, axis=1) == pytest.approx(np.ones(len(tracks)), rel=1e-5)
    assert len(epochs) >= 3


def test_similar_tracks_get_similar_codes():
    """Tracks of one genre with nearly the same attributes are nearer than those of others, after some epochs."""
    random = np.random.default_rng(0)
    names = {f"{kind}{number:02}": kind for kind in "abc" for number in range(60)}
    data = dataset([], tracks=names, artists=[(kind, kind, [f"genre {kind}"]) for kind in "abc"])
    centres = np.repeat(random.normal(size=(3, len(ATTRIBUTES))), 60, axis=0)
    given = centres + 0.3 * random.normal(size=centres.shape)
    tracks = collect_tracks(
        replace(
            data,
            tracks=data.tracks.with_columns(
                pl.Series(name, column) for name, column in zip(ATTRIBUTES, given.T, strict=True)
            ),
        )
    )
    codes, _ = autoencoder.fit(tracks, run("autoencoder", epochs=30))
    cosine, same = codes @ codes.T, tracks.artists[:, None] == tracks.artists
    assert cosine[same].mean() > cosine[~same].mean() + 0.5


def test_the_commonest_genres_are_inputs(monkeypatch: pytest.MonkeyPatch):
    """Of three, two: pop is the rarest here."""
    monkeypatch.setattr(autoencoder, "MOST_GENRES", 2)
    tracks = collect_tracks(dataset([], tracks={"t0": "b", "t1": "a", "t2": "c", "t3": "c"}))
    inputs = autoencoder._inputs(tracks)
    assert inputs.shape == (4, len(ATTRIBUTES) + 2)
    assert inputs[:, :-2].tolist() == tracks.attributes.tolist()
    assert (inputs[:, -2:] > 0).tolist() == [[False, True], [False, True], [True, False], [True, False]]


@pytest.mark.parametrize("tracks", [1, 2, 9, 11])
def test_few_tracks_are_enough(tracks: int):
    """Every tenth one is held out for validation; of fewer, none is."""
    data = dataset([], tracks={f"t{number:02}": "a" for number in range(tracks)})
    codes, _ = autoencoder.fit(collect_tracks(data), run("autoencoder"))
    assert np.isfinite(codes).all()


def test_every_epoch_is_reported():
    """With its loss."""
    seen: list[Progress] = []
    autoencoder.fit(collect_tracks(fans()), run("autoencoder", epochs=3, progress=seen.append))
    assert [(step.done, step.total) for step in seen] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert all(step.loss is not None for step in seen)


def test_scores_are_cosines_with_the_plays_of_the_last_days():
    """Twice t0 and once t1 to their end; older and skipped plays do not count, and a new track has no code."""
    known = history(
        [(1, "t2", 0, FULL), (1, "t3", 39, SKIPPED), (1, "t1", 39, FULL), (1, "t0", 39.5, FULL), (1, "t0", 40, FULL)]
    )
    codes = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1], [0.6, 0.8], [0, 0]])
    (found,) = Autoencoder(known, dense(codes)).scores([known.profile(0)], new=True)
    query = np.array([2.0, 1]) / 5**0.5
    assert found[:5] == pytest.approx(codes[:5] @ query)
    assert found[5] == -np.inf


def test_a_user_without_such_plays_is_offered_what_is_popular():
    """As is one whose plays are of new tracks only."""
    known = history([(1, "t2", 0, FULL), (2, "t5", 39, FULL), (3, "t3", 40, FULL), (3, "t3", 40, FULL)])
    codes = np.eye(6)[:, :2]
    for row in (0, 1):
        (found,) = Autoencoder(known, dense(codes)).scores([known.profile(row)], new=True)
        assert found.tolist() == [-np.inf, -np.inf, 1, 2, -np.inf, 1]
