"""Training: measured on held-out listens beside the baseline, then fitted on everything."""

from collections.abc import Sequence

import numpy as np

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import paired_difference
from pozytywka_cli.families.similar import BASELINE, als
from pozytywka_cli.families.similar.evaluate import TUNED, latent, rows
from pozytywka_cli.families.similar.excluded import Rare
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import METRICS, Floats, measure
from pozytywka_cli.families.similar.model import Factors
from pozytywka_cli.families.similar.scorers import Popularity, unit
from pozytywka_cli.families.similar.splits import hold_out, popular
from pozytywka_cli.records import Gate, Report, Row
from pozytywka_cli.settings import SimilarSettings

MARGIN = 0.01
SIGNATURE = {
    "inputs": {"name": "string"},
    "outputs": {"name": "string", "id": "string", "score": "float32, cosine"},
}
QUESTION = "Which artists are like this one?"
PROTOCOL = (
    "A fifth of the artists of every listener who has at least 5 was hidden from it, drawn at random. It learned from "
    "the rest and had to find the hidden ones again, by likeness to at most 50 artists of each listener. What serves "
    "was then fitted on everything."
)
USE = "Suggesting artists beside the one that a listener has chosen: the same people listen to them."
PLAIN_USE = "Suggesting the artists with the most listeners until a model is shown to be as good."
PLAIN_LIMITS = "It knows no likeness: whichever artist is asked for, it names the same ones."
NOT_FOR = "Saying how artists sound, for it has heard no music. Ranking artists by worth. Judging single listeners."
GLOSSARY = {
    "als": "describes each artist by 'who listens to it', learned from all listeners at once",
    "popularity": "names the artists with the most listeners, whichever is asked for: the plain baseline",
    "PM": "how often a hidden artist comes among the first 10 when mixed with 99 others, drawn by how well known they "
    "are; higher is better",
    "recall@10": "the share of a listener's hidden artists among the 10 most like one that the listener hears; "
    "higher is better",
    "NDCG@10": "the same, a find counting more the nearer it stands to the top; higher is better",
    "user recall@20": "the share of a listener's hidden artists among 20 found from all that the listener hears; "
    "higher is better",
    "user NDCG@20": "the same, a find counting more the nearer it stands to the top; higher is better",
}


def train(
    source: Dataset | Listens, settings: SimilarSettings, *, variant: str, seed: int, device: str, report: Report
) -> Trained:
    """Measure `variant` and the baseline on split 0, then fit what serves on all listens.

    Raises:
        RefusedError: too few listens to hold any out, or no artist has enough listeners.
        UnavailableError: `device` is "cuda" and cannot be used.
    """
    heard = listens(source)
    split = hold_out(heard.counts, seed=TUNED, min_listeners=settings.min_listeners)
    plain = Popularity(split.listeners)
    if variant == BASELINE:
        draft = _baseline(heard, settings, rows(split, measure(split, {BASELINE: plain}, report)))
        return Trained(draft, draft)
    model = latent(split, settings, seed=seed, device=device, report=report)
    figures = measure(split, {variant: model, BASELINE: plain}, report)
    metrics = rows(split, figures)
    served, notes = fitted(heard, settings, seed=seed, device=device, report=report)
    limits = f"It knows artists with at least {settings.min_listeners} listeners; one with few is known less well."
    gate = _gate(figures[variant], figures[BASELINE])
    draft = _draft(variant, served, metrics, use=USE, limits=limits, gate=gate, notes=notes)
    return Trained(draft, _baseline(heard, settings, [row for row in metrics if row.variant == BASELINE]))


def fitted(
    heard: Listens, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> tuple[Factors, list[str]]:
    """The factors that serve: ALS on all listens, of which the artists with enough listeners are kept; and its notes.

    Raises:
        RefusedError: no artist has enough listeners, or no numbers come of these settings.
        UnavailableError: `device` is "cuda" and cannot be used.
    """
    found = als.fit(heard.counts, settings, seed=seed, device=device, report=report, stage="fit on everything")
    if not np.isfinite(found.artists).all():
        raise RefusedError("the factors are no finite numbers", "Raise `regularization` in [similar], or `alpha`.")
    return _served(heard, unit(found.artists), settings), found.notes


def _baseline(heard: Listens, settings: SimilarSettings, metrics: list[Row]) -> Draft:
    constant = np.ones((len(heard.artist_ids), 1), dtype=np.float32)
    return _draft(BASELINE, _served(heard, constant, settings), metrics, use=PLAIN_USE, limits=PLAIN_LIMITS)


def _draft(
    variant: str,
    model: Factors,
    metrics: list[Row],
    *,
    use: str,
    limits: str,
    gate: Gate | None = None,
    notes: Sequence[str] = (),
) -> Draft:
    return Draft(
        variant=variant,
        write=model.save,
        signature=SIGNATURE,
        metrics=metrics,
        question=QUESTION,
        protocol=PROTOCOL,
        use=use,
        not_for=NOT_FOR,
        limits=limits,
        glossary=GLOSSARY,
        gate=gate,
        notes=list(notes),
    )


def _served(heard: Listens, factors: als.Matrix, settings: SimilarSettings) -> Factors:
    """The artists with enough listeners, and by name those without."""
    kept = popular(heard.counts, settings.min_listeners)
    few = np.setdiff1d(np.arange(len(heard.names)), kept)
    rare = [*((heard.names[column], int(heard.listeners[column])) for column in few), *((n, 0) for n in heard.unheard)]
    return Factors.of(
        factors[kept],
        heard.listeners[kept],
        [heard.artist_ids[column] for column in kept],
        [heard.names[column] for column in kept],
        Rare.of(rare, settings.min_listeners),
    )


def _gate(model: Floats, baseline: Floats) -> Gate:
    column = METRICS.index("PM")
    ours, theirs = (figures[:, column] for figures in (model, baseline))
    users = np.flatnonzero(~np.isnan(ours))
    ours, theirs = ours[users], theirs[users]
    difference, low, high = paired_difference(1 - ours, 1 - theirs, users)
    return Gate("PM", float(ours.mean()), float(theirs.mean()), BASELINE, difference, low, high, MARGIN)
