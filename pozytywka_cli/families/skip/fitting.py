"""Fit a variant on the training plays of a split; the inputs of all models are cached."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.special import logit

from pozytywka_cli import learning
from pozytywka_cli.evaluation import Flags, log_loss, paired_difference
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Reader
from pozytywka_cli.families.skip.metrics import Predictions
from pozytywka_cli.families.skip.models.model import READERS, Baseline, Forest, Model, shifted
from pozytywka_cli.families.skip.models.networks import Networks, score, skip_loss
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import Split
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress

MAX_BATCHES = 1000  # in an epoch: with more plays batches are larger, because a step's cost hardly grows with them
LEGACY_EPOCHS, LEGACY_RATE = 20, 3e-3
LEGACY_ROWS = 200_000  # half of them skipped: it was made for far fewer


@dataclass(frozen=True)
class TrainingData:
    """A split of the plays of a log, and the inputs of models for all of them, computed once per reader."""

    log: PlayLog
    split: Split
    settings: SkipSettings
    _cache: dict[type[Reader], tuple[Reader, Tensors]] = field(default_factory=dict)

    @property
    def skipped(self) -> Flags:
        """Which plays were skipped: (plays,)."""
        return self.log.plays["skipped"].to_numpy()

    def read(self, variant: str) -> tuple[Reader, Tensors]:
        """Return the variant's reader, fitted on the training plays, and its inputs for all plays."""
        kind = READERS[variant]
        if kind not in self._cache:
            self._cache[kind] = kind.prepare(self.log, self.split.training, self.settings)
        return self._cache[kind]

    def rows(self, variant: str) -> Tensors:
        """Return the variant's inputs for all plays, and the outcomes as numbers, 0 or 1."""
        return (*self.read(variant)[1], torch.from_numpy(self.skipped.astype(np.float32)))

    def inputs(self, variant: str, flags: Flags) -> Tensors:
        """Return the variant's inputs for some of the plays."""
        return select(self.read(variant)[1], flags)

    def predictions(self, model: Model) -> Predictions:
        """Return a model's predictions for the test plays."""
        plays, inputs = self.log.plays.filter(self.split.test), self.inputs(model.variant, self.split.test)
        probability = model.predict_proba(plays, self.log, inputs)
        return Predictions(probability, np.full(len(probability), model.skip_rate))


def select(tensors: Tensors, flags: Flags) -> Tensors:
    """Return the flagged rows of tensors that have one row for each play."""
    return tuple(tensor[torch.from_numpy(flags)] for tensor in tensors)


