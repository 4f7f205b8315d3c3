"""Training: choose a variant, measure it on held-out artists beside the baseline, then fit it on all listens."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli import evaluation
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Champion
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.similar import FAMILY, card
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import HEADLINE, measure, summary
from pozytywka_cli.families.similar.models import als, ppmi
from pozytywka_cli.families.similar.models.factors import Excluded, Factors, by_listeners
from pozytywka_cli.families.similar.models.scorers import fitted, unit
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import TUNING_SPLIT, Split, frequent_artists, hold_out

MARGIN = 0.01
SIGNATURE = {
    "inputs": {"artist": "string", "by_id": "bool", "count": "int"},
    "outputs": dict.fromkeys(("query", "matched", "name", "id"), "string")
    | {"score": "float32, -1 to 1; null of popularity", "variant": "string", "problem": "string, or null"},
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant, or the rival that is shown to be better, and the baseline on one split; fit it on all listens.

    Raises:
        RefusedError: there are too few listens to hold any out, or no artist has enough listeners.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings, counted = run.settings_as(SimilarSettings), listens(dataset)
    split = hold_out(counted.counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners)
    chosen = choose(split, run)
    variant = chosen.variant
    values = measure(split, fitted(split, run, dict.fromkeys((variant, FAMILY.baseline))), run.progress)
    metrics = summary(split, values)

    baseline_metrics = [row for row in metrics if row.variant == FAMILY.baseline]
    constant, _ = fit_all(counted, replace(run, variant=FAMILY.baseline))
    baseline = Draft(FAMILY.baseline, constant.save, SIGNATURE, baseline_metrics, card.text(FAMILY.baseline, settings))
    if variant == FAMILY.baseline:
        return Trained(baseline, baseline)

    artists, notes = fit_all(counted, replace(run, variant=variant))
    users = np.flatnonzero(~np.isnan(values[variant][:, 0]))
    headline, popularity = (values[name][users, 0] for name in (variant, FAMILY.baseline))
    gate = evaluation.gate(HEADLINE, FAMILY.baseline, headline, popularity, users, margin=MARGIN, score=True)
    model = Draft(
        variant,
        artists.save,
        SIGNATURE,
        [*metrics, *chosen.rows],
        card.text(variant, settings),
        gate,
        [*notes, *chosen.notes],
        chosen_over=run.variant if variant != run.variant else None,
    )
    return Trained(model, baseline)


def choose(split: Split, run: TrainingRun) -> Champion:
    """Choose among the run's variant and its rivals on a validation part: held out of the training part of the split.

    Without rivals, or where too few listens are left to hold any out, it is the run's variant.
    """
    if not run.rivals:
        return Champion(run.variant, [], [])
    least = run.settings_as(SimilarSettings).min_listeners
    try:
        validation = hold_out(split.training, seed=split.seed, min_listeners=least)
    except RefusedError as error:
        note = f"{run.variant} was not compared with {', '.join(run.rivals)} on a validation part: {error.message}."
        return Champion(run.variant, [], [note])
    values = measure(validation, fitted(validation, run, (run.variant, *run.rivals)), run.progress)
    users = np.flatnonzero(~np.isnan(values[run.variant][:, 0]))
    headline = {variant: columns[users, 0] for variant, columns in values.items()}
    return evaluation.champion("similar", HEADLINE, headline, run.variant, users, score=True)


def fit_all(counted: Listens, run: TrainingRun) -> tuple[Factors, list[str]]:
    """Fit the run's variant on all listens; return the artists that have enough listeners, with notes on the fit.

    Raises:
        RefusedError: no artist has enough listeners, or the factors are not finite.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings = run.settings_as(SimilarSettings)
    factors, notes = np.ones((len(counted.artist_ids), 1), dtype=np.float32), list[str]()
    if run.variant in ("two-cosines", "als"):
        fit = als.fit(counted.counts, run, stage="fit on all data")
        if not np.isfinite(fit.artists).all():
            hint = "Raise similar.regularization or similar.alpha with --set."
            raise RefusedError("the factors are not finite numbers", hint)
        factors, notes = unit(fit.artists), fit.notes
    artists = _artifact(counted, factors, settings)
    if run.variant in ("two-cosines", "ppmi"):
        artists = _with_contexts(counted, artists, settings)
    return artists, notes


def _artifact(counted: Listens, factors: NDArray[np.float32], settings: SimilarSettings) -> Factors:
    """Return the artists with enough listeners, and the names of those without; `factors` are (artists, k)."""
    included = frequent_artists(counted.counts, settings.min_listeners)
    others = np.setdiff1d(np.arange(len(counted.names)), included)
    excluded = [(counted.names[column], int(counted.listeners[column])) for column in others]
    excluded += [(name, 0) for name in counted.unheard]
    return Factors.of(
        factors[included],
        counted.listeners[included],
        [counted.artist_ids[column] for column in included],
        [counted.names[column] for column in included],
        Excluded.counted(excluded, settings.min_listeners),
    )


def _with_contexts(counted: Listens, artists: Factors, settings: SimilarSettings) -> Factors:
    """Add the PPMI rows of the artists, and the most similar ones by both cosines."""
    included = frequent_artists(counted.counts, settings.min_listeners)
    ordered = included[by_listeners(counted.listeners[included])]
    rows = ppmi.contexts(counted.counts, ordered)[ordered]
    return replace(artists, contexts=ppmi.padded(rows), neighbours=ppmi.neighbours(artists, rows))
