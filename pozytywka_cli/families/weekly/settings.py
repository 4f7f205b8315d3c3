"""The settings of the weekly models."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.settings import NotNegative, Positive


class WeeklySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is forecast, and how the models are fitted."""

    measure: Annotated[
        Literal["total", "mean"], Meta(description="an artist's total listening in a week, or the mean of one play")
    ] = "total"
    horizon: Annotated[int, Meta(ge=1, le=13, description="weeks to forecast ahead")] = 1
    window: Annotated[int, Meta(ge=1, le=520, description="weeks that the LSTM reads")] = 13
    hidden: Annotated[int, Meta(ge=1, le=1024, description="hidden units of the LSTM")] = 32
    epochs: Annotated[int, Meta(ge=1, le=10_000, description="training epochs, at most")] = 30
    batch_size: Annotated[int, Meta(ge=1, le=65_536, description="windows in a batch")] = 512
    learning_rate: Annotated[Positive, Meta(description="learning rate of AdamW")] = 3e-3
    weight_decay: Annotated[NotNegative, Meta(description="weight decay of AdamW")] = 1e-4
    patience: Annotated[int, Meta(ge=1, le=10_000, description="epochs without improvement before training stops")] = 8
    test_weeks: Annotated[int, Meta(ge=1, le=520, description="last weeks that models are tested on")] = 8


def settings_of(version: Version) -> WeeklySettings:
    """Return the settings that a version was trained with; an ArtifactError if its manifest holds something else."""
    with decoding(version.folder / "manifest.json"):
        return msgspec.convert(version.manifest.settings, WeeklySettings)
