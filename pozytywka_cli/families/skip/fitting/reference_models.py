"""Fit the models that the networks are compared with: baselines, a forest, a logistic regression, the old network."""

import numpy as np
import torch
from scipy.special import logit

from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.past_rate import PastRate
from pozytywka_cli.families.skip.fitting.networks import FittedModel, batch_size, fit_network
from pozytywka_cli.families.skip.fitting.training_data import TrainingData, select
from pozytywka_cli.families.skip.models.baselines import Baseline
from pozytywka_cli.families.skip.models.ensemble import Networks
from pozytywka_cli.families.skip.models.forest import Forest
from pozytywka_cli.learning import Recipe

LEGACY_EPOCHS, LEGACY_RATE = 20, 3e-3
LEGACY_ROWS = 200_000  # half of them skipped: it was made for far fewer


def baseline(variant: str, data: TrainingData) -> FittedModel:
    """Compute the skip rate of the training plays, for the constant and the user's rate."""
    reader, _ = data.read(variant)
    assert isinstance(reader, PastRate)
    return FittedModel(Baseline(variant, reader))


def forest(data: TrainingData, seed: int) -> FittedModel:
    """Fit a random forest over genres, on at most `forest_rows` plays."""
    reader, inputs = data.read("forest")
    assert isinstance(reader, Genres)
    training, most = data.split.training, data.settings.forest_rows
    model = Forest.fit(reader, select(inputs, training), data.skipped[training], rows=most, seed=seed)
    note = f"the forest was fitted on a random sample of {most:,} plays"
    return FittedModel(model, notes=[note] if training.sum() > most else [])


def logistic(data: TrainingData) -> FittedModel:
    """Fit a logistic regression over the features; with so many plays its penalty hardly matters."""
    from sklearn.linear_model import LogisticRegression

    reader, (features,) = data.read("logistic")
    training = data.split.training
    regression = LogisticRegression(max_iter=1000).fit(features.numpy()[training], data.skipped[training])
    model = Networks.untrained("logistic", reader, seed=0)
    weights = {"weight": torch.from_numpy(regression.coef_), "bias": torch.from_numpy(regression.intercept_)}
    weights["bias"] = weights["bias"] - logit(model.skip_rate)
    next(model.members.children()).load_state_dict({f"linear.{name}": value for name, value in weights.items()})
    return FittedModel(model)


def legacy(data: TrainingData, run: TrainingRun) -> FittedModel:
    """Fit the old system's network in its way: as many skipped plays as others, Adam, no validation plays."""
    reader, inputs = data.read("legacy")
    training = np.flatnonzero(data.split.training)
    skipped = data.skipped[training]
    generator = np.random.default_rng(run.seed)
    fewer = min(skipped.sum(), len(skipped) - skipped.sum(), LEGACY_ROWS // 2)
    sample = np.concatenate([generator.permutation(training[kind])[:fewer] for kind in (skipped, ~skipped)])
    model = Networks.untrained("legacy", reader, run.seed)
    recipe = Recipe(
        epochs=LEGACY_EPOCHS,
        batch_size=batch_size(data.settings, len(sample)),
        learning_rate=LEGACY_RATE,
        weight_decay=0.0,
        patience=LEGACY_EPOCHS,
    )
    rows = (*(tensor[sample] for tensor in inputs), data.outcomes[sample])
    epochs = fit_network(model, 0, rows, None, recipe, run)
    note = f"the old system's network was fitted on a random sample of {len(sample):,} plays, half of them skipped"
    return FittedModel(model, [epochs], notes=[note] if len(sample) == LEGACY_ROWS else [])
