"""The settings of the similar-artist models."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from pozytywka_cli.settings import Count, NotNegative


class SimilarSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of alternating least squares, and of the artists that a model includes."""

    weighting: Annotated[
        Literal["log1p", "bm25", "raw"], Meta(description="how a user's count of plays of an artist is weighted")
    ] = "log1p"
    factors: Annotated[int, Meta(ge=1, le=4096, description="dimensions of an artist's embedding")] = 128
    regularization: Annotated[
        NotNegative, Meta(description="L2 regularization, at most 6 % of the largest singular value of the data")
    ] = 100.0
    # with less, weights are lost in single precision
    alpha: Annotated[
        float, Meta(ge=1e-9, le=1e9, description="confidence per unit of weight; lowered where the data are dense")
    ] = 5.0
    iterations: Annotated[
        int, Meta(ge=1, le=10_000, description="ALS iterations, at most; fitting stops earlier once it has converged")
    ] = 40
    min_listeners: Annotated[Count, Meta(description="leave out artists with fewer listeners")] = 3
