"""The fitting of every variant: networks by the one training loop, the forest by scikit-learn."""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip.baselines import Constant, Model
from pozytywka_cli.skip.forest import Forest
from pozytywka_cli.skip.genres import Genres
from pozytywka_cli.skip.history import Flags
from pozytywka_cli.skip.measure import Split
from pozytywka_cli.skip.model import MEMBERS, Networks, skip_loss
from pozytywka_cli.skip.standard import Standard

MAX_BATCHES = 1000  # in an epoch: more rows come in larger batches, for a step's cost hardly grows with them
READERS: dict[str, type[Standard] | type[Genres]] = {"advanced": Standard, "simple": Genres}


@dataclass(frozen=True)
class Learned:
    """A fitted model; for networks the record of each member's epochs."""

    model: Model
    epochs: list[list[Epoch]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def best(self) -> list[int]:
        """The epoch whose weights each member kept."""
        return [max(epoch.epoch for epoch in member if epoch.best) for member in self.epochs]


def learn(
    variant: str,
    service: Service,
    split: Split,
    settings: SkipSettings,
    *,
    stop_after: list[int] | None = None,
    seed: int,
    device: str,
    report: Report,
) -> Learned:
    """Fit a variant on the split's training plays; `service.plays` are canonical.

    Networks keep their best epoch on the validation plays; where there are none, each member is trained for as many
    epochs as `stop_after` says.
    """
    if variant == "constant":
        return Learned(Constant(float(service.plays["skipped"].to_numpy()[split.training].mean())))
    if variant == "forest":
        return _forest(service, split, settings, seed)
    return _networks(variant, service, split, settings, stop_after, seed=seed, device=device, report=report)


def _forest(service: Service, split: Split, settings: SkipSettings, seed: int) -> Learned:
    forest = Forest.fit(service, split.training, rows=settings.forest_rows, seed=seed)
    rows = int(split.training.sum())
    note = f"the forest was fitted on {settings.forest_rows:,} of {rows:,} plays, drawn at random"
    return Learned(forest, notes=[note] if rows > settings.forest_rows else [])


def _networks(
    variant: str,
    service: Service,
    split: Split,
    settings: SkipSettings,
    stop_after: list[int] | None,
    *,
    seed: int,
    device: str,
    report: Report,
) -> Learned:
    reader, inputs = READERS[variant].prepare(service, split.training)
    model = Networks.untrained(reader, seed, settings.dropout)
    skipped = torch.from_numpy(service.plays["skipped"].to_numpy().astype(np.float32))
    fitting, validation = (_rows((*inputs, skipped), flags) for flags in (split.fitting, split.validation))
    del inputs
    epochs = []
    for member, network in enumerate(model.members):
        recipe = _recipe(settings, len(fitting[0]), stop_after[member] if stop_after else None)
        fitted = learning.fit(
            network,
            skip_loss(reader.skip_rate),
            fitting,
            validation if split.validation.any() else None,
            recipe,
            seed=MEMBERS * seed + member,
            device=torch.device(device),
        )
        epochs.append(list(map(partial(_reported, report, variant, member), fitted)))
    return Learned(model, epochs)


def _rows(tensors: Tensors, flags: Flags) -> Tensors:
    chosen = torch.from_numpy(flags)
    return tuple(tensor[chosen] for tensor in tensors)


def _reported(report: Report, variant: str, member: int, epoch: Epoch) -> Epoch:
    done, total = member * epoch.epochs + epoch.epoch, MEMBERS * epoch.epochs
    report(Progress(f"skip {variant}", done, total, epoch.train_loss if epoch.epoch else None))
    return epoch


def _recipe(settings: SkipSettings, rows: int, stop_after: int | None) -> Recipe:
    return Recipe(
        epochs=settings.epochs,
        batch_size=max(settings.batch_size, math.ceil(rows / MAX_BATCHES)),
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        patience=settings.patience,
        one_cycle=True,
        stop_after=stop_after,
    )
