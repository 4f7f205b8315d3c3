"""One split of the plays, with the inputs of all models cached."""

from dataclasses import dataclass, field

import numpy as np
import torch

from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Reader
from pozytywka_cli.families.skip.metrics import Predictions
from pozytywka_cli.families.skip.models.model import READERS, Model
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import Split
from pozytywka_cli.learning import Tensors


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

    @property
    def outcomes(self) -> torch.Tensor:
        """The same as numbers, 0 or 1, for the loss of a network: (plays,)."""
        return torch.from_numpy(self.skipped.astype(np.float32))

    def read(self, variant: str) -> tuple[Reader, Tensors]:
        """Return the variant's reader, fitted on the training plays, and its inputs for all plays."""
        kind = READERS[variant]
        if kind not in self._cache:
            self._cache[kind] = kind.prepare(self.log, self.split.training, self.settings)
        return self._cache[kind]

    def inputs(self, variant: str, flags: Flags) -> Tensors:
        """Return the variant's inputs for some of the plays."""
        return select(self.read(variant)[1], flags)

    def predictions(self, model: Model) -> Predictions:
        """Return a model's predictions for the test plays."""
        test = self.split.test
        inputs = self.inputs(model.variant, test)
        probability = model.predict_proba(self.log.plays.filter(test), self.log, inputs)
        return Predictions(probability, np.full(len(probability), model.skip_rate))


def select(tensors: Tensors, flags: Flags) -> Tensors:
    """Return the flagged rows of tensors that have one row for each play."""
    chosen = torch.from_numpy(flags)
    return tuple(tensor[chosen] for tensor in tensors)
