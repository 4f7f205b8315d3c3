"""Replay recommendations: the tracks new to them that users played to the end in the last days."""

from collections.abc import Mapping

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import SHARE, Floats
from pozytywka_cli.experiments.replay.comparison import Measure, Measured, mean
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import accuracies, fit_skips, rankers
from pozytywka_cli.families.recommend.metrics import ACCURACY, HEADLINE, SHOWN
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.validation import choose

METRICS = (HEADLINE, f"success@{SHOWN}", f"precision@{SHOWN}")


def measure(dataset: Dataset, runs: Mapping[str, TrainingRun], days: int) -> Measured:
    """Recommend tracks to every user by models that were fitted to what was known before the last days.

    Raises:
        RefusedError: there are too few users, or a model asks the skip model and there is none.
    """
    tracks, splits = collect_tracks(dataset), split(dataset, days)
    earlier, test = Outcomes.of(splits.validation, tracks), Outcomes.of(splits.test, tracks)
    users, values, notes = test.users(new=True), dict[str, Floats](), list[str]()
    for model, run in runs.items():
        skips = fit_skips(splits, run, (run.variant,))
        _, weights = choose(earlier, run, skips)
        made = rankers(test, run, skips.at(test), (run.variant,), weights)
        values[model] = accuracies(test, made, users, new=True)[run.variant]
        notes += [f"{model}: {skips.note}"] if skips.note else []
    places = {metric: ACCURACY.index(metric) for metric in METRICS}
    measures = [
        Measure(metric, {model: [found[:, place]] for model, found in values.items()}, mean, SHARE)
        for metric, place in places.items()
    ]
    since = splits.test.known.cut
    assert since is not None
    return Measured(since, users, measures, notes)
