"""Read manifests of format 1, which had other names for metrics and marked a fallback by a note."""

import re
from typing import TypeVar

import msgspec

from pozytywka_cli.records import Gate, Row

R = TypeVar("R", Row, Gate)

FALLBACK = re.compile(r"fallback: .*; (the LSTM|[\w-]+) needs ")
NAMES = {  # of metrics and protocols: then and now
    "log loss": "log_loss",
    "AUC": "roc_auc",
    "balanced accuracy": "balanced_accuracy",
    "Brier": "brier_score",
    "ECE": "expected_calibration_error",
    "time": "time split",
    "RMSE": "rmse",
    "MAE": "mae",
    "MASE": "mase",
    "RMSSE": "rmsse",
    "WAPE": "wape",
    "pinball": "pinball_loss",
    "PM": "sampled_hit_rate@10",
    "NDCG@10": "ndcg@10",
    "user recall@20": "user_recall@20",
    "user NDCG@20": "user_ndcg@20",
}


def renamed(record: R) -> R:
    """Return a row or a gate with the present names of its metric and protocol."""
    changes = {name: NAMES.get(old, old) for name in ("metric", "protocol") if (old := getattr(record, name, None))}
    return msgspec.structs.replace(record, **changes)


def fallback_for(notes: list[str]) -> str | None:
    """Return the variant that a version is a substitute for, from a note "fallback: …; seasonal needs at least …"."""
    variants = [match[1] for note in notes if (match := FALLBACK.match(note))]
    return variants[0].replace("the LSTM", "lstm") if variants else None
