"""The fitting of the models that the networks are compared with: a forest, a logistic regression, the old system's."""

import numpy as np
import torch
from scipy.special import logit

from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.models.forest import Forest
from pozytywka_cli.families.skip.models.model import Networks
from pozytywka_cli.families.skip.network_fitting import Learned, batch_size, fitted
from pozytywka_cli.families.skip.training_data import TrainingData, of
from pozytywka_cli.learning import Recipe
from pozytywka_cli.records import Report

LEGACY_EPOCHS, LEGACY_RATE = 20, 3e-3
LEGACY_ROWS = 200_000  # half of them skipped: it was made for far fewer


def forest(training_data: TrainingData, seed: int) -> Learned:
    """A random forest over genres, on at most `forest_rows` plays."""
    reader, inputs = training_data.read("forest")
    assert isinstance(reader, Genres)
    training, most = training_data.split.training, training_data.settings.forest_rows
    trees = Forest.fit(reader, of(inputs, training), training_data.skipped[training], rows=most, seed=seed)
    note = f"the forest was fitted on {most:,} plays, drawn at random"
    return Learned(trees, notes=[note] if training.sum() > most else [])


def logistic(training_data: TrainingData) -> Learned:
    """A logistic regression over the features; its penalty is nothing beside so many plays."""
    from sklearn.linear_model import LogisticRegression

    reader, (features,) = training_data.read("logistic")
    training = training_data.split.training
    fitted = LogisticRegression(max_iter=1000).fit(features.numpy()[training], training_data.skipped[training])
    model = Networks.untrained("logistic", reader, seed=0)
    weights = {"weight": torch.from_numpy(fitted.coef_), "bias": torch.from_numpy(fitted.intercept_)}
    weights["bias"] = weights["bias"] - logit(model.skip_rate)
    next(model.members.children()).load_state_dict({f"linear.{name}": value for name, value in weights.items()})
    return Learned(model)


def legacy(training_data: TrainingData, *, seed: int, device: str, report: Report) -> Learned:
    """The old system's recipe: as many skipped plays as others, Adam, and no look at validation plays."""
    reader, inputs = training_data.read("legacy")
    training = np.flatnonzero(training_data.split.training)
    skipped = training_data.skipped[training]
    generator = np.random.default_rng(seed)
    fewer = min(skipped.sum(), len(skipped) - skipped.sum(), LEGACY_ROWS // 2)
    drawn = np.concatenate([generator.permutation(training[kind])[:fewer] for kind in (skipped, ~skipped)])
    model = Networks.untrained("legacy", reader, seed)
    recipe = Recipe(
        epochs=LEGACY_EPOCHS,
        batch_size=batch_size(training_data.settings, len(drawn)),
        learning_rate=LEGACY_RATE,
        weight_decay=0.0,
        patience=LEGACY_EPOCHS,
    )
    rows = (*(tensor[drawn] for tensor in inputs), training_data.outcomes[drawn])
    epochs = fitted(model, 0, rows, None, recipe, seed=seed, device=device, report=report)
    note = f"the old recipe was fitted on {len(drawn):,} plays, half of them skipped, drawn at random"
    return Learned(model, [epochs], notes=[note] if len(drawn) == LEGACY_ROWS else [])
