"""A training run before it starts (`Origin`), a trained model before it is saved (`Draft`), and its model card."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pozytywka_cli.records import Gate, Input, Metric, Row


class Origin(msgspec.Struct, frozen=True):
    """Everything that determines the result of a training run, known before it starts.

    until: only events before this moment were used; ISO 8601
    code: the digest of the code and the libraries that compute the result, see `fingerprint.code_digest`
    """

    family: str
    variant: str
    settings: dict[str, Any]
    seed: int
    device: str
    until: str | None
    inputs: list[Input]
    code: str = ""

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all fields; two runs with the same fingerprint give the same model."""
        inputs = sorted((table.name, table.sha256) for table in self.inputs)
        parts = [self.family, self.variant, self.settings, self.seed, self.device, self.until, inputs, self.code]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


class CardText(msgspec.Struct, frozen=True):
    """The sentences of a model card, for readers without knowledge of statistics.

    question: the question that the model answers
    protocol: how the model was tested
    use, not_for, limits: what to use it for, what not to use it for, and what it cannot know
    glossary: descriptions of the variants by name
    metrics: labels, directions and meanings of the metrics by their name in JSON
    """

    question: str
    protocol: str
    use: str
    not_for: str
    limits: str
    glossary: Mapping[str, str]
    metrics: Mapping[str, Metric] = {}


@dataclass(frozen=True)
class Draft:
    """A trained model that is not saved yet.

    write: writes the model's files into an empty folder
    signature: names and types of the `inputs` and `outputs` of a prediction
    metrics: those of the model and of the baselines
    fallback_for: the variant that was to be trained, where there was too little data for it and this is a substitute
    epochs: a record for each epoch of training
    """

    variant: str
    write: Callable[[Path], None]
    signature: dict[str, dict[str, str]]
    metrics: list[Row]
    card: CardText
    gate: Gate | None = None
    notes: list[str] = field(default_factory=list)
    fallback_for: str | None = None
    epochs: list[dict[str, float]] = field(default_factory=list)
