"""Training: measure a variant on held-out artists beside the baseline, then fit it on all listens."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli import evaluation
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.similar import FAMILY, card
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import HEADLINE, Scorer, measure, summary
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.factors import Excluded, Factors
from pozytywka_cli.families.similar.models.scorers import Embeddings, Popularity, unit
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import TUNING_SPLIT, frequent_artists, hold_out

MARGIN = 0.01
SIGNATURE = {
    "inputs": {"artist": "string", "by_id": "bool", "count": "int"},
    "outputs": dict.fromkeys(("query", "matched", "name", "id"), "string")
    | {"score": "float32, cosine; null of popularity", "variant": "string", "problem": "string, or null"},
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant and the baseline on one split, then fit the variant on all listens.

    Raises:
        RefusedError: there are too few listens to hold any out, or no artist has enough listeners.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings, counted = run.settings_as(SimilarSettings), listens(dataset)

    split = hold_out(counted.counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners)
    scorers: dict[str, Scorer] = {FAMILY.baseline: Popularity(split.listeners)}
    if run.variant != FAMILY.baseline:
        scorers = {run.variant: Embeddings.fit(split, run), **scorers}
    values = measure(split, scorers, run.progress)
    metrics = summary(split, values)

    constant = _artifact(counted, np.ones((len(counted.artist_ids), 1), dtype=np.float32), settings)
    baseline_metrics = [row for row in metrics if row.variant == FAMILY.baseline]
    baseline = Draft(FAMILY.baseline, constant.save, SIGNATURE, baseline_metrics, card.text(FAMILY.baseline, settings))
    if run.variant == FAMILY.baseline:
        return Trained(baseline, baseline)

    factors, notes = fit_all(counted, run)
    users = np.flatnonzero(~np.isnan(values[run.variant][:, 0]))
    headline, popularity = (values[name][users, 0] for name in (run.variant, FAMILY.baseline))
    gate = evaluation.gate(HEADLINE, FAMILY.baseline, headline, popularity, users, margin=MARGIN, score=True)
    text = card.text(run.variant, settings)
    return Trained(Draft(run.variant, factors.save, SIGNATURE, metrics, text, gate, notes), baseline)


def fit_all(counted: Listens, run: TrainingRun) -> tuple[Factors, list[str]]:
    """Fit ALS on all listens, and return the artists that have enough listeners, with notes on the fit.

    Raises:
        RefusedError: no artist has enough listeners, or the factors are not finite.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    fit = als.fit(counted.counts, run, stage="fit on all data")
    if not np.isfinite(fit.artists).all():
        hint = "Raise similar.regularization or similar.alpha with --set."
        raise RefusedError("the factors are not finite numbers", hint)
    return _artifact(counted, unit(fit.artists), run.settings_as(SimilarSettings)), fit.notes


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
