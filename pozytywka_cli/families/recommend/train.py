"""Training: choose a variant, measure it on the last days beside the baseline, then fit it on all plays."""

from dataclasses import replace

from pozytywka_cli import evaluation
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Floats, Ints, mean_interval
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.recommend import FAMILY, card
from pozytywka_cli.families.recommend.features.frames import collect_history, collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import accuracies, blend_at, fit_skips, rankers
from pozytywka_cli.families.recommend.metrics import ACCURACY, HEADLINE
from pozytywka_cli.families.recommend.models.fit import fit
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.validation import choose
from pozytywka_cli.records import Row

MARGIN = 0.005
NEW_TRACKS = "new tracks"  # the protocol
SIGNATURE = {
    "inputs": {
        "user_id": "int64",
        "count": "int",
        "allow_heard": "bool",
        "diversity": "float, 0 to 1",
        "tail": "int, or null",
        **dict.fromkeys(("like_track", "like_artist", "genres"), "string, or null"),
    },
    "outputs": {
        "user_id": "int64",
        "rank": "int, from 1",
        **dict.fromkeys(("track_id", "track", "artist"), "string"),
        "score": "float64",
        "because": "kind, id and name, strings",
        "variant": "string",
        "problem": "string, or null",
    },
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant, or the one that is shown to be better, and the baseline on the last days; fit it on all plays.

    Raises:
        RefusedError: there are too few plays to test on, or `preference` is wanted and there is no skip model.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    tracks, splits = collect_tracks(dataset), split(dataset, run.settings_as(RecommendSettings).test_days)
    skips = fit_skips(splits, run, (run.variant, *run.rivals))
    chosen, weights = choose(Outcomes.of(splits.validation, tracks), run, skips)
    test = Outcomes.of(splits.test, tracks)
    rows, completion = test.users(new=True), skips.at(test)
    made = rankers(test, run, completion, dict.fromkeys((chosen.variant, FAMILY.baseline)), weights)
    values = accuracies(test, made, rows, new=True)
    metrics = [*summary(NEW_TRACKS, values, rows), *chosen.rows]

    everything, plain = collect_history(dataset, tracks), replace(run, variant=FAMILY.baseline)
    text = card.text(FAMILY.baseline, splits.days)
    baseline_rows = [row for row in metrics if row.variant == FAMILY.baseline]
    baseline = Draft(FAMILY.baseline, fit(everything, plain)[0].save, SIGNATURE, baseline_rows, text)
    if chosen.variant == FAMILY.baseline:
        wanted = run.variant if run.variant != FAMILY.baseline else None
        return Trained(replace(baseline, metrics=metrics, notes=chosen.notes, fallback_for=wanted), baseline)

    latest = blend_at(test, run, completion, stage="weigh:").weights if chosen.variant == "blend" else None
    model, epochs = fit(everything, replace(run, variant=chosen.variant), latest, stage="fit on all plays:")
    place = ACCURACY.index(HEADLINE)
    of_model, of_baseline = (values[one][:, place] for one in (chosen.variant, FAMILY.baseline))
    gate = evaluation.gate(HEADLINE, FAMILY.baseline, of_model, of_baseline, rows, margin=MARGIN, score=True)
    draft = Draft(
        chosen.variant,
        model.save,
        SIGNATURE,
        metrics,
        card.text(chosen.variant, splits.days),
        gate,
        [*chosen.notes, *filter(None, [skips.note])],
        chosen_over=run.variant if chosen.variant != run.variant else None,
        epochs=epochs,
    )
    return Trained(draft, baseline)


def summary(protocol: str, values: dict[str, Floats], users: Ints) -> list[Row]:
    """Return the mean of each metric of ACCURACY over users, (users, ACCURACY), by variant, with intervals."""
    return [
        Row("recommend", variant, protocol, metric, *mean_interval(column, users, limits=evaluation.SHARE))
        for variant, matrix in values.items()
        for metric, column in zip(ACCURACY, matrix.T, strict=True)
    ]
