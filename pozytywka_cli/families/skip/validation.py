"""Compare variants on the validation plays, by fits without them: is it the constant, and which one serves?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pozytywka_cli.evaluation import Champion, Flags, Floats, champion, log_loss, paired_difference
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData, fit_weights
from pozytywka_cli.families.skip.models.model import Model, shifted
from pozytywka_cli.families.skip.models.modules import Modules
from pozytywka_cli.families.skip.models.networks import Networks

GATED = ("advanced", "simple")  # those that are the constant unless they beat it


@dataclass(frozen=True)
class Validated:
    """The log loss of each validation play, (plays,), in nats; those of the constant where a variant is replaced by it.

    constant: whether it is
    """

    losses: Floats
    constant: bool


def validate(variant: str, data: TrainingData, run: TrainingRun) -> Validated:
    """Fit a variant without the validation plays, and compare it there with the constant.

    Networks are the constant unless their mean loss is below the constant's by more than chance among users can
    explain: where nobody can predict anything, what a network finds is chance, and costs.
    """
    model = fit_weights(variant, data, run).model
    scored, probability = _held_out(model, data)
    skipped, users = data.skipped[scored], data.log.plays["user_id"].to_numpy()[scored]
    losses, constant = (log_loss(skipped, made) for made in (probability, np.full(len(skipped), model.skip_rate)))
    if variant not in GATED or paired_difference(losses, constant, users).below(0):
        return Validated(losses, False)
    return Validated(constant, True)


def _held_out(model: Model, data: TrainingData) -> tuple[Flags, Floats]:
    """Return which plays a model is validated on, (plays,), and its probabilities for these, (scored plays,).

    Each is scored by the networks that it was held out from: all of them in a split by time.
    """
    split = data.split
    if not isinstance(model, Networks):
        return split.validation(0), data.probability(model, split.validation(0))
    total, networks = np.zeros((2, len(data.skipped)))
    for member, network in enumerate(model.members):
        held_out = split.validation(member)
        total[held_out] += network.score(data.inputs(model.variant, held_out))
        networks[held_out] += 1
    scored = networks > 0
    return scored, shifted(total[scored] / networks[scored], model.skip_rate)


def validate_all(variants: Iterable[str], data: TrainingData, run: TrainingRun) -> dict[str, Validated]:
    """Return the validation of each of these variants, once each."""
    return {variant: validate(variant, data, run) for variant in dict.fromkeys(variants)}


def choose(validated: dict[str, Validated], data: TrainingData, run: TrainingRun) -> Champion:
    """Return which of the run's variant and its rivals serves, in a split by time; see `evaluation.champion`."""
    if not run.rivals:
        return Champion(run.variant, [], [])
    users = data.log.plays["user_id"].to_numpy()[data.split.validation(0)]
    losses = {variant: validated[variant].losses for variant in (run.variant, *run.rivals)}
    return champion(FAMILY.name, "log_loss", losses, run.variant, users)


def fit(variant: str, data: TrainingData, run: TrainingRun, validated: Validated | None = None) -> FittedModel:
    """Fit a variant on the training plays, or return the constant where `validated` says so; see `validate`.

    Without `validated`, networks are validated on the plays of `data`.
    """
    if variant in GATED:
        validated = validated or validate(variant, data, run)
        if validated.constant:
            reader, _ = data.read(variant)
            return FittedModel(Modules.untrained(variant, reader, run.seed).handed_over(), constant=True)
    return fit_weights(variant, data.final, run)
