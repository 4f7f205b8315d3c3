"""The promoted version of a family in the hands of another one that builds on it."""

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn
from pozytywka_cli.families.family import Family
from pozytywka_cli.pipeline import builds_on, evaluate
from pozytywka_cli.pipeline.predict import open_predictor
from pozytywka_cli.pipeline.train import Outcome, Plan, train_one
from pozytywka_cli.records import silent
from pozytywka_cli.settings import Assigned, Settings

from ..families.recommend.worlds import fans

VALUES = {"recommend.factors": 8, "recommend.iterations": 2}
SETTINGS = Settings({key: Assigned(key, value, "the test") for key, value in VALUES.items()})
SKIP, RECOMMEND = registry.get("skip"), registry.get("recommend")


def made(store: Store, family: Family, variant: str, seed: int = 0, **plan: object) -> Outcome:
    """Train and promote a variant of a family."""
    return train_one(store, family, fans(), Plan(SETTINGS, seed, "cpu", variant=variant, **plan), silent)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One without versions."""
    return Store(tmp_path)


@pytest.fixture
def with_skip(store: Store) -> Store:
    """One with a skip model, the plain one."""
    made(store, SKIP, "constant")
    return store


def test_recommend_builds_on_skip():
    """Which builds on nothing, as do the others; what is built on is a family."""
    assert isinstance(RECOMMEND, BuildsOn)
    assert [name for name in registry.names() if isinstance(registry.get(name), BuildsOn)] == ["recommend"]
    assert RECOMMEND.builds_on in registry.names()


def test_without_a_promoted_version_there_is_nothing(store: Store):
    """No version, nothing that fits it again, no predictor; also where there is a version that is not promoted."""
    for _ in range(2):
        assert builds_on.version(store, RECOMMEND, RECOMMEND.asking) is None
        assert builds_on.refitting(None, silent) is None
        assert builds_on.predictor(store, RECOMMEND, fans()) is None
        made(store, SKIP, "constant", promote=False)


def test_the_promoted_version_is_handed_over(with_skip: Store):
    """To recommend alone; its predictor knows the dataset."""
    version = builds_on.version(with_skip, RECOMMEND, RECOMMEND.asking)
    assert version is not None
    assert version.name == with_skip.promoted("skip")
    assert builds_on.version(with_skip, SKIP, SKIP.variants) is None
    predictor = builds_on.predictor(with_skip, RECOMMEND, fans())
    assert predictor is not None
    chances = predictor.predict(pl.DataFrame({"user_id": [0], "track_id": ["00-00"]}))["probability"]
    assert 0 < chances.item() < 1


def test_it_can_be_fitted_again(with_skip: Store):
    """To a part of the log: another share of skips."""
    refitting = builds_on.refitting(builds_on.version(with_skip, RECOMMEND, RECOMMEND.asking), silent)
    assert refitting is not None
    part = fans().until(fans().plays["started_at"].quantile(0.5))
    pair = pl.DataFrame({"user_id": [0], "track_id": ["00-00"]})
    found = refitting(part)(part).predict(pair)["probability"].item()
    whole = builds_on.predictor(with_skip, RECOMMEND, fans()).predict(pair)["probability"].item()
    assert found == pytest.approx(part.plays["skipped"].mean(), abs=0.02)
    assert found != whole


def test_training_gets_the_skip_model(with_skip: Store):
    """Without one, preference cannot be trained; with one it can, and answers by its probabilities."""
    assert made(with_skip, RECOMMEND, "preference").variant == "preference"
    _, predictor = open_predictor(with_skip, "recommend", fans())
    kinds = predictor.predict(pl.DataFrame({"user_id": [0]}))["because"].struct.field("kind")
    assert set(kinds) == {"completion"}


def test_another_skip_model_is_a_reason_to_train_again(with_skip: Store):
    """Where all is the same, nothing is trained."""
    train = partial(made, with_skip, RECOMMEND, "preference")
    first, same = train(), train()
    assert (first.unchanged, same.unchanged) == (False, True)
    skip = with_skip.load("skip", with_skip.promoted("skip"))
    made(with_skip, SKIP, "constant", seed=1)
    assert with_skip.promoted("skip") != skip.name
    assert not train().unchanged


def test_evaluation_gets_the_skip_model(with_skip: Store, tmp_path: Path):
    """And none where there is none; families that build on nothing get nothing."""
    families = [SKIP, RECOMMEND]
    found = evaluate.runs(families, SETTINGS, with_skip, seed=0, device="cpu", progress=silent)
    assert found["skip"].other is None
    assert found["recommend"].other is not None
    empty = evaluate.runs(families, SETTINGS, Store(tmp_path / "empty"), seed=0, device="cpu", progress=silent)
    assert empty["recommend"].other is None


def test_a_variant_that_asks_nothing_gets_nothing(with_skip: Store):
    """So that it is not trained again because the other family was."""
    assert builds_on.version(with_skip, RECOMMEND, ["als", "popular"]) is None


def test_a_version_that_asks_what_is_not_there_is_named(with_skip: Store, tmp_path: Path):
    """But no version that asks nothing, and not where it is there."""
    versions = {name: made(with_skip, RECOMMEND, name).version for name in ("blend", "popular")}
    manifests = {name: with_skip.manifest("recommend", version) for name, version in versions.items()}
    empty = Store(tmp_path / "empty")
    assert "blend" in builds_on.missing(empty, manifests["blend"])
    assert builds_on.missing(empty, manifests["popular"]) == builds_on.missing(with_skip, manifests["blend"]) == ""
