"""The networks; each returns a score: the log-odds of a skip minus those of all plays. All but `legacy` start at 0."""

from typing import cast

import torch
from torch import Tensor, nn

EMBEDDING = 16
LEGACY_UNITS = (111, 41)
LEGACY_DROPOUT = 0.5


class FeatureNetwork(nn.Module):
    """A perceptron of SiLU units over standardised features, plus a linear skip connection.

    The first of its `layers` has `width` units, each further layer half as many.
    """

    def __init__(self, features: int, dropout: float, *, layers: int, width: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        inputs = features
        for layer in range(layers):
            units = max(width >> layer, 1)
            parts += [nn.Linear(inputs, units), nn.SiLU(), nn.Dropout(dropout)]
            inputs = units
        self.deep = nn.Sequential(*parts, _zero_linear(inputs))
        self.linear = _zero_linear(features)

    def forward(self, features: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from (rows, features)."""
        return cast(Tensor, self.deep(features) + self.linear(features)).squeeze(1)


class LinearNetwork(nn.Module):
    """A logistic regression over standardised features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = _zero_linear(features)

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
        self.deep = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(LEGACY_DROPOUT),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(LEGACY_DROPOUT),
            nn.Linear(second, 1),
        )

    def forward(self, user: Tensor, artist: Tensor) -> Tensor:
        """Return a score for each row, (rows,), from different clusters, (rows, any width) each and padded with 0."""
        return cast(Tensor, self.deep(self.user(user).sum(1) + self.artist(artist).sum(1) + self.bias)).squeeze(1)


def _zero_linear(inputs: int) -> nn.Linear:
    """Return a last layer with weights of 0."""
    layer = nn.Linear(inputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
