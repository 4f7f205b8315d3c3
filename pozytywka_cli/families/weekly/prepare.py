"""Prepare a version for a service: the forecasts of all artists, which change with the data only."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pozytywka_cli.artifacts import Version
from pozytywka_cli.catalogue.json_table import JsonTable
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.families.weekly.online import FORECASTS
from pozytywka_cli.families.weekly.predict import WeeklyPredictor


def prepare(version: Version, dataset: Dataset, folder: Path) -> None:
    """Write all artists with their forecasts; errors as of `WeeklyPredictor.open`."""
    predictor = WeeklyPredictor.open(version, dataset)
    predictor.artists.save(folder)
    JsonTable.write(folder / FORECASTS, _forecasts(predictor))


def _forecasts(predictor: WeeklyPredictor) -> Iterator[list[Answer]]:
    """Yield the rows of each artist, a row for each week ahead."""
    rows = predictor.rows.drop("step").iter_rows(named=True)
    for _ in range(len(predictor.artists.ids)):
        yield list(islice(rows, predictor.horizon))
