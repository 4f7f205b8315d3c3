"""The recommendations: accuracy on both editions and on generated data, and the time that they take on 2024."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure
from benchmarks.timing import command
from pozytywka_cli.artifacts import Store
from pozytywka_cli.families.recommend import FAMILY

ONE_USER = {"blend": 150, "preference": 150, "als": 20, "autoencoder": 20, "own": 20, "popular": 20}  # milliseconds
LEAST, MOST = 0.03, 0.06  # success of 20 tracks on 2024, whatever the variant
Values = dict[tuple[str, str, str], float]
Folders = tuple[object, ...]


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    small, large = (
        ("--data-dir", DATA / f"pozytywka-{edition}", "--artifacts-dir", scratch / edition)
        for edition in ("2023", "2024")
    )
    for folders in (small, large):
        command(POZYTYWKA, "-q", "train", "skip", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "recommend", *large)()
    yield Figure("train recommend on 2024: seconds", trained.seconds, 60, f"{trained.megabytes:,.0f} MB")
    command(POZYTYWKA, "-q", "train", "recommend", *small)()
    default = Store(scratch / "2023").load("recommend").manifest.variant
    yield from of_2023(evaluated(scratch, *small), default)
    yield from of_noise(evaluated(scratch, *large))
    yield from of_generated_data(evaluated(scratch, "--planted", *small))
    for variant in ONE_USER:
        yield from requests(variant, scratch, large)
    for variant in dict.fromkeys((default, "blend")):
        if variant != default:
            command(POZYTYWKA, "-q", "train", "recommend", "--variant", variant, "--no-promote", *small)()
        asked = command(POZYTYWKA, "recommend", "101", "--variant", variant, *small)
        seconds = median(asked().seconds for _ in range(5))
        yield Figure(f"recommend one user of 2023 by {variant}, a whole process: seconds", seconds, 1.5)


def evaluated(scratch: Path, *arguments: object) -> Values:
    """Run `evaluate recommend`, and return its values by protocol, variant and metric."""
    report = scratch / "evaluated.csv"
    command(POZYTYWKA, "-q", "evaluate", "recommend", "-o", report, *arguments)()
    rows = pl.read_csv(report).select("protocol", "variant", "metric", "value").iter_rows()
    return {(protocol, variant, metric): value for protocol, variant, metric, value in rows}


def of_2023(values: Values, default: str) -> Iterator[Figure]:
    """Yield by how much accuracy is under what it must be at least."""
    for protocol, variant, metric, least in (
        ("new tracks", default, "success@17", 0.45),
        ("new tracks", default, "ndcg@20", 0.100),
        ("all tracks", "own", "success@17", 0.47),
    ):
        value, chance = (values[protocol, one, metric] for one in (variant, "random"))
        title = f"recommend on 2023, {protocol}, {variant}: {metric} under {least:g} by"
        yield Figure(title, max(0.0, least - value), 0, f"{value:.4f}, random {chance:.4f}")


def of_noise(values: Values) -> Iterator[Figure]:
    """Yield the success of variants on 2024, where users play any track: more than chance would be a leak."""
    found = {variant: values["new tracks", variant, "success@20"] for variant in FAMILY.variants}
    detail = ", ".join(f"{variant} {value:.3f}" for variant, value in found.items())
    yield Figure("recommend on 2024, new tracks: the highest success@20", max(found.values()), MOST, detail)
    yield Figure(f"the same: the lowest, under {LEAST} by", max(0.0, LEAST - min(found.values())), 0)


def of_generated_data(values: Values) -> Iterator[Figure]:
    """Yield how far the default is from the best lists."""
    found = {variant: values["ground truth", variant, "share_of_oracle"] for variant in FAMILY.variants}
    detail = ", ".join(f"{variant} {value:.3f}" for variant, value in found.items())
    missing = max(0.0, 0.8 - found[FAMILY.default])
    yield Figure("recommend, generated data: share of the oracle's gain, under .8 by", missing, 0, detail)


def requests(variant: str, scratch: Path, folders: Folders) -> Iterator[Figure]:
    """Yield the times of requests on 2024, once a variant is trained and opened."""
    command(POZYTYWKA, "-q", "train", "recommend", "--variant", variant, "--no-promote", *folders)()
    report, data = scratch / "requests.json", DATA / "pozytywka-2024"
    command(sys.executable, HERE / "recommend_requests.py", data, scratch / "2024", variant, report)()
    found = json.loads(report.read_text())
    detail = f"95 %: {found['high']:.0f} ms; opened in {found['open']:.1f} s"
    yield Figure(f"recommend by {variant} on 2024, one user: ms, median", found["one"], ONE_USER[variant], detail)
    yield Figure(f"recommend by {variant} on 2024, all {found['users']} users: seconds", found["all"], 10)
    yield Figure("answers that differ from the batch's", found["different"], 0)
