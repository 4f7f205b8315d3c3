"""Training on listens whose answer is known, and on real ones."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.similar import BASELINE, VARIANTS, als
from pozytywka_cli.families.similar.metrics import METRICS
from pozytywka_cli.families.similar.predict import Lookup, UnknownError
from pozytywka_cli.families.similar.train import fitted, train
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SimilarSettings


def test_neighbours_come_from_the_own_community(communities, settings, save):
    """All ten of every artist's most similar."""
    trained = train(communities, settings, variant="als", seed=0, device="cpu", report=silent)
    lookup = Lookup.open(save(trained.model))
    for artist in communities.artist_ids:
        assert {neighbour.id[0] for neighbour in lookup.similar(lookup.by_id(artist), 10)} == {artist[0]}


def test_popularity_names_the_artists_with_most_listeners(communities, settings, save):
    """Whichever artist is asked for."""
    trained = train(communities, settings, variant="popularity", seed=0, device="cpu", report=silent)
    lookup = Lookup.open(save(trained.model))
    order = np.argsort(-communities.listeners, kind="stable")
    expected = [communities.artist_ids[row] for row in order if communities.artist_ids[row] != "a00"][:5]
    assert [neighbour.id for neighbour in lookup.similar(lookup.by_id("a00"), 5)] == expected


def test_a_model_comes_with_its_figures_and_its_gate(communities, settings):
    """Both variants on the same split; the baseline has its own draft."""
    trained = train(communities, settings, variant="als", seed=0, device="cpu", report=silent)
    assert {(row.variant, row.metric) for row in trained.model.metrics} == {(v, m) for v in VARIANTS for m in METRICS}
    assert {row.protocol for row in trained.model.metrics} == {"split 0"}
    gate = trained.model.gate
    assert gate is not None
    assert gate.passed
    assert gate.difference == pytest.approx(gate.baseline - gate.value)
    assert {row.variant for row in trained.baseline.metrics} == {trained.baseline.variant} == {BASELINE}


def test_what_was_not_used_as_given_stands_in_the_notes(communities, settings):
    """Of the model; the baseline has no settings but the listeners."""
    trained = train(
        communities, structs.replace(settings, factors=61), variant="als", seed=0, device="cpu", report=silent
    )
    assert trained.model.notes[0].startswith("factors 60 was used in place of 61: ")
    assert trained.baseline.notes == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_artists_with_too_few_listeners_are_known_by_name(communities, settings, save, variant):
    """So that they are not taken for others; so are those that nobody heard."""
    floor = int(np.sort(communities.listeners)[30])
    given = structs.replace(settings, min_listeners=floor)
    trained = train(
        replace(communities, unheard=["Nobody"]), given, variant=variant, seed=0, device="cpu", report=silent
    )
    lookup = Lookup.open(save(trained.model))
    for name, listeners in [*zip(communities.names, communities.listeners.tolist(), strict=True), ("Nobody", 0)]:
        if listeners >= floor:
            assert lookup.find(name).exact
            continue
        with pytest.raises(UnknownError, match=f"has {listeners} listeners?; this model knows .* at least {floor}"):
            lookup.find(name)


def test_factors_that_are_no_numbers_are_refused(communities, settings, monkeypatch):
    """They would serve as what is like nothing."""
    nothing = np.full((60, 4), np.nan, dtype=np.float32)
    monkeypatch.setattr(als, "fit", lambda *_, **__: als.Fit(nothing, nothing, []))
    with pytest.raises(RefusedError, match="no finite numbers"):
        fitted(communities, settings, seed=0, device="cpu", report=silent)


def test_the_same_seed_gives_the_same_bytes(communities, settings, tmp_path):
    """And another seed others."""
    written = []
    for number, seed in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        train(communities, settings, variant="als", seed=seed, device="cpu", report=silent).model.write(
            tmp_path / str(number)
        )
        written.append((tmp_path / str(number) / "factors.npy").read_bytes())
    assert written[0] == written[1] != written[2]


def test_too_few_artists_per_user_are_refused(communities, settings):
    """Nothing could be held out."""
    narrow = replace(communities, counts=communities.counts[:, :4][:3], artist_ids=["0", "1", "2", "3"])
    with pytest.raises(RefusedError, match=r"no user has listened to 5 artists \(at most \d\)"):
        train(narrow, settings, variant="als", seed=0, device="cpu", report=silent)


def test_too_few_listeners_are_refused(communities):
    """The most that there are is told, and what to lower."""
    with pytest.raises(
        RefusedError, match=r"0 artists have 1000 listeners.*\(the most that any has is \d+\)"
    ) as refused:
        train(communities, SimilarSettings(min_listeners=1000), variant="als", seed=0, device="cpu", report=silent)
    assert "`min_listeners`" in refused.value.hint


@pytest.mark.real
def test_rosetta_sounds_like_cult_of_luna(lastfm):
    """Rosetta has three listeners; still Cult Of Luna is among its fifteen most similar."""
    served, _ = fitted(lastfm, SimilarSettings(), seed=0, device="cpu", report=silent)
    lookup = Lookup(served)
    assert "Cult Of Luna" in [neighbour.name for neighbour in lookup.similar(lookup.find("rosetta"), 15)]
