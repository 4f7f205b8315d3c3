"""The fitting of one network by the training loop."""

import math
from dataclasses import dataclass, field

import torch

from pozytywka_cli import learning
from pozytywka_cli.families.skip.models.baselines import Model
from pozytywka_cli.families.skip.models.model import Networks, skip_loss
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import SkipSettings

MAX_BATCHES = 1000  # in an epoch: more rows come in larger batches, for a step's cost hardly grows with them


@dataclass(frozen=True)
class Learned:
    """A fitted model; for networks the record of each member's epochs, and the `best` one of each: 0 of a constant."""

    model: Model
    epochs: list[list[Epoch]] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def constant(self) -> bool:
        """Whether networks were held to the constant, which they did not beat."""
        return bool(self.best) and not any(self.best)


def fitted(
    model: Networks,
    member: int,
    rows: Tensors,
    validation: Tensors | None,
    recipe: Recipe,
    *,
    seed: int,
    device: str,
    report: Report,
) -> list[Epoch]:
    """Train one member in place, and return the record of its epochs."""
    members = len(model.members)
    epochs = learning.fit(
        model.members[member],
        skip_loss(model.skip_rate),
        rows,
        validation,
        recipe,
        seed=members * seed + member,
        device=torch.device(device),
    )
    found = []
    for epoch in epochs:
        done, total = member * epoch.epochs + epoch.epoch, members * epoch.epochs
        report(Progress(f"skip {model.variant}", done, total, epoch.train_loss if epoch.epoch else None))
        found.append(epoch)
    return found


def batch_size(settings: SkipSettings, rows: int) -> int:
    """The batch size asked for, or a larger one for many rows."""
    return max(settings.batch_size, math.ceil(rows / MAX_BATCHES))
