"""A history with its tracks as files to be memory-mapped, of which an answer reads what it is about."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, get_index_dtype

from pozytywka_cli.artifacts.arrays import array
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.catalogue.json_table import JsonTable
from pozytywka_cli.catalogue.string_table import StringIndex, StringTable, take
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.tracks import ATTRIBUTES, Tracks
from pozytywka_cli.families.recommend.features.vectors import TrackVectors

FLAGS, INTS, FLOATS = (np.dtype(one) for one in (np.bool_, np.int64, np.float64))
TEXTS = ("names", "artist_ids", "artist_names")
PLAYS = {"starts": INTS, "track": INTS, "full": FLAGS, "liked": FLAGS, "at": INTS}
# properties of a history that are read in place of being computed from all plays again
COUNTS = {"plays_of_tracks": FLOATS, "tail": FLAGS, "trend": FLOATS}


def save(history: History, folder: Path, *, neighbours: bool) -> None:
    """Write a history with its tracks; with `neighbours`, also who has played which track to its end."""
    tracks = history.tracks
    StringTable.of(take(tracks.ids, range(len(tracks.ids)))).save(folder / "ids.bin")
    StringTable.of(take(tracks.vocabulary, range(len(tracks.vocabulary)))).save(folder / "genres.bin")
    tracks.artist_keys.save(folder / "keys.bin")
    for name in TEXTS:
        values = getattr(tracks, name)
        JsonTable.write(folder / f"{name}.bin", take(values, range(len(values))))
    arrays = {"artists": tracks.artists, "users": history.users, "now": np.array([history.now])}
    arrays |= {name: getattr(history, name) for name in (*PLAYS, *COUNTS)}
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)
    _save_matrix(folder, "genres", tracks.genres)
    _save_matrix(folder, "favourites", history.favourites)
    if neighbours:
        _save_matrix(folder, "users_of_tracks", history.users_of_tracks)


def load(folder: Path, *, neighbours: bool) -> History:
    """Memory-map what `save` has written; the attributes of tracks, which no answer needs, are left out.

    Raises:
        ArtifactError: a file is missing or damaged, or the files do not belong together.
    """
    tracks, users, now = _tracks(folder), _vector(folder, "users", INTS), _vector(folder, "now", INTS)
    plays = {name: _vector(folder, name, kind) for name, kind in PLAYS.items()}
    counts = {name: _vector(folder, name, kind) for name, kind in COUNTS.items()}
    favourites = _matrix(folder, "favourites", (len(users), len(tracks.vocabulary)))
    with decoding(folder):
        history = History(tracks, users, now=int(now[0]), favourites=favourites, **plays)
        _check(history, counts)
    vars(history).update(counts)  # values of cached properties, which then are not computed
    if neighbours:
        vars(history)["users_of_tracks"] = _matrix(folder, "users_of_tracks", (len(tracks), len(users)), whole=True)
    return history


def _tracks(folder: Path) -> Tracks:
    ids, vocabulary = StringTable.load(folder / "ids.bin"), StringTable.load(folder / "genres.bin")
    texts = {name: JsonTable[str | None].load(folder / f"{name}.bin", str | None) for name in TEXTS}
    tracks = Tracks(
        ids,
        artists=_vector(folder, "artists", INTS),
        genres=_matrix(folder, "genres", (len(ids), len(vocabulary)), whole=True),
        vocabulary=vocabulary,
        attributes=np.zeros((0, len(ATTRIBUTES)), np.float32),
        **texts,
    )
    vars(tracks)["artist_keys"] = StringIndex.load(folder / "keys.bin")
    return tracks


def _check(history: History, counts: dict[str, NDArray[Any]]) -> None:
    """Raise a ValueError if files are not of the same tracks, artists, users and plays."""
    tracks = history.tracks
    groups = (
        [tracks.ids, tracks.names, tracks.artists, *counts.values()],
        [tracks.artist_ids, tracks.artist_names, tracks.artist_keys],
        [history.users, history.starts[1:]],
        [range(history.starts[-1]), history.track, history.full, history.liked, history.at],
    )
    if any(len({len(one) for one in group}) > 1 for group in groups):
        raise ValueError("its files do not belong together")


def save_vectors(vectors: TrackVectors, folder: Path) -> None:
    """Write the vectors of tracks."""
    np.save(folder / "known.npy", vectors.known, allow_pickle=False)
    np.save(folder / "vectors.npy", vectors.rows, allow_pickle=False)


def load_vectors(folder: Path) -> TrackVectors:
    """Memory-map what `save_vectors` has written; an ArtifactError if it is damaged."""
    known, rows = _vector(folder, "known", FLAGS), np.asarray(array(folder / "vectors.npy", FLOATS, 2))
    with decoding(folder):
        if known.sum() != len(rows):
            raise ValueError(f"it has {len(rows)} vectors for {known.sum()} tracks")
    return TrackVectors(known, rows)


def _vector(folder: Path, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
    """Memory-map an array of one dimension."""
    return np.asarray(array(folder / f"{name}.npy", kind, 1))


def _save_matrix(folder: Path, name: str, matrix: csr_matrix) -> None:
    index = _index(len(matrix.data), matrix.shape)
    parts = {"data": matrix.data, "indices": matrix.indices.astype(index), "indptr": matrix.indptr.astype(index)}
    for part, values in parts.items():
        np.save(folder / f"{name}_{part}.npy", values, allow_pickle=False)


def _matrix(folder: Path, name: str, shape: tuple[int, int], *, whole: bool = False) -> csr_matrix:
    """Memory-map a matrix; `whole` checks every index, where products with a wrong one would crash."""
    data = _vector(folder, f"{name}_data", FLOATS)
    indices, indptr = (_vector(folder, f"{name}_{part}", _index(len(data), shape)) for part in ("indices", "indptr"))
    with decoding(folder):
        matrix = csr_matrix((data, indices, indptr), shape=shape, copy=False)
        matrix.check_format(full_check=whole)
        return matrix


def _index(entries: int, shape: tuple[int, int]) -> np.dtype[Any]:
    """Return the type of indices with which scipy computes, so that they are not copied."""
    index: np.dtype[Any] = np.dtype(get_index_dtype(maxval=max(entries, *shape)))
    return index
