"""Build what a state holds of the tables: the catalogue of tracks, and the favourite genres of users."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.features.attribute_rates import codes, steps
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, SIDED
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import Index, PlayLog
from pozytywka_cli.families.skip.features.rates import NEVER
from pozytywka_cli.families.skip.state.catalogue import NO_FAVOURITE, NO_GENRE, Catalogue, products


def catalogue(dataset: Dataset, parameters: FeatureParameters) -> Catalogue:
    """Compute everything from the tables."""
    tracks = dataset.tracks.select("id", "id_artist", *ATTRIBUTES)
    tracks = tracks.vstack(tracks.clear(1))
    edges, values = parameters.edges, tracks.select(ATTRIBUTES)
    distances = np.stack([steps(values[name], edges[name]) for name in SIDED], axis=1)
    main = dataset.artists["genres"].list.first().extend_constant(None, 1)
    of_tracks = main.gather(Index.of(dataset.artists["id"]).find(tracks["id_artist"]))
    genres = of_tracks.drop_nulls().unique().sort()
    return Catalogue(
        ids=dataset.tracks["id"].fill_null("").to_list(),
        durations=(1000 * tracks["duration_ms"].cast(pl.Int64)).fill_null(NEVER).to_numpy(),
        attributes=np.ascontiguousarray(values.cast(pl.Float32).to_numpy()),
        codes=np.stack([codes(values[name], edges[name]) for name in ATTRIBUTES], axis=1),
        steps=distances,
        products=products(distances),
        main_genres=_numbers(of_tracks, genres, NO_GENRE),
        genres=genres.to_list(),
    )


def favourites(log: PlayLog, ids: Ints, catalogue: Catalogue) -> NDArray[np.int32]:
    """Return the numbers of the favourite genres of nobody, and of the users of `ids`: (ids + 1, any width)."""
    lists = log.dataset.users["favourite_genres"].extend_constant(None, 1)
    lists = lists.gather(np.append(len(lists) - 1, log.members.find(pl.Series(ids, dtype=pl.Int64))))
    table = np.full((len(lists), max(lists.list.len().drop_nulls(), default=0)), NO_FAVOURITE, np.int32)
    for place in range(table.shape[1]):
        names = lists.list.get(place, null_on_oob=True)
        table[:, place] = _numbers(names, pl.Series(catalogue.genres, dtype=pl.String), NO_FAVOURITE)
    return table


def _numbers(names: pl.Series, genres: pl.Series, otherwise: int) -> Ints:
    """Return the number of each name in `genres`, and for other names and nulls `otherwise`: (names,)."""
    return names.replace_strict(genres, pl.int_range(len(genres), eager=True), default=otherwise).to_numpy()
