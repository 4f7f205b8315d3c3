"""Write a state to a folder, and read it again: arrays that are memory-mapped, and the strings and numbers beside."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pozytywka_cli.artifacts.decoding import decoding, read_json
from pozytywka_cli.catalogue.string_table import StringTable
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, SIDED
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.state.catalogue import Catalogue, products
from pozytywka_cli.families.skip.state.layout import USER
from pozytywka_cli.families.skip.state.state import State
from pozytywka_cli.families.skip.state.users import Users
from pozytywka_cli.files import indented_json

PARAMETERS, TRACKS, GENRES = "parameters.json", "tracks.bin", "genres.bin"
OF_TRACKS: dict[str, tuple[DTypeLike, tuple[int, ...]]] = {
    "durations": (np.int64, ()),
    "attributes": (np.float32, (len(ATTRIBUTES),)),
    "codes": (np.uint8, (len(ATTRIBUTES),)),
    "steps": (np.int8, (len(SIDED),)),  # at most 64
    "main_genres": (np.int32, ()),
}


def save(state: State, folder: Path) -> None:
    """Write the state to a folder that exists, its users in the order of their ids."""
    state, catalogue = state.in_order(), state.catalogue
    (folder / PARAMETERS).write_bytes(indented_json(state.parameters))
    StringTable.of(catalogue.ids).save(folder / TRACKS)
    StringTable.of(catalogue.genres).save(folder / GENRES)
    waiting = [(user, *one) for user, sessions in sorted(state.advertised.items()) for one in sessions.items()]
    advertised = np.array(waiting, np.int64).reshape(-1, 3)
    arrays = {
        "users": state.users.known,
        "ids": state.users.ids,
        "favourites": state.favourites,
        "advertised": advertised,
    }
    arrays["latest_start"] = np.array(state.latest_start)
    arrays |= {name: getattr(catalogue, name).astype(kind) for name, (kind, _) in OF_TRACKS.items()}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load(folder: Path) -> State:
    """Read a state; only the records of users that are asked for are read, and what it observes changes no file.

    Raises:
        ArtifactError: a file is missing, damaged, or of another layout.
    """
    parameters = read_json(folder / PARAMETERS, FeatureParameters)
    ids, genres = (StringTable.load(folder / name).list() for name in (TRACKS, GENRES))
    of_tracks = {name: _array(folder, name, kind, (len(ids) + 1, *rest)) for name, (kind, rest) in OF_TRACKS.items()}
    of_tracks["steps"] = of_tracks["steps"].astype(np.int64)
    catalogue = Catalogue(ids=ids, genres=genres, products=products(of_tracks["steps"]), **of_tracks)
    user_ids = _array(folder, "ids", np.int64, (None,))
    rows = len(user_ids) + 1
    users, favourites = _array(folder, "users", USER, (rows,)), _array(folder, "favourites", np.int32, (rows, None))
    advertised: dict[int, dict[int, int]] = {}
    for user, session, at in _array(folder, "advertised", np.int64, (None, 3)).tolist():
        advertised.setdefault(user, {})[session] = at
    with decoding(folder / "ids.npy"):
        if not (np.diff(user_ids) > 0).all():
            raise ValueError("its ids are not in order")
    latest_start = int(_array(folder, "latest_start", np.int64, ()))
    return State(parameters, catalogue, Users(user_ids, users), favourites, latest_start, advertised)


def _array(folder: Path, name: str, kind: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Map a file, copy on write; an ArtifactError if it holds something else than this. None stands for any length."""
    path = folder / f"{name}.npy"
    with decoding(path):
        array = np.load(path, mmap_mode="c", allow_pickle=False)
        fits = len(shape) == array.ndim and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
        if array.dtype != np.dtype(kind) or not fits:
            raise ValueError(f"it is an array {array.shape} of something else than this version reads")
    return np.asarray(array)
