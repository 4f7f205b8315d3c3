"""Fit a variant; networks stop on validation plays, and must beat the constant there."""

import numpy as np

from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.fitting import reference_models
from pozytywka_cli.families.skip.fitting.networks import MAX_BATCHES, FittedModel, batch_size, fit_network
from pozytywka_cli.families.skip.fitting.training_data import TrainingData, select
from pozytywka_cli.families.skip.models.ensemble import Networks
from pozytywka_cli.families.skip.models.model import shifted
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Recipe, Tensors


def fit(variant: str, data: TrainingData, run: TrainingRun, stop_after: list[int] | None = None) -> FittedModel:
    """Fit a variant on the training plays.

    Networks keep their best epoch on the validation plays; if they do not beat the constant there by more than chance,
    the model is the constant. Without validation plays each network is trained for the epochs in `stop_after`.
    """
    match variant:
        case "constant" | "user-rate":
            return reference_models.baseline(variant, data)
        case "forest":
            return reference_models.forest(data, run.seed)
        case "logistic":
            return reference_models.logistic(data)
        case "legacy":
            return reference_models.legacy(data, run)
        case _:
            return _networks(variant, data, run, stop_after)


def _networks(variant: str, data: TrainingData, run: TrainingRun, stop_after: list[int] | None) -> FittedModel:
    reader, inputs = data.read(variant)
    split, settings = data.split, data.settings
    model = Networks.untrained(variant, reader, run.seed, settings.dropout)
    rows, epochs = (*inputs, data.outcomes), []
    for member in range(len(model.members)):
        training = select(rows, split.fitting(member))
        validation = select(rows, split.validation(member)) if split.validations else None
        member_recipe = recipe(settings, len(training[0]), stop_after[member] if stop_after else None)
        epochs.append(fit_network(model, member, training, validation, member_recipe, run))
    larger = f"batches had more than {settings.batch_size} plays, because an epoch has at most {MAX_BATCHES:,} of them"
    notes = [larger] if member_recipe.batch_size > settings.batch_size else []
    if split.validations and not _beats_constant(model, inputs, data):
        return FittedModel(Networks.untrained(variant, reader, run.seed), epochs, [0] * len(epochs), notes)
    best = [max((epoch.epoch for epoch in member if epoch.best), default=0) for member in epochs]
    return FittedModel(model, epochs, best, notes)


def _beats_constant(model: Networks, inputs: Tensors, data: TrainingData) -> bool:
    """Return whether the validation loss is below the constant's by more than resampling the users can explain.

    Each play is scored by the networks that it was held out from. The best of many epochs is a little better by luck
    alone, and on plays that nobody can predict that luck costs.
    """
    total, networks = np.zeros((2, len(data.skipped)))
    for member, network in enumerate(model.members):
        held_out = data.split.validation(member)
        total[held_out] += model.of(network).score(select(inputs, held_out))
        networks[held_out] += 1
    scored = networks > 0
    score, users = total[scored] / networks[scored], data.log.plays["user_id"].to_numpy()[scored]
    loss, constant = (
        log_loss(data.skipped[scored], shifted(values, model.skip_rate)) for values in (score, np.zeros_like(score))
    )
    return paired_difference(loss, constant, users)[2] < 0


def recipe(settings: SkipSettings, rows: int, stop_after: int | None = None) -> Recipe:
    """Return how a network is fitted on a number of plays."""
    return Recipe(
        epochs=settings.epochs,
        batch_size=batch_size(settings, rows),
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        patience=settings.patience,
        one_cycle=True,
        stop_after=stop_after,
    )
