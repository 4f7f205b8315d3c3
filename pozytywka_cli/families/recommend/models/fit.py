"""Fit the model of a variant to the plays that are known at a moment."""

import numpy as np

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.vectors import TrackVectors
from pozytywka_cli.families.recommend.models.model import BlendWeights, Model, Parameters
from pozytywka_cli.families.recommend.settings import RecommendSettings

EpochRecords = list[dict[str, float]]


def fit(
    history: History,
    run: TrainingRun,
    blend: BlendWeights | None = None,
    embeddings: Embeddings | None = None,
    *,
    stage: str = "fit",
) -> tuple[Model, EpochRecords]:
    """Fit the run's variant to a history; return the model, and a record of each epoch of the autoencoder.

    `blend` are the weights of the blend, which are fitted to plays that are later than a history: see `fit_blend`.
    `embeddings` are those of ALS, if they are known already.

    Raises:
        UnavailableError: the device is "cuda" and cannot be used.
    """
    parameters = Parameters(run.seed, 0.0, 0.0, *(blend if run.variant == "blend" and blend else (None, None)))
    if run.variant == "autoencoder":
        from pozytywka_cli.families.recommend.models import autoencoder  # torch

        codes, epochs = autoencoder.fit(history.tracks, run)
        return Model(run.variant, parameters, take(history.tracks.ids, range(len(history.tracks))), codes), epochs
    if run.variant not in ("als", "blend"):
        return Model(run.variant, parameters), []
    embeddings = embeddings or fit_als(history, run, stage=stage)
    vectors = embeddings.vectors
    parameters = Parameters(run.seed, embeddings.confidence, embeddings.regularization, parameters.new, parameters.all)
    ids = take(history.tracks.ids, np.flatnonzero(vectors.known))
    return Model(run.variant, parameters, ids, vectors.rows.astype(np.float32)), []


def fit_als(history: History, run: TrainingRun, *, stage: str = "fit") -> Embeddings:
    """Fit ALS to the weights of the tracks for the users, see `Profile.weights`."""
    from pozytywka_cli.factorization import Recipe, factorize  # implicit, which a prediction does without

    settings = run.settings_as(RecommendSettings)
    device = run.device if run.variant in ("als", "blend") else "cpu"
    recipe = Recipe(settings.factors, settings.regularization, settings.iterations, run.seed, device)
    weights = (settings.alpha * history.weights()).astype(np.float32)
    played = np.flatnonzero(history.eligible)
    found = factorize(weights[:, played], recipe, stage=f"{stage} als", progress=run.progress)
    vectors = TrackVectors.of(len(history.tracks), played, found.columns)
    return Embeddings(vectors, settings.alpha, found.regularization)
