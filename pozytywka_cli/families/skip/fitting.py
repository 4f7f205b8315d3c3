"""Fit the weights of a variant on the training plays of a split; the inputs of all models are cached."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Inputs, Reader
from pozytywka_cli.families.skip.metrics import Predictions
from pozytywka_cli.families.skip.models.model import READERS, Baseline, Forest, Model
from pozytywka_cli.families.skip.models.modules import Modules, RegressionModule, skip_loss
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import Split
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress

MAX_BATCHES = 2000  # in an epoch: with more plays batches are larger, because a step's cost hardly grows with them
MAX_PLAYS = 10_000_000  # that a network sees in all epochs, rounded up to whole ones: half a minute
MAX_VALIDATED = 2_000_000  # the same where it is only validated: enough to tell whether there is anything to learn
LEGACY_EPOCHS, LEGACY_RATE = 20, 3e-3
LEGACY_ROWS = 200_000  # half of them skipped: it was made for far fewer


@dataclass(frozen=True)
class TrainingData:
    """A split of the plays of a log, and the inputs of models for all of them, computed once per reader."""

    log: PlayLog
    split: Split
    settings: SkipSettings
    _cache: dict[type[Reader], tuple[Reader, Inputs]] = field(default_factory=dict)

    @property
    def final(self) -> "TrainingData":
        """The same without validation plays, so that weights are fitted on all training plays."""
        return replace(self, split=replace(self.split, validations=()))

    @property
    def skipped(self) -> Flags:
        """Which plays were skipped: (plays,)."""
        return self.log.plays["skipped"].to_numpy()

    def read(self, variant: str) -> tuple[Reader, Inputs]:
        """Return the variant's reader, fitted on the training plays, and its inputs for all plays."""
        kind = READERS[variant]
        if kind not in self._cache:
            self._cache[kind] = kind.prepare(self.log, self.split.training, self.settings)
        return self._cache[kind]

    def inputs(self, variant: str, plays: Flags | Ints) -> Inputs:
        """Return the variant's inputs for some of the plays, which are flagged or numbered."""
        return tuple(array[plays] for array in self.read(variant)[1])

    def rows(self, variant: str, plays: Flags | Ints) -> Tensors:
        """Return the same to train on, and the outcomes as numbers, 0 or 1."""
        return tuple(map(torch.from_numpy, (*self.inputs(variant, plays), self.skipped[plays].astype(np.float32))))

    def probability(self, model: Model, flags: Flags) -> Floats:
        """Return a model's probability that some of the plays are skipped: (flagged plays,)."""
        known = model.reader.known(self.log.plays.filter(flags), self.log)
        return model.predict_proba(self.inputs(model.variant, flags), known)

    def predictions(self, model: Model) -> Predictions:
        """Return a model's predictions for the test plays."""
        probability = self.probability(model, self.split.test)
        return Predictions(probability, np.full(len(probability), model.skip_rate))


@dataclass(frozen=True)
class FittedModel:
    """A fitted model, and how it was fitted.

    epochs: for each network, a record of every epoch
    constant: whether it is the constant, in place of networks that did not beat it on the validation plays
    notes: what a reader of the model's metrics should know
    """

    model: Model
    epochs: list[list[Epoch]] = field(default_factory=list)
    constant: bool = False
    notes: list[str] = field(default_factory=list)


def fit_weights(variant: str, data: TrainingData, run: TrainingRun) -> FittedModel:
    """Fit a variant on the training plays that are not for validation; its inputs are prepared with all of them."""
    match variant:
        case "constant" | "user-rate":
            return FittedModel(Baseline(variant, data.read(variant)[0]))
        case "forest":
            return _forest(data, run.seed)
        case "legacy":
            return _legacy(data, run)
        case _:
            return _networks(variant, data, run)


