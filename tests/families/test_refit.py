"""Fitting a version again, to what was known at a moment."""

import gc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families import refit as module
from pozytywka_cli.families.refit import Refitted, refit, some_users
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.records import Progress

from .skip.trained import personas, trained
from .skip.worlds import MOMENT


def version_of(folder: Path, variant: str, *, seed: int = 0, **fields: object) -> Version:
    """A version of the skip family, made with settings of its own."""
    store, chosen = Store(folder), SkipSettings(epochs=1)
    draft = replace(trained(variant).model, **fields)
    origin = Origin("skip", draft.variant, msgspec.to_builtins(chosen), seed, "cpu", None, [])
    return store.load("skip", store.save(origin, draft).name)


def middle(data: Dataset) -> Dataset:
    """The dataset as it was known half-way."""
    started = data.plays["started_at"]
    return data.until(started.min() + (started.max() - started.min()) / 2)


def answers(opener: Refitted, known: Dataset) -> pl.DataFrame:
    """The chances of a skip for some pairs."""
    pairs = pl.DataFrame({"user_id": [0, 1, 2, 3], "track_id": ["t0", "t1", "t2", "t3"]})
    return opener(known).predict(pairs)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The runs that the family is trained with."""
    seen, train = [], type(FAMILY).train
    monkeypatch.setattr(type(FAMILY), "train", lambda self, data, run: seen.append(run) or train(self, data, run))
    return seen


def test_variant_settings_and_seed_are_those_of_the_version(tmp_path: Path, runs: list[object]):
    """And progress is reported; no rivals compete."""
    report: list[Progress] = []
    refit(version_of(tmp_path, "forest", seed=7), middle(personas()), report.append)
    run = runs[-1]
    assert (run.variant, run.seed, run.settings, run.rivals, run.device) == (
        "forest",
        7,
        SkipSettings(epochs=1),
        (),
        "cpu",
    )
    assert run.progress.__self__ is report


def test_of_a_fallback_the_wanted_variant_is_fitted(tmp_path: Path, runs: list[object]):
    """Where it can be: it is the family that falls back."""
    refit(version_of(tmp_path, "constant", fallback_for="forest"), middle(personas()))
    assert runs[-1].variant == "forest"


def test_it_answers_as_if_it_had_never_seen_the_rest(tmp_path: Path):
    """Later plays that are altered change nothing; and the version itself answers otherwise."""
    data = personas()
    half = middle(data)
    later = pl.col("started_at") >= half.cut
    altered = replace(
        data, plays=data.plays.with_columns(skipped=pl.when(later).then(~pl.col("skipped")).otherwise("skipped"))
    )
    version = version_of(tmp_path, "forest")
    one, other = (answers(refit(version, known), known) for known in (half, middle(altered)))
    assert one.equals(other)
    assert not FAMILY.open(version, half).predict(one.select("user_id", "track_id")).equals(one)


def test_it_may_be_opened_with_newer_events(tmp_path: Path):
    """Its answers then differ, for it knows more of the users; the model is the same."""
    opener = refit(version_of(tmp_path, "user-rate"), middle(personas()))
    before, after = (answers(opener, known) for known in (middle(personas()), personas()))
    assert not before.equals(after)
    assert answers(opener, middle(personas())).equals(before)


def test_its_folder_is_removed_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And it is there as long as it can be opened."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    opener = refit(version_of(tmp_path / "store", "constant"), middle(personas()))
    assert len(list((tmp_path / "scratch").iterdir())) == 1
    del opener
    gc.collect()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_too_little_data_is_refused(tmp_path: Path):
    """As in training."""
    data = personas()
    short = data.until(data.plays["started_at"].min() + timedelta(minutes=1))
    with pytest.raises(RefusedError):
        refit(version_of(tmp_path, "forest"), short)


def test_of_many_plays_those_of_some_users_are_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """At most as many as are asked for."""
    seen, train = [], type(FAMILY).train
    monkeypatch.setattr(type(FAMILY), "train", lambda self, data, run: seen.append(data) or train(self, data, run))
    refit(version_of(tmp_path, "constant"), personas(), most_plays=1700)
    (data,) = seen
    assert len(data.plays) == 1680  # 21 of 30 users, 80 plays each
    assert module.MOST_PLAYS >= 10_000


@settings(deadline=None, max_examples=40)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=12), most=st.integers(1, 60))
def test_whole_users_are_kept(counts: list[int], most: int):
    """In the order of the log; all of them where they have no more plays than that, and one at least."""
    users = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    plays = pl.DataFrame({"user_id": users, "number": np.arange(len(users))})
    bought = pl.DataFrame({"user_id": np.arange(len(counts))}).with_columns(purchased_at=pl.lit(None, MOMENT))
    data = Dataset(plays, bought, *[pl.DataFrame()] * 3)
    found = some_users(data, most)
    kept = set(found.plays["user_id"])
    assert found.plays.equals(plays.filter(pl.col("user_id").is_in(list(kept))))
    assert set(found.purchases["user_id"]) == (kept if len(plays) > most else set(range(len(counts))))
    if len(plays) <= most:
        assert found is data
    else:
        assert len(found.plays) <= most or len(kept) == 1


def test_the_same_users_are_drawn_each_time():
    """Not the first ones."""
    data = personas()
    one, other = (some_users(data, 800).plays["user_id"].unique().sort().to_list() for _ in range(2))
    assert one == other
    assert len(one) == 10
    assert one != list(range(10))
