"""Read manifests of format 1, which had other names for metrics and marked a fallback by a note."""

import msgspec

from pozytywka_cli.records import Gate, Row

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
FALLBACK = "fallback: "


def renamed(row: Row) -> Row:
    """Return a row with the present names of its metric and protocol."""
    metric, protocol = NAMES.get(row.metric, row.metric), NAMES.get(row.protocol, row.protocol)
    return msgspec.structs.replace(row, metric=metric, protocol=protocol)


def renamed_gate(gate: Gate | None) -> Gate | None:
    """Return a gate with the present name of its metric."""
    return gate and msgspec.structs.replace(gate, metric=NAMES.get(gate.metric, gate.metric))


def fallback_for(notes: list[str]) -> str | None:
    """Return the variant that a version is a substitute for; in format 1 it was always the LSTM of weekly."""
    return "lstm" if any(note.startswith(FALLBACK) for note in notes) else None
