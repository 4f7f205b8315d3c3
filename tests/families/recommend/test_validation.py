"""Which variant serves."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Champion, Floats
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend import FAMILY, validation
from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import Skips, fit_skips
from pozytywka_cli.families.recommend.metrics import ACCURACY, CHOSEN_BY
from pozytywka_cli.families.recommend.models.model import BlendWeights
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.validation import choose

from .trained import refitted, run
from .worlds import fans, noise

LADDER = replace(run(), rivals=FAMILY.rivals)


def chosen(data: Dataset, given: TrainingRun) -> tuple[Champion, BlendWeights | None]:
    """The choice for a dataset."""
    splits = split(data, 30)
    return choose(
        Outcomes.of(splits.validation, collect_tracks(data)), given, fit_skips(splits, given, [given.variant])
    )


@cache
def on_noise() -> Champion:
    """The choice where nothing can be learned."""
    return chosen(noise(), LADDER)[0]


def test_on_noise_popular_serves_and_a_note_says_so():
    """One for each of the others, with its figure and that of popular."""
    found = on_noise()
    assert found.variant == "popular"
    assert [note.startswith("popular serves in place of ") for note in found.notes] == [True, True]
    values = {row.variant: row.value for row in found.rows}
    for note, variant in zip(found.notes, ("als", "blend"), strict=True):
        assert f"of {variant}" in note
        assert f"{values[variant]:.4g}" in note
        assert f"{values['popular']:.4g}" in note


def test_what_it_is_chosen_by_is_shown():
    """The metric of each of them on the validation part."""
    rows = [(row.family, row.variant, row.protocol, row.metric) for row in on_noise().rows]
    assert sorted(rows) == [("recommend", one, "validation", CHOSEN_BY) for one in ("als", "blend", "popular")]


def test_where_users_have_favourite_artists_the_blend_serves():
    """It is far better than popular there; a note says what it is better than."""
    found, weights = chosen(fans(), LADDER)
    values = {row.variant: row.value for row in found.rows}
    assert found.variant == "blend"
    assert values["blend"] > values["popular"] + 0.2
    assert "blend serves in place of" in found.notes[-1]
    assert weights.new.signals["artist"] > 0


def scored(monkeypatch: pytest.MonkeyPatch, **means: float) -> Champion:
    """The choice among variants whose metric is about `means` for each of ten users."""
    spread = np.random.default_rng(0).normal(0, 0.01, 10)
    data = noise()

    def accuracies(*_: object, **__: object) -> dict[str, Floats]:
        column = ACCURACY.index(CHOSEN_BY)
        found = {name: np.zeros((10, len(ACCURACY))) for name in means}
        for name, mean in means.items():
            found[name][:, column] = mean + spread * (1 + len(name))
        return found

    monkeypatch.setattr(validation, "accuracies", accuracies)
    monkeypatch.setattr(Outcomes, "users", lambda self, new: np.arange(10))
    return chosen(data, LADDER)[0]


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ({"popular": 0.3, "als": 0.3, "blend": 0.3}, "popular"),
        ({"popular": 0.1, "als": 0.3, "blend": 0.3}, "als"),
        ({"popular": 0.1, "als": 0.1, "blend": 0.3}, "blend"),
        ({"popular": 0.1, "als": 0.3, "blend": 0.5}, "blend"),
        ({"popular": 0.3, "als": 0.1, "blend": 0.5}, "blend"),
        ({"popular": 0.3, "als": 0.5, "blend": 0.1}, "als"),
        ({"popular": 0.5, "als": 0.3, "blend": 0.1}, "popular"),
    ],
)
def test_the_simplest_one_serves_that_no_other_is_shown_to_be_better_than(monkeypatch, means, expected):
    """Popular, then als, then the blend; each step has a note."""
    found = scored(monkeypatch, **means)
    assert found.variant == expected
    assert len(found.notes) == 2
    assert f"{expected} serves in place of" in " ".join(found.notes)


@pytest.mark.parametrize("variant", ["als", "own", "blend", "random"])
def test_a_named_variant_is_not_compared(variant: str):
    """There are no rivals then, and no figures; the blend has its weights."""
    found, weights = chosen(noise(), run(variant))
    assert found == Champion(variant, [], [])
    assert (weights is not None) == (variant == "blend")


def test_preference_without_a_skip_model_is_refused():
    """The way out is named."""
    with pytest.raises(RefusedError, match=r"preference.*no skip model") as refused:
        fit_skips(split(noise(), 30), run("preference"), ["preference"])
    assert "train skip" in refused.value.hint


def too_little(training: Dataset) -> Callable[[Dataset], object]:
    """Fit a skip model to what is too little for one."""
    raise RefusedError("only 3 plays", "Wait.")


def test_a_skip_model_that_cannot_be_fitted_leaves_a_note():
    """With the reason; who wants preference is refused."""
    splits = split(noise(), 30)
    found = fit_skips(splits, run(other=too_little), FAMILY.variants)
    assert found.opener is None
    assert "only 3 plays" in found.note
    assert found.at(Outcomes.of(splits.test, collect_tracks(noise()))) is None
    with pytest.raises(RefusedError, match="only 3 plays"):
        fit_skips(splits, run("preference", other=too_little), ["preference"])


def test_a_skip_model_that_is_missing_leaves_a_note():
    """Where a variant asks for it."""
    splits = split(noise(), 30)
    assert "no skip model" in fit_skips(splits, run(), FAMILY.variants).note
    assert fit_skips(splits, run("als"), ["als", "popular"]) == Skips(None)


def test_the_skip_model_is_fitted_before_the_validation_part():
    """And knows at each moment what was known then."""
    seen: list[tuple[str, pl.DataFrame]] = []

    def fitting(training: Dataset) -> Callable[[Dataset], object]:
        seen.append(("fitted", training.plays))
        return lambda known: seen.append(("opened", known.plays)) or refitted()(training)(known)

    splits = split(noise(), 30)
    found = fit_skips(splits, run(other=fitting), ["blend"])
    for part in (splits.validation, splits.test):
        found.at(Outcomes.of(part, collect_tracks(noise())))
    assert [name for name, _ in seen] == ["fitted", "opened", "opened"]
    assert seen[0][1].equals(splits.validation.known.plays)
    assert seen[1][1].equals(splits.validation.known.plays)
    assert seen[2][1].equals(splits.test.known.plays)


def test_the_test_part_changes_no_choice():
    """Nor a weight of the blend that is measured there: whatever is played in it, all is the same."""
    data = fans()
    last = split(data, 30).test.known.cut
    after = pl.col("started_at") >= last
    altered = data.plays.with_columns(
        track_id=pl.when(after).then(pl.col("track_id").reverse()).otherwise("track_id"),
        skipped=pl.when(after).then(~pl.col("skipped")).otherwise("skipped"),
        liked=pl.when(after).then(~pl.col("liked")).otherwise("liked"),
    )
    given = replace(LADDER, other=refitted())
    assert chosen(data, given) == chosen(replace(data, plays=altered), given)
