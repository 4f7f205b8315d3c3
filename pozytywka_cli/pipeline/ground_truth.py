"""Models measured where the truth is known: on a generated data set, beside the best that anything could reach."""

import tempfile
from pathlib import Path
from typing import Any

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.errors import PozytywkaError
from pozytywka_cli.families.registry import registry
from pozytywka_cli.records import Report, Row

USERS, WEEKS = 1000, 100


def evaluate(
    names: list[str], settings: Any, *, seed: int, device: str, report: Report
) -> tuple[dict[str, list[Row]], dict[str, PozytywkaError]]:
    """Each family's figures on a sample of 1,000 users and 100 weeks, drawn with `seed`; nothing is left behind."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_sample(folder, users=USERS, weeks=WEEKS, seed=seed)
        dataset = load(folder, Path(scratch) / "plays.parquet", lambda _: None)

        def measure(name: str) -> list[Row]:
            planted = registry.planting(name).planted
            given = getattr(settings, name)
            return planted(dataset, folder / "truth", given, seed=seed, device=device, report=report)

        return registry.each(names, measure)
