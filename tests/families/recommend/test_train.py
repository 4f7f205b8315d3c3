"""Training: the choice, the gate, and what a version is fitted to."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Trained
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import blend_at, fit_skips
from pozytywka_cli.families.recommend.metrics import ACCURACY, HEADLINE
from pozytywka_cli.families.recommend.predict import RecommendPredictor
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.train import MARGIN, NEW_TRACKS
from pozytywka_cli.records import Progress

from .trained import VARIANTS, refitted, run, saved, trained
from .worlds import FULL, dataset, fans, moment, noise

RIVALS = {"rivals": FAMILY.rivals, "other": refitted()}


@cache
def laddered(name: str) -> Trained:
    """The default with its rivals, on users with favourite artists or on noise."""
    return FAMILY.train({"fans": fans, "noise": noise}[name](), run(**RIVALS))


def files(version: Version) -> dict[str, bytes]:
    """The files of a model."""
    return {name: (version.folder / name).read_bytes() for name in version.manifest.files}


def altered(data: Dataset, day: float) -> Dataset:
    """The dataset with other plays from a day on."""
    after = pl.col("started_at") >= moment(day)
    return replace(
        data,
        plays=data.plays.with_columns(
            track_id=pl.when(after).then(pl.col("track_id").reverse()).otherwise("track_id"),
            skipped=pl.when(after).then(~pl.col("skipped")).otherwise("skipped"),
        ),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_after_a_moment_reaches_what_is_trained_at_it(variant: str, tmp_path: Path):
    """The prefix test: other plays after the moment change no byte of any file, and other ones before it do."""
    data = fans()
    makes = [altered(data, 200), altered(data, 70), altered(data, 50)]
    versions = [
        saved(tmp_path / str(place), trained(one.until(moment(70)), variant, other=refitted()).model)
        for place, one in enumerate(makes)
    ]
    known, later, earlier = map(files, versions)
    assert known == later
    assert known.keys() == earlier.keys()
    assert known != earlier


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_named_variant_is_trained_as_it_is(variant: str):
    """Measured beside popular; popular itself is the baseline, and has no gate."""
    found = trained(fans(), variant, other=refitted())
    assert (found.model.variant, found.baseline.variant) == (variant, "popular")
    assert (found.model.chosen_over, found.model.fallback_for) == (None, None)
    measured = {(row.variant, row.metric) for row in found.model.metrics}
    assert measured == {(one, metric) for one in {variant, "popular"} for metric in ACCURACY}
    assert {row.protocol for row in found.model.metrics} == {NEW_TRACKS}
    assert (found.model.gate is None) == (variant == "popular")
    assert bool(found.model.epochs) == (variant == "autoencoder")


def test_the_gate_is_that_of_the_headline_metric():
    """The difference between model and baseline on the test part; a model that is much better passes."""
    found = laddered("fans").model
    gate = found.gate
    values = {row.variant: row for row in found.metrics if (row.protocol, row.metric) == (NEW_TRACKS, HEADLINE)}
    assert gate is not None
    assert (gate.metric, gate.baseline_variant, gate.margin) == (HEADLINE, "popular", MARGIN)
    assert gate.value == pytest.approx(values["blend"].value)
    assert gate.baseline == pytest.approx(values["popular"].value)
    assert gate.difference == pytest.approx(gate.baseline - gate.value)
    assert gate.high is not None
    assert gate.high < 0
    assert gate.passed


def test_a_model_that_is_worse_does_not_pass():
    """Random tracks, where half of the users play 25 days later what the others have played."""
    names = {f"t{number:02}": "a" for number in range(60)} | {f"x{number:02}": "b" for number in range(40)}
    plays = [
        (user, f"t{number:02}", number - 25 * (user % 2) + user / 100, FULL)
        for user in range(30)
        for number in range(60)
    ]
    plays += [(user, f"x{(user + number) % 40:02}", 0.0, FULL) for user in range(30) for number in range(10)]
    gate = trained(dataset(plays, tracks=names), "random", test_days=10).model.gate
    assert gate is not None
    assert gate.baseline > gate.value
    assert not gate.passed


def test_the_default_serves_where_it_is_shown_to_be_better():
    """With the figures of the choice, and notes on it."""
    found = laddered("fans").model
    assert (found.variant, found.chosen_over, found.fallback_for) == ("blend", None, None)
    assert {row.variant for row in found.metrics if row.protocol == "validation"} == {"blend", "als", "popular"}
    assert "blend serves in place of" in found.notes[-1]


def test_on_noise_popular_is_a_fallback():
    """For the blend, with notes; it is not compared with itself."""
    found = laddered("noise")
    assert (found.model.variant, found.model.fallback_for, found.model.gate) == ("popular", "blend", None)
    assert found.baseline.fallback_for is None
    assert len(found.model.notes) == 2
    assert {row.variant for row in found.baseline.metrics} == {"popular"}


def test_without_a_skip_model_a_note_says_what_is_missing():
    """And the blend does without."""
    assert any("no skip model" in note for note in trained(fans()).model.notes)
    with pytest.raises(RefusedError, match="no skip model"):
        trained(fans(), "preference")


def test_the_version_is_fitted_to_all_plays(tmp_path: Path):
    """Other plays in the test part change the model, and the weights of the blend."""
    one, other = (
        saved(tmp_path / str(place), trained(data, other=refitted()).model)
        for place, data in enumerate((fans(), altered(fans(), 70)))
    )
    for name in ("vectors.npy", "model.json"):
        assert files(one)[name] != files(other)[name]


def test_the_weights_of_the_blend_are_fitted_to_the_latest_plays(tmp_path: Path):
    """Those of the test part, and not those that were measured on it."""
    given, splits = run(**RIVALS), split(fans(), 30)
    test = Outcomes.of(splits.test, collect_tracks(fans()))
    completion = fit_skips(splits, given, FAMILY.variants).at(test)
    expected = blend_at(test, given, completion, stage="fit").weights
    found = msgspec.json.decode(files(saved(tmp_path, laddered("fans").model))["model.json"])
    assert (found["new"], found["all"]) == tuple(map(msgspec.to_builtins, expected))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_run_gives_the_same_files(variant: str, tmp_path: Path):
    """And the same answers."""
    versions = [saved(tmp_path / name, trained(fans(), variant, other=refitted()).model) for name in ("one", "other")]
    assert files(versions[0]) == files(versions[1])
    answers = [RecommendPredictor.open(one, fans()) for one in versions]
    one, other = (predictor.predict(predictor.default_requests()) for predictor in answers)
    assert one.equals(other)


@pytest.mark.parametrize("variant", ["als", "blend", "autoencoder", "random"])
def test_another_seed_gives_another_model(variant: str, tmp_path: Path):
    """Of the variants that start from random numbers."""
    one, other = (saved(tmp_path / str(seed), trained(fans(), variant, seed=seed).model) for seed in (0, 1))
    assert files(one)["model.json"] != files(other)["model.json"]
    if variant != "random":
        assert files(one)["vectors.npy"] != files(other)["vectors.npy"]


def test_completion_counts_where_it_decides(tmp_path: Path):
    """Each user plays any track, and either the even or the odd ones to their end: only the skip model knows which."""
    number = pl.col("track_id").str.slice(-1).cast(int)
    plays = noise().plays.with_columns(skipped=(number + pl.col("user_id")) % 2 == 1)
    data, weights = replace(noise(), plays=plays), []
    for place, chance in enumerate((lambda *_: 0.3, lambda user, track: 0.05 + 0.9 * ((int(track[-1]) + user) % 2))):
        version = saved(tmp_path / str(place), trained(data, other=refitted(chance)).model)
        weights.append(msgspec.json.decode(files(version)["model.json"])["new"]["completion"])
    assert weights[0] == 0
    assert weights[1] > 0


def test_progress_is_told():
    """Of every fit."""
    seen: list[Progress] = []
    FAMILY.train(fans(), replace(run(**RIVALS), progress=seen.append))
    stages = list(dict.fromkeys(step.stage for step in seen))
    assert any(stage.startswith("fit on all plays") for stage in stages)
    assert all(0 <= step.done <= step.total for step in seen)


def test_a_log_without_plays_is_refused():
    """Before anything is fitted."""
    with pytest.raises(RefusedError, match="no plays"):
        trained(dataset([]), "popular")
