"""What a model learns from and is asked: a split of the plays, and everything that is read of them."""

from dataclasses import dataclass, field

import numpy as np
import torch

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.history import Flags
from pozytywka_cli.families.skip.metrics import Answers
from pozytywka_cli.families.skip.models.baselines import Model
from pozytywka_cli.families.skip.models.model import READERS, Reader
from pozytywka_cli.families.skip.splits import Split
from pozytywka_cli.learning import Tensors
from pozytywka_cli.settings import SkipSettings


@dataclass(frozen=True)
class TrainingData:
    """A split of a dataset's canonical plays, and what the models read of all of them, which is read once for all."""

    dataset: Dataset
    split: Split
    settings: SkipSettings
    _read: dict[type[Reader], tuple[Reader, Tensors]] = field(default_factory=dict)

    @property
    def skipped(self) -> Flags:
        """Which plays were skipped: (plays,)."""
        return self.dataset.plays["skipped"].to_numpy()

    @property
    def outcomes(self) -> torch.Tensor:
        """The same as a network learns it, 0 or 1: (plays,)."""
        return torch.from_numpy(self.skipped.astype(np.float32))

    @property
    def skip_rate(self) -> float:
        """The share of the training plays that were skipped."""
        return float(self.skipped[self.split.training].mean())

    def read(self, variant: str) -> tuple[Reader, Tensors]:
        """The variant's reader, fitted on the training plays, and its inputs for all plays."""
        kind = READERS[variant]
        if kind not in self._read:
            self._read[kind] = kind.prepare(self.dataset, self.split.training, self.settings)
        return self._read[kind]

    def inputs(self, variant: str, flags: Flags) -> Tensors | None:
        """The variant's inputs for some of the plays; none if it reads nothing but the log."""
        return of(self.read(variant)[1], flags) if variant in READERS else None

    def answers(self, model: Model) -> Answers:
        """What a model says of the test plays."""
        test = self.split.test
        inputs = self.inputs(model.variant, test)
        probability = model.predict_proba(self.dataset.plays.filter(test), self.dataset, inputs)
        return Answers(probability, np.full(len(probability), model.skip_rate))


def of(tensors: Tensors, flags: Flags) -> Tensors:
    """The flagged rows of tensors with one row a play."""
    chosen = torch.from_numpy(flags)
    return tuple(tensor[chosen] for tensor in tensors)
