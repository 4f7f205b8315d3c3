"""The skip models: beside LightGBM, beside a bare torch loop, and as long as 2024 may take them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import torch

from benchmarks import skip_peers
from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure, ratio
from benchmarks.timing import Compared, Timed, call, command, in_turn
from pozytywka_cli import learning
from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import TrainingData, fit, recipe, select
from pozytywka_cli.families.skip.models.networks import Networks, skip_loss
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split

PAIRS = 1_000_000


def measured(scratch: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    gain, detail = _beside_lightgbm(_training_data("pozytywka-2023", scratch / "plays-2023.parquet"))
    yield Figure("skip on 2023: log loss less LightGBM's on the same inputs", gain, 0.003, detail)
    artifacts = scratch / "artifacts"
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", artifacts)
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "skip", *folders)()
    yield Figure("train skip on 2024: minutes", trained.seconds / 60, 8, f"{trained.megabytes:,.0f} MB")
    values = {(row.variant, row.metric): row.value for row in Store(artifacts).load("skip").manifest.metrics}
    gain = values["advanced", "log_loss"] - values["constant", "log_loss"]
    yield Figure("skip on 2024, whose skips are coin flips: log loss less the constant's", gain, 0.0005)
    yield Figure("the same: how far the AUC is from guessing", abs(values["advanced", "roc_auc"] - 0.5), 0.005)
    _write_pairs(scratch / "pairs.parquet")
    output = ("-o", scratch / "skip.parquet")
    predicted = command(POZYTYWKA, "-q", "predict", "skip", scratch / "pairs.parquet", *output, *folders)()
    yield Figure("predict skip, a million pairs: seconds", predicted.seconds, 60, f"{predicted.megabytes:,.0f} MB")
    report = scratch / "requests.json"
    requests = command(sys.executable, HERE / "skip_requests.py", DATA / "pozytywka-2024", artifacts, report)()
    measured = json.loads(report.read_text())
    yield Figure("open skip on 2024: seconds", measured["open"], 20)
    yield Figure("open skip on 2024 and predict: peak memory, MB", requests.megabytes, 2500)
    yield Figure("one skip request on 2024: milliseconds, median of 200", measured["median"], 80, measured["detail"])
    yield Figure("answers that differ from the batch's", measured["different"], 0)
    read = command(sys.executable, HERE / "skip_features.py", DATA / "pozytywka-2024", artifacts / "plays.parquet")()
    yield Figure("features of 2024: seconds", read.seconds, 60)
    yield Figure("features of 2024: peak memory, MB", read.megabytes, 6000)
    epochs = _epochs(_training_data("pozytywka-2024", artifacts / "plays.parquet"))
    yield ratio("an epoch on 2024 ÷ a bare torch loop over the same tensors", epochs, 4.5 / 4)


def _training_data(edition: str, plays: Path) -> TrainingData:
    log = PlayLog.of(load(DATA / edition, plays, lambda _: None))
    return TrainingData(log, time_split(log.plays), SkipSettings())


def _beside_lightgbm(data: TrainingData) -> tuple[float, str]:
    """The log loss of `advanced` on the test plays minus LightGBM's, and both: each is the mean over three trainings.

    A training of either is itself a mean of three models from different seeds; single trainings differ by .001.
    """
    (features,) = data.read("advanced")[1]
    skipped, split = data.skipped, data.split
    ours, theirs = [], []
    for seed in range(3):
        model = fit("advanced", data, TrainingRun(data.settings, "advanced", seed)).model
        ours.append(data.predictions(model).probability)
        theirs.append(skip_peers.lightgbm(features.numpy(), skipped, split, seed=seed))
    here, there = (float(np.mean([log_loss(skipped[split.test], one) for one in each])) for each in (ours, theirs))
    return here - there, f"{here:.4f}, {there:.4f}"


def _write_pairs(path: Path) -> None:
    """A million pairs of users and tracks of 2024, drawn with a fixed seed."""
    users, tracks = (
        pl.read_ndjson(DATA / "pozytywka-2024" / f"{table}.jsonl")[key]
        for table, key in (("users", "user_id"), ("tracks", "id"))
    )
    random = np.random.default_rng(0)
    drawn = {
        name: values.gather(random.integers(len(values), size=PAIRS))
        for name, values in (("user_id", users), ("track_id", tracks))
    }
    pl.DataFrame(drawn).write_parquet(path)


def _epochs(data: TrainingData) -> Compared:
    """One epoch by the training loop and by a bare one: the same network, batches, optimizer, schedule, validation."""
    reader, rows = data.read("advanced")[0], data.rows("advanced")
    fitting, validation = (select(rows, flags) for flags in (data.split.fitting(0), data.split.validation(0)))
    once = recipe(data.settings, len(fitting[0]), stop_after=1)

    def network() -> torch.nn.Module:
        return Networks.untrained("advanced", reader, 0, data.settings.dropout).members[0]

    def ours() -> Timed:
        cpu = torch.device("cpu")
        *_, last = learning.fit(network(), skip_loss(reader.skip_rate), fitting, validation, once, seed=0, device=cpu)
        return Timed(last.seconds)

    torch.set_num_threads(1)
    theirs: Callable[[], Timed] = call(
        lambda: skip_peers.bare_epoch(network(), reader.skip_rate, fitting, validation, once)
    )
    return in_turn(ours, theirs)
