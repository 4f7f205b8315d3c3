"""How near the similar artists come to the truth of a generated log."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.similar import VARIANTS
from pozytywka_cli.families.similar.evaluate import latent, neighbours
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import Scorer
from pozytywka_cli.families.similar.scorers import cosine
from pozytywka_cli.families.similar.splits import nothing_held_out, popular
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import SimilarSettings

NEIGHBOURS = 5


def planted(
    dataset: Dataset, truth: Path, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """The share of artists' five most similar with a genre in common, and with the same main one; the best is 1.

    Of ALS and of item cosine, both from all listens. What users hear follows an artist's further genres too, half as
    strongly as its main one: two artists of different main genres can truly have the same listeners.
    """
    heard = listens(dataset)
    kept = popular(heard.counts, settings.min_listeners)
    everything = replace(nothing_held_out(heard.counts), candidates=kept)
    model = latent(everything, settings, seed=seed, device=device, report=report)
    scorers: dict[str, Scorer] = {VARIANTS[0]: model, "item cosine": cosine(everything)}
    main = pl.read_parquet(truth / "artists.parquet").select("id", pl.concat_list("genre"))
    genres = {"shared genre": dataset.artists.select("id", "genres"), "same main genre": main}
    ids = np.array(heard.artist_ids)
    tops = {variant: ids[neighbours(everything, scorer, kept, NEIGHBOURS)] for variant, scorer in scorers.items()}
    return [
        Row("similar", variant, "planted", f"{name} in top {NEIGHBOURS}", _agreement(ids[kept], top, of))
        for variant, top in tops.items()
        for name, of in genres.items()
    ]


def _agreement(asked: NDArray[np.str_], found: NDArray[np.str_], listed: pl.DataFrame) -> float:
    """The share of those found that have a genre of the artist asked for; `listed` are rows of an id and its genres."""
    genres = {artist: set(names) for artist, names in listed.iter_rows()}
    pairs = [(one, other) for one, others in zip(asked, found, strict=True) for other in others]
    return sum(not genres[one].isdisjoint(genres[other]) for one, other in pairs) / len(pairs)
