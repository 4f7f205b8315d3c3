"""How near the similar artists come to the truth of a generated log."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import SimilarSettings
from pozytywka_cli.similar import VARIANTS
from pozytywka_cli.similar.features import listens
from pozytywka_cli.similar.model import Factors
from pozytywka_cli.similar.predict import Lookup
from pozytywka_cli.similar.train import fitted

NEIGHBOURS = 5


def planted(
    service: Service, truth: Path, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """The share of an artist's five most similar by ALS that have its main genre; the best there is is 1."""
    genre = dict(pl.read_parquet(truth / "artists.parquet").select("id", "genre").iter_rows())
    artists = fitted(listens(service), settings, seed=seed, device=device, report=report)
    return [Row("similar", VARIANTS[0], "planted", f"same genre in top {NEIGHBOURS}", _agreement(artists, genre))]


def _agreement(artists: Factors, genre: dict[str, str]) -> float:
    lookup = Lookup(artists)
    pairs = [
        (genre[one], genre[neighbour.id])
        for one in artists.ids.strings.list()
        for neighbour in lookup.similar(lookup.by_id(one), NEIGHBOURS)
    ]
    return sum(own == other for own, other in pairs) / len(pairs)