def _networks(variant: str, data: TrainingData, run: TrainingRun) -> FittedModel:
    """Fit networks, each over its whole schedule, and regressions."""
    modules = Modules.untrained(variant, data.read(variant)[0], run.seed, data.settings.dropout)
    most = MAX_VALIDATED if data.split.validations else MAX_PLAYS
    how, epochs = recipe(data.settings, int(data.split.fitting(0).sum()), most), []
    for number, member in enumerate(modules.members):
        plays = data.split.fitting(number)
        if isinstance(member, RegressionModule):
            member.fit(data.inputs(variant, plays)[0], data.skipped[plays], modules.reader.skip_rate)
        else:
            epochs.append(_fit_network(modules, number, data.rows(variant, plays), how, run))
    larger = f"batches had more than {data.settings.batch_size} plays: an epoch has at most {MAX_BATCHES:,} of them"
    fewer = f"networks were trained for {how.epochs} epochs, which is enough to see {most:,} plays"
    applies = {larger: how.batch_size > data.settings.batch_size, fewer: how.epochs < data.settings.epochs}
    return FittedModel(modules.handed_over(), epochs, notes=[note for note, true in applies.items() if true and epochs])


def _fit_network(modules: Modules, number: int, rows: Tensors, how: Recipe, run: TrainingRun) -> list[Epoch]:
    """Fit one network in place, and return a record of every epoch; rows are the inputs and the outcomes of plays."""
    network, loss, networks = modules.members[number], skip_loss(modules.reader.skip_rate), modules.networks
    epochs, seed, device = [], networks * run.seed + number, torch.device(run.device)
    for epoch in learning.fit(network, loss, rows, None, how, seed=seed, device=device):
        done, total = number * epoch.epochs + epoch.epoch, networks * epoch.epochs
        run.progress(Progress(f"skip {modules.variant}", done, total, epoch.train_loss))
        epochs.append(epoch)
    return epochs


def recipe(settings: SkipSettings, rows: int, most: int = MAX_PLAYS) -> Recipe:
    """Return how a network is fitted on a number of plays, of which it sees about `most` in all its epochs."""
    epochs = min(settings.epochs, math.ceil(most / rows))
    size = max(settings.batch_size, math.ceil(rows / MAX_BATCHES))
    return Recipe(epochs, size, settings.learning_rate, settings.weight_decay, patience=epochs, one_cycle=True)


def _forest(data: TrainingData, seed: int) -> FittedModel:
    """Fit a random forest over genres, on at most `forest_rows` plays."""
    plays, most = data.split.fitting(0), data.settings.forest_rows
    model = Forest.fit(data.read("forest")[0], data.inputs("forest", plays), data.skipped[plays], rows=most, seed=seed)
    note = f"the forest was fitted on a random sample of {most:,} plays"
    return FittedModel(model, notes=[note] if plays.sum() > most else [])


def _legacy(data: TrainingData, run: TrainingRun) -> FittedModel:
    """Fit the old system's network in its way: as many skipped plays as others, Adam."""
    training = np.flatnonzero(data.split.fitting(0))
    skipped = data.skipped[training]
    generator = np.random.default_rng(run.seed)
    fewer = min(skipped.sum(), len(skipped) - skipped.sum(), LEGACY_ROWS // 2)
    sample = np.concatenate([generator.permutation(training[kind])[:fewer] for kind in (skipped, ~skipped)])
    modules = Modules.untrained("legacy", data.read("legacy")[0], run.seed)
    size = recipe(data.settings, len(sample)).batch_size
    legacy_recipe = Recipe(LEGACY_EPOCHS, size, LEGACY_RATE, weight_decay=0.0, patience=LEGACY_EPOCHS)
    epochs = _fit_network(modules, 0, data.rows("legacy", sample), legacy_recipe, run)
    note = f"the old system's network was fitted on a random sample of {len(sample):,} plays, half of them skipped"
    return FittedModel(modules.handed_over(), [epochs], notes=[note] if len(sample) == LEGACY_ROWS else [])
