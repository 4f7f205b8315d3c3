"""Models of several networks, and of a logistic regression beside them.

Each of them returns a score: the log-odds of a skip minus those of all plays. All but `legacy` start at 0.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from scipy.special import logit
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.genres import GenreClusters, Genres
from pozytywka_cli.families.skip.features.readers import Reader, Scaling
from pozytywka_cli.families.skip.models.model import READERS, Model, shifted
from pozytywka_cli.learning import Tensors

WEIGHTS = "weights.safetensors"
MEMBERS = {"advanced": 3, "simple": 3, "logistic": 1, "legacy": 1}  # without the regression beside the networks
EMBEDDING = 16
LEGACY_UNITS, LEGACY_DROPOUT = (111, 41), 0.5


class FeatureNetwork(nn.Module):
    """A perceptron: a layer of `width` SiLU units, further ones of half as many each, plus a linear connection."""

    def __init__(self, features: int, dropout: float, *, layers: int, width: int) -> None:
        super().__init__()
        self.deep, inputs = nn.Sequential(), features
        for layer in range(layers):
            units = max(width >> layer, 1)
            self.deep.extend([nn.Linear(inputs, units), nn.SiLU(), nn.Dropout(dropout)])
            inputs = units
        self.deep.append(_zero_linear(inputs))
        self.linear = _zero_linear(features)

    def forward(self, features: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from (rows, features)."""
        return cast(Tensor, self.deep(features) + self.linear(features)).squeeze(1)


class LinearNetwork(nn.Module):
    """A logistic regression over standardised features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = _zero_linear(features)

    def fit(self, features: Tensor, skipped: Tensor, skip_rate: float) -> None:
        """Fit on plays, (plays, features) and (plays,); with so many of them the penalty hardly matters."""
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(max_iter=1000).fit(features.numpy(), skipped.numpy() > 0)
        bias = torch.from_numpy(regression.intercept_ - logit(skip_rate))
        self.linear.load_state_dict({"weight": torch.from_numpy(regression.coef_), "bias": bias})

    def forward(self, features: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from (rows, features)."""
        return cast(Tensor, self.linear(features)).squeeze(1)


class GenreNetwork(nn.Module):
    """Mean embeddings of the user's and the artist's genres, and their product, into 32 SiLU units."""

    def __init__(self, numbers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(numbers, EMBEDDING, padding_idx=0)
        self.deep = nn.Sequential(nn.Linear(3 * EMBEDDING, 32), nn.SiLU(), nn.Dropout(dropout), _zero_linear(32))

    def forward(self, user: Tensor, artist: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from genre numbers, (rows, any width) each and padded with 0."""
        pooled = [self.embedding(numbers).sum(1) / (numbers > 0).sum(1, keepdim=True) for numbers in (user, artist)]
        return cast(Tensor, self.deep(torch.cat((*pooled, pooled[0] * pooled[1]), dim=1))).squeeze(1)


class LegacyNetwork(nn.Module):
    """The old system's perceptron of 111 and 41 ReLU units over the genre clusters of user and artist.

    Its first layer, a linear one over two multi-hot vectors, is computed as a sum of the few columns that are not 0.
    """

    def __init__(self, clusters: int) -> None:
        super().__init__()
        first, second = LEGACY_UNITS
        self.user, self.artist = (nn.Embedding(clusters + 1, first, padding_idx=0) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(first))
        bound = (2 * max(clusters, 1)) ** -0.5
        for table in (self.user, self.artist):
            nn.init.uniform_(table.weight.data[1:], -bound, bound)
        hidden = nn.Linear(first, second)
        self.deep = nn.Sequential(nn.ReLU(), nn.Dropout(LEGACY_DROPOUT), hidden, nn.ReLU(), nn.Dropout(LEGACY_DROPOUT))
        self.deep.append(nn.Linear(second, 1))

    def forward(self, user: Tensor, artist: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from different clusters, (rows, any width) each and padded with 0."""
        return cast(Tensor, self.deep(self.user(user).sum(1) + self.artist(artist).sum(1) + self.bias)).squeeze(1)


def _zero_linear(inputs: int) -> nn.Linear:
    """Return a last layer with weights of 0."""
    layer = nn.Linear(inputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class Networks(Model):
    """Networks from different seeds over the same inputs, and perhaps a regression, whose scores are averaged.

    Scores are averaged, not probabilities, so that scores of 0 give the constant to the last bit.
    """

    members: nn.ModuleList

    @classmethod
    def untrained(
        cls, variant: str, reader: Reader, seed: int, dropout: float = 0.0, *, regression: bool = True
    ) -> Self:
        """Return networks with initial weights that depend on `seed` alone; all but `legacy` predict the constant.

        With `regression`, those of `advanced` have one beside them; in older versions they did not.
        """
        seeds = range(MEMBERS[variant] * seed, MEMBERS[variant] * (seed + 1))
        members = [learning.seeded(one, lambda: _network(variant, reader, dropout)) for one in seeds]
        if regression and variant == "advanced" and isinstance(reader, Scaling):
            members.append(LinearNetwork(len(reader.mean)))
        return cls(variant, reader, nn.ModuleList(members))

    def probability(self, inputs: Tensors) -> Floats:
        """Return the probability of a skip for rows with these inputs: (rows,)."""
        scores = [score(member, inputs) for member in self.members]
        return shifted(np.asarray(sum(scores) / len(scores)), self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, and the files of the reader."""
        super().save(folder)
        save_file(self.members.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        variant, weights = version.manifest.variant, version.path(WEIGHTS)
        reader = READERS[variant].load(version)
        with decoding(weights):
            with safe_open(weights, "pt") as tensors:
                regression = any(name.startswith(f"{MEMBERS[variant]}.") for name in tensors.keys())  # noqa: SIM118
            model = cls.untrained(variant, reader, seed=0, regression=regression)
            learning.load_weights(model.members, weights)
        return model


def score(network: nn.Module, inputs: Tensors) -> Floats:
    """Return the scores of one network, in double precision: (rows,)."""
    return learning.forward(network, inputs).double().numpy()


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
    offset = float(logit(skip_rate))

    def loss(network: nn.Module, *batch: Tensor) -> Tensor:
        *inputs, skipped = batch
        return F.binary_cross_entropy_with_logits(network(*inputs) + offset, skipped)

    return loss
