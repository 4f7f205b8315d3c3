"""Fit the networks of a model."""

import math
from dataclasses import dataclass, field

import torch

from pozytywka_cli import learning
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.models.ensemble import Networks, skip_loss
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress

MAX_BATCHES = 1000  # in an epoch: with more plays batches are larger, because a step's cost hardly grows with them


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    epochs: for each network, a record of every epoch
    best: for each network, its best epoch; all 0 where the networks did not beat the constant and were replaced by it
    notes: what a reader of the model's metrics should know
    """

    model: Model
    epochs: list[list[Epoch]] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def constant(self) -> bool:
        """Whether the networks were replaced by the constant, which they did not beat."""
        return bool(self.best) and not any(self.best)


def fit_network(
    model: Networks, member: int, rows: Tensors, validation: Tensors | None, recipe: Recipe, run: TrainingRun
) -> list[Epoch]:
    """Fit one network of a model in place, and return a record of every epoch.

    `rows` and `validation` are the inputs and the outcomes of plays.
    """
    members = len(model.members)
    epochs = []
    for epoch in learning.fit(
        model.members[member],
        skip_loss(model.skip_rate),
        rows,
        validation,
        recipe,
        seed=members * run.seed + member,
        device=torch.device(run.device),
    ):
        done, total = member * epoch.epochs + epoch.epoch, members * epoch.epochs
        run.progress(Progress(f"skip {model.variant}", done, total, epoch.train_loss if epoch.epoch else None))
        epochs.append(epoch)
    return epochs


def batch_size(settings: SkipSettings, rows: int) -> int:
    """Return the batch size of the settings, or a larger one for many rows."""
    return max(settings.batch_size, math.ceil(rows / MAX_BATCHES))
