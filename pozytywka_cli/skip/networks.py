"""The two networks. Each gives a score, the log-odds of a skip above those of all plays, and starts at exactly zero."""

from typing import cast

import torch
from torch import Tensor, nn

EMBEDDING = 16


class FeatureNetwork(nn.Module):
    """A perceptron of 64 and 32 SiLU units over standardised features, plus a linear skip connection."""

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.deep = nn.Sequential(
            nn.Linear(features, 64),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(64, 32),
            nn.SiLU(),
            nn.Dropout(dropout),
            _silent(32),
        )
        self.linear = _silent(features)

    def forward(self, features: Tensor) -> Tensor:
        """(rows, features) give (rows,)."""
        return cast(Tensor, self.deep(features) + self.linear(features)).squeeze(1)


class GenreNetwork(nn.Module):
    """Mean embeddings of the user's and the artist's genres, and their product, into 32 SiLU units."""

    def __init__(self, numbers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(numbers, EMBEDDING, padding_idx=0)
        self.deep = nn.Sequential(nn.Linear(3 * EMBEDDING, 32), nn.SiLU(), nn.Dropout(dropout), _silent(32))

    def forward(self, user: Tensor, artist: Tensor) -> Tensor:
        """Genre numbers, (rows, any width) each and padded with 0, give (rows,)."""
        pooled = [self.embedding(numbers).sum(1) / (numbers > 0).sum(1, keepdim=True) for numbers in (user, artist)]
        return cast(Tensor, self.deep(torch.cat((*pooled, pooled[0] * pooled[1]), dim=1))).squeeze(1)


def _silent(inputs: int) -> nn.Linear:
    """A last layer that starts at zero."""
    layer = nn.Linear(inputs, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
