"""How near the skip models come to the truth of a generated log."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import log_loss, reached
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import BASELINE
from pozytywka_cli.skip.evaluate import evaluate
from pozytywka_cli.skip.history import canonical
from pozytywka_cli.skip.measure import time_split

PLAY = ("user_id", "session_id", "track_id", "started_at")


def planted(
    service: Service, truth: Path, settings: SkipSettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """Each variant's log loss on the last fifth of the time, beside that of the planted probabilities, the best one."""
    rows = evaluate(service, settings, seed=seed, device=device, report=report).rows
    plays = canonical(service.plays)
    test = plays.filter(time_split(plays).test)
    known = pl.read_parquet(truth / "skips.parquet").unique(PLAY, keep="first", maintain_order=True)
    probability = test.join(known, on=PLAY, how="left", maintain_order="left")["probability"].to_numpy()
    best = float(log_loss(test["skipped"].to_numpy(), probability).mean())
    figures = {row.variant: row.value for row in rows if row.metric == "log loss"}
    return reached("skip", "log loss", figures, BASELINE, best)
