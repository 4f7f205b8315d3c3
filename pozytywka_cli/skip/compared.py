"""The fitting of the models that the networks are compared with: a forest, a logistic regression, the old system's."""

import numpy as np
import torch
from scipy.special import logit

from pozytywka_cli.learning import Recipe
from pozytywka_cli.records import Report
from pozytywka_cli.skip.fitting import Learned, batch_size, fitted
from pozytywka_cli.skip.inputs.genres import Genres
from pozytywka_cli.skip.lesson import Lesson, of
from pozytywka_cli.skip.models.forest import Forest
from pozytywka_cli.skip.models.model import Networks

LEGACY_EPOCHS, LEGACY_RATE = 20, 3e-3
LEGACY_ROWS = 200_000  # half of them skipped: it was made for far fewer


def forest(lesson: Lesson, seed: int) -> Learned:
    """A random forest over genres, on at most `forest_rows` plays."""
    reader, inputs = lesson.read("forest")
    assert isinstance(reader, Genres)
    training, most = lesson.split.training, lesson.settings.forest_rows
    trees = Forest.fit(reader, of(inputs, training), lesson.skipped[training], rows=most, seed=seed)
    note = f"the forest was fitted on {most:,} plays, drawn at random"
    return Learned(trees, notes=[note] if training.sum() > most else [])


def logistic(lesson: Lesson) -> Learned:
    """A logistic regression over the features; its penalty is nothing beside so many plays."""
    from sklearn.linear_model import LogisticRegression

    reader, (features,) = lesson.read("logistic")
    training = lesson.split.training
    fitted = LogisticRegression(max_iter=1000).fit(features.numpy()[training], lesson.skipped[training])
    model = Networks.untrained("logistic", reader, seed=0)
    weights = {"weight": torch.from_numpy(fitted.coef_), "bias": torch.from_numpy(fitted.intercept_)}
    weights["bias"] = weights["bias"] - logit(model.skip_rate)
    next(model.members.children()).load_state_dict({f"linear.{name}": value for name, value in weights.items()})
    return Learned(model)


def legacy(lesson: Lesson, *, seed: int, device: str, report: Report) -> Learned:
    """The old system's recipe: as many skipped plays as others, Adam, and no look at validation plays."""
    reader, inputs = lesson.read("legacy")
    training = np.flatnonzero(lesson.split.training)
    skipped = lesson.skipped[training]
    generator = np.random.default_rng(seed)
    fewer = min(skipped.sum(), len(skipped) - skipped.sum(), LEGACY_ROWS // 2)
    drawn = np.concatenate([generator.permutation(training[kind])[:fewer] for kind in (skipped, ~skipped)])
    model = Networks.untrained("legacy", reader, seed)
    recipe = Recipe(
        epochs=LEGACY_EPOCHS,
        batch_size=batch_size(lesson.settings, len(drawn)),
        learning_rate=LEGACY_RATE,
        weight_decay=0.0,
        patience=LEGACY_EPOCHS,
    )
    rows = (*(tensor[drawn] for tensor in inputs), lesson.outcomes[drawn])
    epochs = fitted(model, 0, rows, None, recipe, seed=seed, device=device, report=report)
    note = f"the old recipe was fitted on {len(drawn):,} plays, half of them skipped, drawn at random"
    return Learned(model, [epochs], notes=[note] if len(drawn) == LEGACY_ROWS else [])
