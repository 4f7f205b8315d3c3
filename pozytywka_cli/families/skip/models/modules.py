"""The torch modules of the networks, for training; what they have learned is handed over to `Networks`, which answer.

Each of them returns a score: the log-odds of a skip minus those of all plays. All but `legacy` start at 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logit
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip.features.genres import GenreClusters, Genres
from pozytywka_cli.families.skip.features.readers import Reader, Scaling
from pozytywka_cli.families.skip.models.forward import Regression
from pozytywka_cli.families.skip.models.networks import (
    EMBEDDING,
    GENRE_UNITS,
    LEGACY_UNITS,
    MEMBERS,
    Networks,
    units,
)

LEGACY_DROPOUT = 0.5


class FeatureModule(nn.Module):
    """A perceptron of SiLU units, plus a linear connection."""

    def __init__(self, features: int, dropout: float, units: Sequence[int]) -> None:
        super().__init__()
        self.deep, inputs = nn.Sequential(), features
        for outputs in units:
            self.deep.extend([nn.Linear(inputs, outputs), nn.SiLU(), nn.Dropout(dropout)])
            inputs = outputs
        self.deep.append(_zero_linear(inputs))
        self.linear = _zero_linear(features)

    def forward(self, features: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from (rows, features)."""
        return cast(Tensor, self.deep(features) + self.linear(features)).squeeze(1)


class RegressionModule(nn.Module):
    """A logistic regression over standardised features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = _zero_linear(features)

    def fit(self, features: NDArray[np.float32], skipped: Flags, skip_rate: float) -> None:
        """Fit on plays, (plays, features) and (plays,); with so many of them the penalty hardly matters."""
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(max_iter=1000).fit(features, skipped)
        bias = torch.from_numpy(regression.intercept_ - logit(skip_rate))
        self.linear.load_state_dict({"weight": torch.from_numpy(regression.coef_), "bias": bias})

    def forward(self, features: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from (rows, features)."""
        return cast(Tensor, self.linear(features)).squeeze(1)


class GenreModule(nn.Module):
    """Mean embeddings of the user's and the artist's genres, and their product, into 32 SiLU units."""

    def __init__(self, numbers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(numbers, EMBEDDING, padding_idx=0)
        hidden = nn.Linear(3 * EMBEDDING, GENRE_UNITS)
        self.deep = nn.Sequential(hidden, nn.SiLU(), nn.Dropout(dropout), _zero_linear(GENRE_UNITS))

    def forward(self, user: Tensor, artist: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from genre numbers, (rows, any width) each and padded with 0."""
        pooled = [self.embedding(numbers).sum(1) / (numbers > 0).sum(1, keepdim=True) for numbers in (user, artist)]
        return cast(Tensor, self.deep(torch.cat((*pooled, pooled[0] * pooled[1]), dim=1))).squeeze(1)


class LegacyModule(nn.Module):
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
class Modules:
    """The members of a model in training; a regression is the last one."""

    variant: str
    reader: Reader
    members: list[nn.Module]

    @classmethod
    def untrained(cls, variant: str, reader: Reader, seed: int, dropout: float = 0.0) -> Self:
        """Return members with initial weights that depend on `seed` alone; all but `legacy` predict the constant."""
        networks = sum(kind is not Regression for kind in MEMBERS[variant])
        seeds = range(networks * seed, networks * (seed + 1))
        members = [learning.seeded(one, lambda: _network(reader, dropout)) for one in seeds]
        if isinstance(reader, Scaling):
            members.append(RegressionModule(len(reader.mean)))
        return cls(variant, reader, members)

    @property
    def networks(self) -> int:
        """The number of members beside the regression."""
        return sum(not isinstance(one, RegressionModule) for one in self.members)

    def handed_over(self) -> Networks:
        """Return the model that answers with the weights as they are now."""
        weights = [{name: tensor.numpy() for name, tensor in one.state_dict().items()} for one in self.members]
        kinds = MEMBERS[self.variant]
        return Networks(self.variant, self.reader, tuple(kind(one) for kind, one in zip(kinds, weights, strict=True)))


def _network(reader: Reader, dropout: float) -> nn.Module:
    match reader:
        case Scaling():
            return FeatureModule(len(reader.mean), dropout, units(reader))
        case Genres():
            return GenreModule(len(reader.vocabulary) + 2, dropout)
        case GenreClusters():
            return LegacyModule(reader.count)
    raise TypeError(f"there is no network for {type(reader).__name__}")


def skip_loss(skip_rate: float) -> learning.Loss:
    """Return the log loss of a network whose score of 0 means `skip_rate`."""
    offset = float(logit(skip_rate))

    def loss(network: nn.Module, *batch: Tensor) -> Tensor:
        *inputs, skipped = batch
        return F.binary_cross_entropy_with_logits(network(*inputs) + offset, skipped)

    return loss