@dataclass(frozen=True)
class FittedModel:
    """A fitted model, and how it was fitted.

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


def fit(variant: str, data: TrainingData, run: TrainingRun, stop_after: list[int] | None = None) -> FittedModel:
    """Fit a variant on the training plays.

    Networks keep their best epoch on the validation plays; if they do not beat the constant there by more than chance,
    the model is the constant. Without validation plays each network is trained for the epochs in `stop_after`.
    """
    match variant:
        case "constant" | "user-rate":
            return FittedModel(Baseline(variant, data.read(variant)[0]))
        case "forest":
            return _forest(data, run.seed)
        case "logistic":
            return _logistic(data)
        case "legacy":
            return _legacy(data, run)
        case _:
            return _networks(variant, data, run, stop_after)


def _networks(variant: str, data: TrainingData, run: TrainingRun, stop_after: list[int] | None) -> FittedModel:
    reader, inputs = data.read(variant)
    split, settings = data.split, data.settings
    model = Networks.untrained(variant, reader, run.seed, settings.dropout)
    rows, epochs = data.rows(variant), []
    for member in range(len(model.members)):
        training = select(rows, split.fitting(member))
        validation = select(rows, split.validation(member)) if split.validations else None
        member_recipe = recipe(settings, len(training[0]), stop_after[member] if stop_after else None)
        epochs.append(_fit_member(model, member, training, validation, member_recipe, run))
    larger = f"batches had more than {settings.batch_size} plays, because an epoch has at most {MAX_BATCHES:,} of them"
    notes = [larger] if member_recipe.batch_size > settings.batch_size else []
    if split.validations and not _beats_constant(model, inputs, data):
        return FittedModel(Networks.untrained(variant, reader, run.seed), epochs, [0] * len(epochs), notes)
    best = [max((epoch.epoch for epoch in member if epoch.best), default=0) for member in epochs]
    return FittedModel(model, epochs, best, notes)


def _fit_member(
    model: Networks, member: int, rows: Tensors, validation: Tensors | None, recipe: Recipe, run: TrainingRun
) -> list[Epoch]:
    """Fit one network in place, and return a record of every epoch; rows are the inputs and the outcomes of plays."""
    network, loss, seed = model.members[member], skip_loss(model.skip_rate), len(model.members) * run.seed + member
    epochs = []
    for epoch in learning.fit(network, loss, rows, validation, recipe, seed=seed, device=torch.device(run.device)):
        done, total = member * epoch.epochs + epoch.epoch, len(model.members) * epoch.epochs
        run.progress(Progress(f"skip {model.variant}", done, total, epoch.train_loss if epoch.epoch else None))
        epochs.append(epoch)
    return epochs


def _beats_constant(model: Networks, inputs: Tensors, data: TrainingData) -> bool:
    """Return whether the validation loss is below the constant's by more than chance among users can explain.

    Each play is scored by the networks that it was held out from. The best of many epochs is a little better by luck
    alone, and on plays that nobody can predict that luck costs.
    """
    total, networks = np.zeros((2, len(data.skipped)))
    for member, network in enumerate(model.members):
        held_out = data.split.validation(member)
        total[held_out] += score(network, select(inputs, held_out))
        networks[held_out] += 1
    scored = networks > 0
    probability = shifted(total[scored] / networks[scored], model.skip_rate)
    skipped, users = data.skipped[scored], data.log.plays["user_id"].to_numpy()[scored]
    loss, constant = (log_loss(skipped, made) for made in (probability, np.full_like(probability, model.skip_rate)))
    return paired_difference(loss, constant, users).below(0)


def recipe(settings: SkipSettings, rows: int, stop_after: int | None = None) -> Recipe:
    """Return how a network is fitted on a number of plays."""
    size = max(settings.batch_size, math.ceil(rows / MAX_BATCHES))
    rate, decay, patience = settings.learning_rate, settings.weight_decay, settings.patience
    return Recipe(settings.epochs, size, rate, decay, patience, one_cycle=True, stop_after=stop_after)


def _forest(data: TrainingData, seed: int) -> FittedModel:
    """Fit a random forest over genres, on at most `forest_rows` plays."""
    reader, inputs = data.read("forest")
    training, most = data.split.training, data.settings.forest_rows
    model = Forest.fit(reader, select(inputs, training), data.skipped[training], rows=most, seed=seed)
    note = f"the forest was fitted on a random sample of {most:,} plays"
    return FittedModel(model, notes=[note] if training.sum() > most else [])


def _logistic(data: TrainingData) -> FittedModel:
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


def _legacy(data: TrainingData, run: TrainingRun) -> FittedModel:
    """Fit the old system's network in its way: as many skipped plays as others, Adam, no validation plays."""
    training = np.flatnonzero(data.split.training)
    skipped = data.skipped[training]
    generator = np.random.default_rng(run.seed)
    fewer = min(skipped.sum(), len(skipped) - skipped.sum(), LEGACY_ROWS // 2)
    sample = np.concatenate([generator.permutation(training[kind])[:fewer] for kind in (skipped, ~skipped)])
    model = Networks.untrained("legacy", data.read("legacy")[0], run.seed)
    size = recipe(data.settings, len(sample)).batch_size
    legacy_recipe = Recipe(LEGACY_EPOCHS, size, LEGACY_RATE, weight_decay=0.0, patience=LEGACY_EPOCHS)
    rows = tuple(tensor[sample] for tensor in data.rows("legacy"))
    epochs = _fit_member(model, 0, rows, None, legacy_recipe, run)
    note = f"the old system's network was fitted on a random sample of {len(sample):,} plays, half of them skipped"
    return FittedModel(model, [epochs], notes=[note] if len(sample) == LEGACY_ROWS else [])
