"""Small versions to save, and the check of a refusal."""

from collections.abc import Callable

import pytest

from pozytywka_cli.artifacts import CardText, Draft, Origin
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input, Row

METRICS = [
    Row("demo", "net", "time split", "log_loss", 0.5, 0.4, 0.6),
    Row("demo", "mean", "time split", "log_loss", 0.7),
]


def origin(seed: int = 0) -> Origin:
    return Origin("demo", "net", {"epochs": 3}, seed, "cpu", "2024-01-01", [Input("plays.parquet", "ab" * 32, 10, 2)])


def draft(content: bytes = b"weights", **changes: object) -> Draft:
    plain = {
        "variant": "net",
        "write": lambda folder: (folder / "weights.bin").write_bytes(content),
        "signature": {"inputs": {"user_id": "int64"}, "outputs": {"probability": "float64"}},
        "metrics": METRICS,
        "card": CardText("Does it work?", "It was run.", "Tests.", "Predictions.", "Knows nothing.", {}),
    }
    return Draft(**{**plain, **changes})  # type: ignore[arg-type]


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ArtifactError) as raised:
        call()
    assert raised.value.exit_code == 4
    return raised.value.message
