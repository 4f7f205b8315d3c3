"""Training on listens whose answer is known, and on real ones."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import COLUMNS, HEADLINE
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.predict import SimilarPredictor, UnknownArtistError
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.train import fit_all, train

from .conftest import run


def test_neighbours_come_from_the_own_community(communities, save):
    """All ten of every artist's most similar."""
    lookup = SimilarPredictor(Factors.load(save(train(communities, run()).model)))
    for artist in communities.artists["id"]:
        neighbours = lookup.neighbours([lookup.by_id(artist)], 10)
        assert {neighbour.id[0] for neighbour in neighbours} == {artist[0]}


def test_popularity_names_the_artists_with_most_listeners(communities, counted, save):
    """For every artist the same ones."""
    lookup = SimilarPredictor(Factors.load(save(train(communities, run("popularity")).model)))
    order = np.argsort(-counted.listeners, kind="stable")
    expected = [counted.artist_ids[row] for row in order if counted.artist_ids[row] != "a00"][:5]
    assert [neighbour.id for neighbour in lookup.neighbours([lookup.by_id("a00")], 5)] == expected


def test_a_model_comes_with_its_metrics_and_its_gate(communities):
    """Both variants on the same split; the baseline has its own draft."""
    trained = train(communities, run())
    expected = {(variant, metric) for variant in FAMILY.variants for metric in COLUMNS}
    assert {(row.variant, row.metric) for row in trained.model.metrics} == expected
    assert {row.protocol for row in trained.model.metrics} == {"split 0"}
    gate = trained.model.gate
    assert gate is not None
    assert gate.passed
    assert (gate.metric, gate.baseline_variant) == (HEADLINE, "popularity")
    assert gate.difference == pytest.approx(gate.baseline - gate.value)
    assert {row.variant for row in trained.baseline.metrics} == {trained.baseline.variant} == {"popularity"}


def test_lowered_settings_are_noted(communities):
    """With the model; the baseline does not use them."""
    trained = train(communities, run(factors=61))
    assert trained.model.notes[0].startswith("factors 60 ")
    assert trained.baseline.notes == []


@pytest.mark.parametrize("variant", FAMILY.variants)
def test_artists_with_too_few_listeners_are_known_by_name(communities, counted, save, variant):
    """A lookup does not take them for others; nor those without any listener."""
    least = int(np.sort(counted.listeners)[30])
    nobody = pl.DataFrame({"id": ["n"], "name": ["Nobody"]})
    dataset = replace(communities, artists=pl.concat([communities.artists, nobody]))
    lookup = SimilarPredictor(Factors.load(save(train(dataset, run(variant, min_listeners=least)).model)))
    for name, listeners in [*zip(counted.names, counted.listeners.tolist(), strict=True), ("Nobody", 0)]:
        if listeners >= least:
            assert lookup.find(name).exact
            continue
        with pytest.raises(UnknownArtistError, match=rf"{listeners} listener.*{least}"):
            lookup.find(name)


def test_factors_that_are_not_finite_are_refused(communities, counted, monkeypatch):
    """They would be similar to nothing."""
    nothing = np.full((60, 4), np.nan, dtype=np.float32)
    monkeypatch.setattr(als, "fit", lambda *_, **__: als.Fit(nothing, nothing, []))
    with pytest.raises(RefusedError, match="not finite"):
        fit_all(counted, run())


def test_the_same_seed_gives_the_same_bytes(communities, tmp_path):
    """And another seed others."""
    written = []
    for number, seed in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        train(communities, run(seed=seed)).model.write(tmp_path / str(number))
        written.append((tmp_path / str(number) / "factors.npy").read_bytes())
    assert written[0] == written[1] != written[2]


def test_too_few_artists_per_user_are_refused(communities):
    """Nothing could be held out."""
    artists = pl.col("artist_id").is_in(["a00", "a01", "a02", "a03"])
    with pytest.raises(RefusedError, match=r"5 artists \(at most \d\)"):
        train(replace(communities, scrobbles=communities.scrobbles.filter(artists)), run())


def test_too_few_listeners_are_refused(communities):
    """With the most that there are, and the setting to lower."""
    with pytest.raises(RefusedError, match=r"0 artists have 1000 listeners.*\d+\)") as refused:
        train(communities, run(min_listeners=1000))
    assert "--set similar.min_listeners" in refused.value.hint


@pytest.mark.real
def test_rosetta_sounds_like_cult_of_luna(lastfm: Dataset):
    """Rosetta has three listeners; still Cult Of Luna is among its fifteen most similar."""
    factors, _ = fit_all(listens(lastfm), TrainingRun(SimilarSettings(), "als"))
    lookup = SimilarPredictor(factors)
    neighbours = lookup.neighbours([lookup.find("rosetta")], 15)
    assert "Cult Of Luna" in [neighbour.name for neighbour in neighbours]
