"""The settings of the recommendation models."""

from typing import Annotated

from msgspec import Meta, Struct

from pozytywka_cli.settings import NotNegative, Positive


class RecommendSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the recommendation models are fitted and tested."""

    test_days: Annotated[
        int, Meta(ge=1, le=366, description="days that models are tested on, at most a third of the log")
    ] = 30
    factors: Annotated[int, Meta(ge=1, le=512, description="dimensions of a track's embedding in als")] = 64
    regularization: Annotated[
        NotNegative, Meta(description="L2 regularization of als, at most 6 % of the data's largest singular value")
    ] = 100.0
    alpha: Annotated[
        float, Meta(ge=1e-9, le=1e9, description="confidence of als in a full play, beside 1 in a track without plays")
    ] = 20.0
    iterations: Annotated[int, Meta(ge=1, le=10_000, description="iterations of als, at most")] = 15
    penalty: Annotated[Positive, Meta(description="L2 penalty on the weights of the blend")] = 10.0
    epochs: Annotated[int, Meta(ge=1, le=10_000, description="training epochs of the autoencoder, at most")] = 30
    learning_rate: Annotated[Positive, Meta(description="learning rate of the autoencoder")] = 2e-3
