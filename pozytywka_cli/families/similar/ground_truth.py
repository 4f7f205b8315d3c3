"""Compare the similar artists with the known genres of a generated data set."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.evaluate import neighbours
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import Scorer
from pozytywka_cli.families.similar.models.scorers import cosine, fitted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import without_hold_out
from pozytywka_cli.records import Row

NEIGHBOURS = 5


def ground_truth(dataset: Dataset, truth: Path, run: TrainingRun) -> list[Row]:
    """Return the share of artists' five most similar with a genre in common, and with the same main genre; at best 1.

    Of the variants with similarities and of item cosine, all fitted on all listens. Users of the generated data follow
    further genres too, half as strongly as the main one: two artists of different main genres can truly have the same
    listeners.
    """
    counted = listens(dataset)
    everything = without_hold_out(counted.counts, run.settings_as(SimilarSettings).min_listeners)
    scorers: dict[str, Scorer] = fitted(everything, run, [one for one in FAMILY.variants if one != FAMILY.baseline])
    scorers |= {"item cosine": cosine(everything)}
    main = pl.read_parquet(truth / "artists.parquet").select("id", pl.concat_list("genre"))
    genres = {"shared_genre": dataset.artists.select("id", "genres"), "main_genre": main}
    ids, artists = np.array(counted.artist_ids), everything.candidates
    similar = {name: ids[neighbours(everything, scorer, artists, NEIGHBOURS)] for name, scorer in scorers.items()}
    return [
        Row("similar", variant, "ground truth", f"{name}@{NEIGHBOURS}", _agreement(ids[artists], lists, frame))
        for variant, lists in similar.items()
        for name, frame in genres.items()
    ]


def _agreement(artists: NDArray[np.str_], similar: NDArray[np.str_], genres: pl.DataFrame) -> float:
    """Return the share of similar artists (artists, n) that share a genre with the artist; rows of id and genres."""
    genres_of = {artist: set(names) for artist, names in genres.iter_rows()}
    pairs = [(one, other) for one, others in zip(artists, similar, strict=True) for other in others]
    return sum(not genres_of[one].isdisjoint(genres_of[other]) for one, other in pairs) / len(pairs)
