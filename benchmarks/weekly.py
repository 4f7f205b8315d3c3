"""The weekly forecasts on 2024: how long training, measuring and predicting take, and how good they are."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figure import DATA, POZYTYWKA, Figure
from benchmarks.timing import ENVIRONMENT, call, command
from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.weekly.predict import WeeklyPredictor

# the highest ratio of the LSTM's RMSE to that of each other variant
RATIOS = {"mean": 1.005, "AutoETS": 1.0, "SES": 0.99, "mean4": 0.92, "linear": 0.87, "last": 0.73}


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    artifacts = scratch / "artifacts"
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", artifacts)
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "weekly", *folders)()
    yield Figure("train weekly on 2024: seconds", trained.seconds, 30, f"{trained.megabytes:,.0f} MB")
    dataset = load(DATA / "pozytywka-2024", artifacts / "plays.parquet", print)
    version = Store(artifacts).load("weekly")
    predicted = call(lambda: WeeklyPredictor.open(version, dataset))
    took = [predicted().seconds for _ in range(6)][1:]  # the first one imports
    yield Figure("predict weekly, all artists of 2024, after loading: seconds", median(took), 1)
    evaluated = command(POZYTYWKA, "-q", "evaluate", "weekly", *folders)()
    yield Figure("evaluate weekly on 2024: seconds", evaluated.seconds, 180, f"{evaluated.megabytes:,.0f} MB")
    arguments = [str(argument) for argument in (POZYTYWKA, "-q", "evaluate", "weekly", "--json", *folders)]
    answer = subprocess.run(arguments, capture_output=True, check=True, env=ENVIRONMENT).stdout
    rmse = {
        row["variant"]: row["value"]
        for row in json.loads(answer)["rows"]
        if (row["protocol"], row["metric"]) == ("rolling 8 weeks", "rmse")
    }
    for variant, most in RATIOS.items():
        yield Figure(f"weekly on 2024: the LSTM's RMSE ÷ that of {variant}", rmse["lstm"] / rmse[variant], most)
