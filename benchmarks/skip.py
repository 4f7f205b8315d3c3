"""The skip models: beside LightGBM, beside a bare torch loop, and as long as 2024 may take them."""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import torch

from benchmarks import skip_peers
from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure, ratio
from benchmarks.timing import Compared, Timed, call, command, in_turn
from pozytywka_cli import learning
from pozytywka_cli.artifacts import Origin, Store
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.splits import time_cut
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import TrainingData, recipe
from pozytywka_cli.families.skip.models.modules import Modules, skip_loss
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import TEST_TIME, TIME, Split, time_split, user_splits
from pozytywka_cli.families.skip.validation import fit

PAIRS = 1_000_000


def measured(scratch: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    log = _log("pozytywka-2023", scratch / "plays-2023.parquet")
    for splits, bound in (([time_split(log.plays)], 0.514), (user_splits(log.plays), 0.540)):
        here, there = _beside_lightgbm(log, splits)
        protocol = splits[0].protocol
        yield Figure(f"skip on 2023, {protocol}: log loss", here, bound)
        yield Figure("the same, less LightGBM's on the same inputs", here - there, 0.001, f"{here:.4f}, {there:.4f}")
    served, evaluated = _served(log.dataset, scratch / "served")
    detail = f"{served:.4f}, {evaluated:.4f}"
    yield Figure("what serves on 2023, log loss less the evaluated one", served - evaluated, 0.001, detail)
    artifacts = scratch / "artifacts"
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", artifacts)
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "skip", *folders)()
    yield Figure("train skip on 2024: minutes", trained.seconds / 60, 8, f"{trained.megabytes:,.0f} MB")
    rows = [row for row in Store(artifacts).load("skip").manifest.metrics if row.protocol == TIME]
    values = {(row.variant, row.metric): row.value for row in rows}
    gain = values["advanced", "log_loss"] - values["constant", "log_loss"]
    yield Figure("skip on 2024, whose skips are coin flips: log loss less the constant's", gain, 0.0001)
    yield Figure("the same: how far the AUC is from guessing", abs(values["advanced", "roc_auc"] - 0.5), 0.005)
    evaluated_in = command(POZYTYWKA, "-q", "evaluate", "skip", "--jobs", "2", *folders)()
    yield Figure("evaluate skip --jobs 2 on 2024: minutes", evaluated_in.seconds / 60, 8)
    _write_pairs(scratch / "pairs.parquet")
    output = ("-o", scratch / "skip.parquet")
    predicted = command(POZYTYWKA, "-q", "predict", "skip", scratch / "pairs.parquet", *output, *folders)()
    yield Figure("predict skip, a million pairs: seconds", predicted.seconds, 60, f"{predicted.megabytes:,.0f} MB")
    report = scratch / "requests.json"
    requests = command(sys.executable, HERE / "skip_requests.py", DATA / "pozytywka-2024", artifacts, report)()
    measured = json.loads(report.read_text())
    yield Figure("open skip on 2024: seconds", measured["open"], 20)
    yield Figure("build the state of skip on 2024: seconds", measured["state"], 8)
    yield Figure("open skip on 2024 and predict: peak memory, MB", requests.megabytes, 2500)
    yield Figure("one skip request on 2024: milliseconds, median of 200", measured["median"], 80, measured["detail"])
    yield Figure("answers from the state that differ from those from the log", measured["different"], 0)
    read = command(sys.executable, HERE / "skip_features.py", DATA / "pozytywka-2024", artifacts / "plays.parquet")()
    yield Figure("features of 2024: seconds", read.seconds, 60)
    yield Figure("features of 2024: peak memory, MB", read.megabytes, 6000)
    log = _log("pozytywka-2024", artifacts / "plays.parquet")
    epochs = _epochs(TrainingData(log, time_split(log.plays), SkipSettings()))
    yield ratio("an epoch on 2024 ÷ a bare torch loop over the same tensors", epochs, 4.5 / 4)


def _log(edition: str, plays: Path) -> PlayLog:
    return PlayLog.of(load(DATA / edition, plays, lambda _: None))


def _beside_lightgbm(log: PlayLog, splits: list[Split]) -> tuple[float, float]:
    """The mean log loss on the test plays of `advanced`, and of LightGBM: over three trainings of either.

    A training of either averages models from different seeds; single trainings differ by .001.
    """
    ours, theirs = [], []
    for split in splits:
        data = TrainingData(log, split, SkipSettings())
        (features,), outcomes = data.read("advanced")[1], data.skipped[split.test]
        for seed in range(3):
            model = fit("advanced", data, TrainingRun(data.settings, "advanced", seed)).model
            ours.append(log_loss(outcomes, data.predictions(model).probability))
            theirs.append(log_loss(outcomes, skip_peers.lightgbm(features, data.skipped, split, seed=seed)))
    return float(np.concatenate(ours).mean()), float(np.concatenate(theirs).mean())


def _served(dataset: Dataset, scratch: Path) -> tuple[float, float]:
    """The log loss of what is trained on the plays before the test plays and asked for them, and the evaluated one.

    Means over five seeds.
    """
    cut = time_cut(dataset.plays, 1 - TEST_TIME)
    tested = dataset.plays.filter(pl.col("started_at") > cut)
    requests = tested.select("user_id", "track_id", "session_id", at="started_at")
    served, evaluated = [], []
    for seed in range(5):
        run = TrainingRun(SkipSettings(), FAMILY.default, seed, rivals=FAMILY.rivals)
        gate = FAMILY.train(dataset, run).model.gate
        assert gate is not None
        evaluated.append(gate.value)
        draft, store = FAMILY.train(dataset.until(cut), run).model, Store(scratch)
        version = store.save(Origin("skip", draft.variant, {}, seed, "cpu", None, []), draft)
        answers = FAMILY.open(store.load("skip", version.name), dataset).predict(requests)
        served.append(log_loss(tested["skipped"].to_numpy(), answers["probability"].to_numpy()).mean())
    return float(np.mean(served)), float(np.mean(evaluated))


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
    reader, _ = data.read("advanced")
    fitting, validation = (data.rows("advanced", plays) for plays in (data.split.fitting(0), data.split.validation(0)))
    whole = recipe(data.settings, len(fitting[0]))

    def network() -> torch.nn.Module:
        return Modules.untrained("advanced", reader, 0, data.settings.dropout).members[0]

    def ours() -> Timed:
        cpu = torch.device("cpu")
        epochs = learning.fit(network(), skip_loss(reader.skip_rate), fitting, validation, whole, seed=0, device=cpu)
        _, first = islice(epochs, 2)  # the untrained network, and the first epoch
        return Timed(first.seconds)

    torch.set_num_threads(1)
    theirs: Callable[[], Timed] = call(
        lambda: skip_peers.bare_epoch(network(), reader.skip_rate, fitting, validation, whole)
    )
    return in_turn(ours, theirs)
