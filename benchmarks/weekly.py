"""The weekly forecasts: how long they take on 2024, and how good they are there, on samples and on known signals."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figure import DATA, POZYTYWKA, Figure
from benchmarks.timing import ENVIRONMENT, call, command
from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.metrics import coverage, rmse
from pozytywka_cli.families.weekly.models.fit import measure
from pozytywka_cli.families.weekly.predict import WeeklyPredictor
from pozytywka_cli.families.weekly.series import Series, series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import split
from pozytywka_cli.records import silent
from tests.families.weekly.worlds import SIGNALS, with_signal

# the highest ratio of the LSTM's RMSE to that of each other variant
RATIOS = {"mean": 1.005, "AutoETS": 1.0, "SES": 0.99, "mean4": 0.92, "linear": 0.87, "last": 0.73}
RIVALS = ("mixture", "SES", "AutoETS", "mean", "mean4")
SAMPLES = range(9)  # seeds


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    artifacts = scratch / "artifacts"
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", artifacts)
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "weekly", *folders)()
    yield Figure("train weekly on 2024: seconds", trained.seconds, 40, f"{trained.megabytes:,.0f} MB")
    dataset = load(DATA / "pozytywka-2024", artifacts / "plays.parquet", print)
    version = Store(artifacts).load("weekly")
    predicted = call(lambda: WeeklyPredictor.open(version, dataset))
    took = [predicted().seconds for _ in range(6)][1:]  # the first one imports
    yield Figure("predict weekly, all artists of 2024, after loading: seconds", median(took), 1)
    evaluated = command(POZYTYWKA, "-q", "evaluate", "weekly", *folders)()
    yield Figure("evaluate weekly on 2024: seconds", evaluated.seconds, 180, f"{evaluated.megabytes:,.0f} MB")
    arguments = [str(argument) for argument in (POZYTYWKA, "-q", "evaluate", "weekly", "--json", *folders)]
    answer = subprocess.run(arguments, capture_output=True, check=True, env=ENVIRONMENT).stdout
    errors = {
        row["variant"]: row["value"]
        for row in json.loads(answer)["rows"]
        if (row["protocol"], row["metric"]) == ("rolling 8 weeks", "rmse")
    }
    for variant, most in RATIOS.items():
        yield Figure(f"weekly on 2024: the LSTM's RMSE ÷ that of {variant}", errors["lstm"] / errors[variant], most)
    yield from beside_rivals("2024", series(dataset))
    for seed in SAMPLES:
        write_sample(scratch / "sample", users=120, weeks=40, seed=seed, report=silent)
        yield from beside_rivals(f"sample {seed}", series(load(scratch / "sample", scratch / "plays.parquet", print)))
    for signal in SIGNALS:
        yield from beside_rivals(signal, with_signal(signal, artists=1400, seed=7))


def beside_rivals(name: str, history: Series) -> Iterator[Figure]:
    """Yield the LSTM's RMSE over that of its best rival, and how far its intervals' coverage lies from 80 %."""
    divided = split(history, 8)
    forecasts = {one: measure(one, divided, TrainingRun(WeeklySettings(), one))[0] for one in ("lstm", *RIVALS)}
    errors = {variant: rmse(forecast, divided) for variant, forecast in forecasts.items()}
    detail = ", ".join(f"{variant} {error:.1f}" for variant, error in errors.items())
    best = min(errors[rival] for rival in RIVALS)
    yield Figure(f"weekly on {name}: the LSTM's RMSE ÷ the best rival's", errors["lstm"] / best, 1.01, detail)
    quantiles, largest = forecasts["lstm"].ahead(1).quantiles, divided.top(len(divided.truth))
    whole = coverage(quantiles, divided.truth)
    yield Figure(f"weekly on {name}: coverage, distance from .805", abs(whole - 0.805), 0.035, f"{whole:.3f}")
    parts = [largest[:200], *np.array_split(largest, 8)]
    shares = [coverage(quantiles[part], divided.truth[part]) for part in parts]
    detail = "top 200 and eighths: " + " ".join(f"{share:.2f}" for share in shares)
    farthest = max(abs(share - 0.8) for share in shares)
    yield Figure(f"weekly on {name}: coverage by level, distance from .8", farthest, 0.08, detail)
