"""How near the skip models come to the truth of a generated log."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import log_loss, reached
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import BASELINE
from pozytywka_cli.skip.evaluate import learned
from pozytywka_cli.skip.inputs.history import canonical
from pozytywka_cli.skip.lesson import Lesson
from pozytywka_cli.skip.split import time_split

PLAY = ("user_id", "session_id", "track_id", "started_at")


def planted(
    service: Service, truth: Path, settings: SkipSettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """Each variant's log loss on the last fifth of the time, beside that of the planted probabilities, the best one."""
    plays = canonical(service.plays)
    lesson = Lesson(replace(service, plays=plays), time_split(plays), settings)
    test = plays.filter(lesson.split.test)
    skipped = test["skipped"].to_numpy()
    found = learned(lesson, seed=seed, device=device, report=report)
    told = {variant: lesson.answers(one.model).probability for variant, one in found.items()}
    figures = {variant: float(log_loss(skipped, probability).mean()) for variant, probability in told.items()}
    known = pl.read_parquet(truth / "skips.parquet").unique(PLAY, keep="first", maintain_order=True)
    probability = test.join(known, on=PLAY, how="left", maintain_order="left")["probability"].to_numpy()
    return reached("skip", "log loss", figures, BASELINE, float(log_loss(skipped, probability).mean()))
