"""The fitting of every variant: networks by the one training loop, the forest by scikit-learn."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip.baselines import Constant, Model, shifted
from pozytywka_cli.skip.forest import Forest
from pozytywka_cli.skip.genres import Genres
from pozytywka_cli.skip.history import Flags, Ints
from pozytywka_cli.skip.measure import Split
from pozytywka_cli.skip.model import MEMBERS, Networks, skip_loss
from pozytywka_cli.skip.standard import Standard

MAX_BATCHES = 1000  # in an epoch: more rows come in larger batches, for a step's cost hardly grows with them
READERS: dict[str, type[Standard] | type[Genres]] = {"advanced": Standard, "simple": Genres}


@dataclass(frozen=True)
class Learned:
    """A fitted model; for networks the record of each member's epochs, and the `best` one of each."""

    model: Model
    epochs: list[list[Epoch]] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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

    Networks keep their best epoch on the validation plays, or stay the constant (epoch 0) if they do not beat it there
    by more than chance; without validation plays each member is trained for as many epochs as `stop_after` says.
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
    for member in range(MEMBERS):
        recipe = _recipe(settings, len(fitting[0]), stop_after[member] if stop_after else None)
        fitted = _member(model, member, fitting, validation, recipe, seed=seed, device=device)
        epochs.append([_reported(report, variant, member, epoch) for epoch in fitted])
    users = service.plays["user_id"].to_numpy()[split.validation]
    if len(users) and not _beats_constant(model, validation, users):
        return Learned(Networks.untrained(reader, seed), epochs, [0] * MEMBERS)
    return Learned(
        model, epochs, [max((epoch.epoch for epoch in member if epoch.best), default=0) for member in epochs]
    )


def _member(
    model: Networks, member: int, fitting: Tensors, validation: Tensors, recipe: Recipe, *, seed: int, device: str
) -> Iterator[Epoch]:
    return learning.fit(
        model.members[member],
        skip_loss(model.skip_rate),
        fitting,
        validation if len(validation[0]) else None,
        recipe,
        seed=MEMBERS * seed + member,
        device=torch.device(device),
    )


def _beats_constant(model: Networks, validation: Tensors, users: Ints) -> bool:
    """Is the log loss below the constant's, by more than resampling the users can explain?

    The best of many epochs is a little better by luck alone, and on plays that nobody can predict that luck costs.
    """
    score, skipped = model.score(validation[:-1]), validation[-1].numpy() > 0
    ours, constant = (log_loss(skipped, shifted(values, model.skip_rate)) for values in (score, np.zeros(len(score))))
    return paired_difference(ours, constant, users)[2] < 0


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
