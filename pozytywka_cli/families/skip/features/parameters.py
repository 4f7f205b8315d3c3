"""What the features take from training."""

from typing import TYPE_CHECKING, Annotated, Self

import msgspec
from msgspec import Meta

from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES

if TYPE_CHECKING:
    import polars as pl

SkipRate = Annotated[float, Meta(gt=0, lt=1)]  # of training plays, which have both outcomes


class FeatureParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the features take from training: rates over all plays, and each attribute's quantiles in the tracks table.

    smoothing: a factor on the plays of every prior
    """

    skip_rate: SkipRate
    like_rate: float
    advertisement_rate: float
    edges: dict[str, list[float]]
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        """Check that there are quantiles of every attribute."""
        if self.edges.keys() != set(ATTRIBUTES):
            raise ValueError("`edges` are not those of the attributes")

    @classmethod
    def fit(cls, plays: "pl.DataFrame", tracks: "pl.DataFrame", smoothing: float = 1.0) -> Self:
        """Compute the rates of `plays`, and the quantiles of `tracks`, whoever plays them."""
        from pozytywka_cli.families.skip.features.attribute_rates import edges

        skip_rate, like_rate, advertised = plays.select("skipped", "liked", "advertisement_before").mean().row(0)
        return cls(skip_rate, like_rate, advertised, {name: edges(tracks[name]) for name in ATTRIBUTES}, smoothing)
