"""The models that networks make, and the loading of any model."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.genre_clusters import Clusters
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.history import Flags, Floats
from pozytywka_cli.families.skip.features.scaling import Scaling
from pozytywka_cli.families.skip.models.baselines import Constant, Model, UserRate, shifted
from pozytywka_cli.families.skip.models.forest import Forest
from pozytywka_cli.families.skip.models.networks import FeatureNetwork, GenreNetwork, LegacyNetwork, LinearNetwork
from pozytywka_cli.learning import Tensors

WEIGHTS = "weights.safetensors"
BLOCK = 512  # rows of every forward pass: matrix products of another size may differ in their last bits

Reader = Scaling | Genres | Clusters
READERS: dict[str, type[Scaling] | type[Genres] | type[Clusters]] = {
    "advanced": Scaling,
    "simple": Genres,
    "forest": Genres,
    "logistic": Scaling,
    "legacy": Clusters,
}
MEMBERS = {"advanced": 3, "simple": 3, "logistic": 1, "legacy": 1}


@dataclass(frozen=True)
class Networks:
    """Networks from different seeds over the same inputs; the mean of their scores is the model's.

    Scores are averaged, not probabilities: three zeros give the constant to the last bit.
    """

    variant: str
    reader: Reader
    members: nn.ModuleList

    @classmethod
    def untrained(cls, variant: str, reader: Reader, seed: int, dropout: float = 0.0) -> "Networks":
        """Networks whose weights `seed` alone decides; all but the legacy one give the constant."""
        count = MEMBERS[variant]
        seeds = range(count * seed, count * (seed + 1))
        built = (learning.seeded(one, lambda: _network(variant, reader, dropout)) for one in seeds)
        return cls(variant, reader, nn.ModuleList(built))

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Of which rows' users the reader can know anything: (asked,)."""
        return self.reader.known(asked, dataset)

    def of(self, member: nn.Module) -> "Networks":
        """The same model with one network alone."""
        return replace(self, members=nn.ModuleList([member]))

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.reader.skip_rate

    def predict_proba(self, asked: pl.DataFrame, dataset: Dataset, inputs: Tensors | None = None) -> Floats:
        """The probability that each asked row is skipped, the constant where the user is unknown: (asked,)."""
        score = self.score(self.reader.inputs(asked, dataset) if inputs is None else inputs)
        return shifted(np.where(self.known(asked, dataset), score, 0), self.skip_rate)

    def probability(self, inputs: Tensors) -> Floats:
        """What the networks say of rows with these inputs: (rows,)."""
        return shifted(self.score(inputs), self.skip_rate)

    @torch.inference_mode()
    def score(self, inputs: Tensors) -> Floats:
        """The mean score of the members in double precision: (rows,)."""
        rows = len(inputs[0])
        padded = (F.pad(tensor, (0, 0, 0, -rows % BLOCK)) for tensor in inputs)
        blocks = zip(*(torch.split(tensor, BLOCK) for tensor in padded), strict=True)
        scores = [
            sum(member(*block).double() for member in self.members) / len(self.members) for block in blocks if rows
        ]
        return np.concatenate([np.zeros(0), *scores])[:rows]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, and `model.json` and what else its reader writes."""
        self.reader.save(folder)
        save_file(self.members.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, version: Version) -> "Networks":
        """The model of a checked version."""
        variant = version.manifest.variant
        model = cls.untrained(variant, READERS[variant].load(version), seed=0)
        model.members.load_state_dict(load_file(version.folder / WEIGHTS))
        model.members.eval()
        return model


def _network(variant: str, reader: Reader, dropout: float) -> nn.Module:
    match reader:
        case Scaling() if variant == "logistic":
            return LinearNetwork(len(reader.mean))
        case Scaling():
            return FeatureNetwork(len(reader.mean), dropout, layers=reader.layers, width=reader.width)
        case Genres():
            return GenreNetwork(len(reader.vocabulary) + 2, dropout)
        case Clusters():
            return LegacyNetwork(reader.count)


def skip_loss(skip_rate: float) -> learning.Loss:
    """The log loss of a network whose score of zero means `skip_rate`."""
    offset = float(np.log(skip_rate / (1 - skip_rate)))

    def loss(network: nn.Module, *batch: Tensor) -> Tensor:
        *inputs, skipped = batch
        return F.binary_cross_entropy_with_logits(network(*inputs) + offset, skipped)

    return loss


def load(version: Version) -> Model:
    """The model of a checked version, whichever variant it is.

    Raises:
        ArtifactError: a forest's file holds something else.
    """
    match version.manifest.variant:
        case "constant":
            return Constant.load(version)
        case "user-rate":
            return UserRate.load(version)
        case "forest":
            return Forest.load(version)
        case _:
            return Networks.load(version)
