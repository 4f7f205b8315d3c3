"""The settings of the skip models."""

from typing import Annotated

from msgspec import Meta, Struct

from pozytywka_cli.settings import Count, NotNegative, Positive


class SkipSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the skip models are fitted."""

    layers: Annotated[int, Meta(ge=1, le=8, description="hidden layers of the advanced network")] = 2
    width: Annotated[
        int, Meta(ge=1, le=4096, description="units in its first layer; each further layer has half as many")
    ] = 64
    smoothing: Annotated[Positive, Meta(description="factor on the prior plays that every past rate starts from")] = 1.0
    epochs: Annotated[
        int,
        Meta(ge=1, le=10_000, description="training epochs; fewer where they would take more than 10,000,000 plays"),
    ] = 25
    batch_size: Annotated[
        int,
        Meta(ge=1, le=65_536, description="plays in a batch; larger where an epoch would have more than 2,000 batches"),
    ] = 256
    learning_rate: Annotated[Positive, Meta(description="highest learning rate of the one-cycle schedule")] = 2e-3
    weight_decay: Annotated[NotNegative, Meta(description="weight decay of AdamW")] = 0.05
    dropout: Annotated[float, Meta(ge=0, lt=1, description="dropout rate")] = 0.3
    forest_rows: Annotated[Count, Meta(description="plays that the random forest is fitted on, at most")] = 200_000
