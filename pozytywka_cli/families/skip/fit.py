"""The fitting of every variant; networks are stopped on validation plays, and held to the constant there."""

import numpy as np

from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.families.skip import reference_models
from pozytywka_cli.families.skip.models.baselines import Constant, UserRate, shifted
from pozytywka_cli.families.skip.models.model import Networks
from pozytywka_cli.families.skip.network_fitting import MAX_BATCHES, Learned, batch_size, fitted
from pozytywka_cli.families.skip.training_data import TrainingData, of
from pozytywka_cli.learning import Recipe, Tensors
from pozytywka_cli.records import Report
from pozytywka_cli.settings import SkipSettings


def learn(
    variant: str,
    training_data: TrainingData,
    *,
    stop_after: list[int] | None = None,
    seed: int,
    device: str,
    report: Report,
) -> Learned:
    """Fit a variant on the training_data's training plays.

    Networks keep their best epoch on the validation plays, or stay the constant (epoch 0) if they do not beat it there
    by more than chance; without validation plays each member is trained for as many epochs as `stop_after` says.
    """
    match variant:
        case "constant":
            return Learned(Constant(training_data.skip_rate))
        case "user-rate":
            return Learned(UserRate(training_data.skip_rate))
        case "forest":
            return reference_models.forest(training_data, seed)
        case "logistic":
            return reference_models.logistic(training_data)
        case "legacy":
            return reference_models.legacy(training_data, seed=seed, device=device, report=report)
        case _:
            return _networks(variant, training_data, stop_after, seed=seed, device=device, report=report)


def _networks(
    variant: str, training_data: TrainingData, stop_after: list[int] | None, *, seed: int, device: str, report: Report
) -> Learned:
    reader, inputs = training_data.read(variant)
    split, settings = training_data.split, training_data.settings
    model = Networks.untrained(variant, reader, seed, settings.dropout)
    everything = (*inputs, training_data.outcomes)
    epochs = []
    for member in range(len(model.members)):
        fitting = of(everything, split.fitting(member))
        validation = of(everything, split.validation(member)) if split.validations else None
        way = recipe(settings, len(fitting[0]), stop_after[member] if stop_after else None)
        epochs.append(fitted(model, member, fitting, validation, way, seed=seed, device=device, report=report))
    larger = f"batches had more than {settings.batch_size} plays: an epoch has {MAX_BATCHES:,} at most"
    notes = [larger] if way.batch_size > settings.batch_size else []
    if split.validations and not _beats_constant(model, inputs, training_data):
        return Learned(Networks.untrained(variant, reader, seed), epochs, [0] * len(epochs), notes)
    best = [max((epoch.epoch for epoch in member if epoch.best), default=0) for member in epochs]
    return Learned(model, epochs, best, notes)


def _beats_constant(model: Networks, inputs: Tensors, training_data: TrainingData) -> bool:
    """Is the log loss of plays that were kept back below the constant's, by more than resampling the users can explain?

    Each play is judged by those networks that it was kept back from. The best of many epochs is a little better by luck
    alone, and on plays that nobody can predict that luck costs.
    """
    total, networks = np.zeros((2, len(training_data.skipped)))
    for member, network in enumerate(model.members):
        kept_back = training_data.split.validation(member)
        total[kept_back] += model.of(network).score(of(inputs, kept_back))
        networks[kept_back] += 1
    judged = networks > 0
    score, users = total[judged] / networks[judged], training_data.dataset.plays["user_id"].to_numpy()[judged]
    ours, constant = (
        log_loss(training_data.skipped[judged], shifted(values, model.skip_rate))
        for values in (score, np.zeros_like(score))
    )
    return paired_difference(ours, constant, users)[2] < 0


def recipe(settings: SkipSettings, rows: int, stop_after: int | None = None) -> Recipe:
    """How a network is fitted on so many plays."""
    return Recipe(
        epochs=settings.epochs,
        batch_size=batch_size(settings, rows),
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        patience=settings.patience,
        one_cycle=True,
        stop_after=stop_after,
    )
