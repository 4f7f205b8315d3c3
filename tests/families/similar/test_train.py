"""Training on listens whose answer is known, and on real ones."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar import train as training
from pozytywka_cli.families.similar.evaluate import neighbours
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import COLUMNS, HEADLINE, measure
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.models.scorers import fitted
from pozytywka_cli.families.similar.predict import SimilarPredictor, UnknownArtistError
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import without_hold_out
from pozytywka_cli.families.similar.train import fit_all, train

from .conftest import run, scrobbled


@pytest.mark.parametrize("variant", ["two-cosines", "als", "ppmi"])
def test_neighbours_come_from_the_own_community(communities, save, variant):
    """All ten of every artist's most similar."""
    lookup = SimilarPredictor(Factors.load(save(train(communities, run(variant)).model)))
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
    expected = {(variant, metric) for variant in ("als", "popularity") for metric in COLUMNS}
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
        train(communities, run("two-cosines", seed=seed)).model.write(tmp_path / str(number))
        written.append({path.name: path.read_bytes() for path in (tmp_path / str(number)).iterdir()})
    assert written[0] == written[1]
    changed = {name for name, content in written[2].items() if content != written[0][name]}
    assert changed == {"factors.npy", "neighbours_artists.npy", "neighbours_values.npy"}  # PPMI has no seed


def test_what_serves_is_what_was_measured(counted):
    """The artifact ranks as the scorer does that the evaluation measures, fitted on the same listens."""
    default = run("two-cosines")
    everything = without_hold_out(counted.counts, default.settings.min_listeners)
    scorer = fitted(everything, default, ["two-cosines"])["two-cosines"]
    expected = neighbours(everything, scorer, everything.candidates, 10)
    lookup = SimilarPredictor(fit_all(counted, default)[0])
    for column, row in zip(everything.candidates, expected, strict=True):
        found = lookup.neighbours([lookup.by_id(counted.artist_ids[column])], 10)
        assert [one.id for one in found] == [counted.artist_ids[other] for other in row]


def test_rivals_compete_on_a_part_of_the_training_part(communities, counted, monkeypatch):
    """Nothing that the test part holds out is seen there, and each has a row of the protocol "validation"."""
    seen = []
    monkeypatch.setattr(
        training, "measure", lambda split, scorers, report: seen.append(split) or measure(split, scorers, report)
    )
    model = train(communities, replace(run("two-cosines"), rivals=FAMILY.rivals)).model
    rows = [row for row in model.metrics if row.protocol == "validation"]
    assert {(row.variant, row.metric) for row in rows} == {
        (variant, HEADLINE) for variant in ("two-cosines", *FAMILY.rivals)
    }
    validation, test = seen
    assert (validation.training + validation.held_out != test.training).nnz == 0
    assert validation.training.multiply(validation.held_out).nnz == 0


@pytest.mark.parametrize(("values", "chosen"), [({"ppmi": 0.9}, "ppmi"), ({"als": 0.51}, "als"), ({}, "two-cosines")])
def test_a_better_rival_serves(communities, monkeypatch, values, chosen):
    """In place of the default, with a note; the test part has its metrics."""
    real = measure

    def rigged(split, scorers, report):
        measured = real(split, scorers, report)
        if "ppmi" in scorers and "als" in scorers:
            for name, columns in measured.items():
                columns[:, 0] = values.get(name, 0.5)
        return measured

    monkeypatch.setattr(training, "measure", rigged)
    model = train(communities, replace(run("two-cosines"), rivals=FAMILY.rivals)).model
    assert (model.variant, model.chosen_over) == (chosen, None if chosen == "two-cosines" else "two-cosines")
    assert {row.variant for row in model.metrics if row.protocol == "split 0"} == {chosen, "popularity"}
    assert any(chosen in note for note in model.notes) == (chosen != "two-cosines")


def test_too_little_for_a_contest_keeps_the_default():
    """Five artists each, of which one is held out for the test: four cannot be divided again."""
    rows = pl.DataFrame({"user_id": [f"{user}" for user in range(8) for _ in range(5)], "artist_id": list("abcde") * 8})
    dataset = scrobbled(rows.with_columns(listens=pl.lit(1, pl.Int64)), [(one, one) for one in "abcde"])
    model = train(dataset, replace(run("two-cosines"), rivals=FAMILY.rivals)).model
    assert (model.variant, model.chosen_over) == ("two-cosines", None)
    assert any("als, ppmi" in note for note in model.notes)
    assert not [row for row in model.metrics if row.protocol == "validation"]


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
    """Rosetta has three listeners; still Cult Of Luna is among its fifteen most similar, without great confidence."""
    factors, _ = fit_all(listens(lastfm), TrainingRun(SimilarSettings(), FAMILY.default))
    lookup = SimilarPredictor(factors)
    similar = lookup.neighbours([lookup.find("rosetta")], 15)
    assert "Cult Of Luna" in [neighbour.name for neighbour in similar]
    assert 0.2 < similar[0].score < 0.5
