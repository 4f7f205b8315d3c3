"""Recommendations on the real editions."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import Skips, accuracies, rankers
from pozytywka_cli.families.recommend.metrics import ACCURACY
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.splits import Splits, split
from pozytywka_cli.families.recommend.train import NEW_TRACKS
from pozytywka_cli.families.recommend.validation import choose

pytestmark = pytest.mark.real

RUN = TrainingRun(RecommendSettings(), FAMILY.default, rivals=FAMILY.rivals)
DAYS = RecommendSettings().test_days


def edition(real: Path, folder: Path, year: int) -> Dataset:
    """The data of a year."""
    return load(real / f"pozytywka-{year}", folder / "plays.parquet", lambda _: None)


def measured(data: Dataset, splits: Splits, variants: Sequence[str], metric: str, *, new: bool) -> dict[str, float]:
    """The mean of a metric over the users of the test part, by variant, without a skip model."""
    test = Outcomes.of(splits.test, collect_tracks(data))
    made = rankers(test, RUN, None, variants, None)
    found = accuracies(test, made, test.users(new=new), new=new)
    return {variant: float(values[:, ACCURACY.index(metric)].mean()) for variant, values in found.items()}


def test_what_serves_finds_tracks_that_users_play_to_the_end(real: Path, tmp_path: Path) -> None:
    """2023, new tracks: by default, the variant that is chosen reaches what the study requires, and passes its gate."""
    model = FAMILY.train(edition(real, tmp_path, 2023), RUN).model
    values = {
        row.metric: row.value for row in model.metrics if (row.variant, row.protocol) == (model.variant, NEW_TRACKS)
    }
    assert model.variant != "popular"
    assert values["success@17"] >= 0.45
    assert values["ndcg@20"] >= 0.1
    assert model.gate is not None
    assert model.gate.passed


def test_users_play_their_own_tracks_again(real: Path, tmp_path: Path) -> None:
    """2023, all tracks: the own most played ones, beside which the random list has next to nothing."""
    data = edition(real, tmp_path, 2023)
    found = measured(data, split(data, DAYS), ["own", "random"], "success@17", new=False)
    assert found["own"] >= 0.47
    assert found["random"] <= 0.2


def test_on_noise_nothing_is_learned_and_popular_serves(real: Path, tmp_path: Path) -> None:
    """2024: a list of any variant has a hit about as often as chance has; more would be a leak."""
    data = edition(real, tmp_path, 2024)
    splits = split(data, DAYS)
    variants = ("popular", "own", "random", "als", "autoencoder")
    for variant, value in measured(data, splits, variants, "success@20", new=True).items():
        assert 0.03 <= value <= 0.06, variant
    choice, _ = choose(Outcomes.of(splits.validation, collect_tracks(data)), RUN, Skips(None))
    assert choice.variant == "popular"
