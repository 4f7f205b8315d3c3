"""Models of several networks."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.genre_clusters import GenreClusters
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.reader import Reader
from pozytywka_cli.families.skip.features.scaling import Scaling
from pozytywka_cli.families.skip.models.model import READERS, Model, shifted
from pozytywka_cli.families.skip.models.networks import FeatureNetwork, GenreNetwork, LegacyNetwork, LinearNetwork
from pozytywka_cli.learning import Tensors

WEIGHTS = "weights.safetensors"
MEMBERS = {"advanced": 3, "simple": 3, "logistic": 1, "legacy": 1}


@dataclass(frozen=True)
class Networks(Model):
    """Networks from different seeds over the same inputs, whose scores are averaged.

    Scores are averaged, not probabilities, so that three scores of 0 give the constant to the last bit.
    """

    variant: str
    reader: Reader
    members: nn.ModuleList

    @classmethod
    def untrained(cls, variant: str, reader: Reader, seed: int, dropout: float = 0.0) -> Self:
        """Return networks with initial weights that depend on `seed` alone; all but `legacy` predict the constant."""
        count = MEMBERS[variant]
        seeds = range(count * seed, count * (seed + 1))
        members = (learning.seeded(one, lambda: _network(variant, reader, dropout)) for one in seeds)
        return cls(variant, reader, nn.ModuleList(members))

    def of(self, member: nn.Module) -> Self:
        """Return the same model with one network alone."""
        return replace(self, members=nn.ModuleList([member]))

    def probability(self, inputs: Tensors) -> Floats:
        """Return the probability of a skip for rows with these inputs: (rows,)."""
        return shifted(self.score(inputs), self.skip_rate)

    def score(self, inputs: Tensors) -> Floats:
        """Return the mean score of the networks, in double precision: (rows,)."""
        scores = [learning.forward(member, inputs).double().numpy() for member in self.members]
        return np.asarray(sum(scores) / len(scores))

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, and the files of the reader."""
        super().save(folder)
        save_file(self.members.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        variant = version.manifest.variant
        model = cls.untrained(variant, READERS[variant].load(version), seed=0)
        model.members.load_state_dict(load_file(version.folder / WEIGHTS))
        return model


def _network(variant: str, reader: Reader, dropout: float) -> nn.Module:
    match reader:
        case Scaling() if variant == "logistic":
            return LinearNetwork(len(reader.mean))
        case Scaling():
            return FeatureNetwork(len(reader.mean), dropout, layers=reader.layers, width=reader.width)
        case Genres():
            return GenreNetwork(len(reader.vocabulary) + 2, dropout)
        case GenreClusters():
            return LegacyNetwork(reader.count)
    raise TypeError(f"there is no network for {type(reader).__name__}")


def skip_loss(skip_rate: float) -> learning.Loss:
    """Return the log loss of a network whose score of 0 means `skip_rate`."""
    offset = float(np.log(skip_rate / (1 - skip_rate)))

    def loss(network: nn.Module, *batch: Tensor) -> Tensor:
        *inputs, skipped = batch
        return F.binary_cross_entropy_with_logits(network(*inputs) + offset, skipped)

    return loss
