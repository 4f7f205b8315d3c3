"""The fitted model of a variant: its files, and how it becomes a ranker with the plays that are known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding, read_json
from pozytywka_cli.catalogue.string_table import StringTable, take
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.features.vectors import TrackVectors
from pozytywka_cli.families.recommend.models import scorers
from pozytywka_cli.families.recommend.models.completion import Completion, Skips
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.files import indented_json

PARAMETERS, IDS, VECTORS = "model.json", "tracks.bin", "vectors.npy"
WITH_VECTORS = ("als", "autoencoder", "blend")
WITH_NEIGHBOURS = ("blend",)  # what other users with the same tracks played

Other = Callable[[], Skips | None]
Vectors = NDArray[np.float32]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the blend weighs, for new tracks or for all: each signal, and the logarithm of P(played to the end)."""

    signals: dict[str, float]
    completion: float


class BlendWeights(NamedTuple):
    """The weights of the blend for tracks that are new to the user, and for all."""

    new: Weights
    all: Weights


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of a model.

    seed: of `random`
    confidence, regularization: of ALS, see `Embeddings`
    new, all: the weights of the blend; None in other variants
    """

    seed: int
    confidence: float
    regularization: float
    new: Weights | None
    all: Weights | None


@dataclass(frozen=True)
class Model:
    """A fitted model.

    ids: (n,) the tracks with vectors, ascending
    vectors: (n, k) float32: ALS embeddings, or the codes of the autoencoder; no rows in other variants
    """

    variant: str
    parameters: Parameters
    ids: list[str] = field(default_factory=list)
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def ranker(self, history: History, other: Other) -> Ranker:
        """Return the variant with these plays; `other` opens the model of skips, if there is one."""
        return ranker(self.variant, self.parameters, history, self.aligned(history.tracks), other)

    def aligned(self, tracks: Tracks) -> TrackVectors:
        """Return the vectors of other tracks, or of the same."""
        numbers = {track_id: number for number, track_id in enumerate(take(tracks.ids, range(len(tracks))))}
        rows = np.array([numbers.get(track_id, -1) for track_id in self.ids], dtype=np.int64)
        return TrackVectors.of(len(tracks), rows[rows >= 0], self.vectors[rows >= 0])

    def save(self, folder: Path) -> None:
        """Write `model.json`, and `tracks.bin` and `vectors.npy` of variants with vectors."""
        (folder / PARAMETERS).write_bytes(indented_json(self.parameters))
        if self.variant in WITH_VECTORS:
            StringTable.of(self.ids).save(folder / IDS)
            np.save(folder / VECTORS, self.vectors, allow_pickle=False)

    @classmethod
    def load(cls, version: Version) -> "Model":
        """Load the model of a checked version; an ArtifactError if a file holds something else."""
        variant, parameters = version.manifest.variant, load_parameters(version)
        if variant not in WITH_VECTORS:
            return cls(variant, parameters)
        ids = StringTable.load(version.path(IDS)).list()
        return cls(variant, parameters, ids, _vectors(version.path(VECTORS), len(ids)))


def load_parameters(version: Version) -> Parameters:
    """Load the parameters of a checked version; an ArtifactError if they are not those of its variant."""
    path = version.path(PARAMETERS)
    parameters = read_json(path, Parameters)
    with decoding(path):
        _check(version.manifest.variant, parameters)
    return parameters


def ranker(variant: str, parameters: Parameters, history: History, vectors: TrackVectors, other: Other) -> Ranker:
    """Return a variant with these plays; `vectors` are those of the history's tracks, see `Model.ranker`."""
    scorer = _scorer(variant, parameters, history, vectors)
    skips = other() if variant in FAMILY.asking else None
    if skips is None:  # `preference`, too, then ranks by the score
        return Ranker(history, scorer)
    return Ranker(history, scorer, Completion(skips, history.tracks), _weights(variant, parameters))


def _scorer(variant: str, parameters: Parameters, history: History, vectors: TrackVectors) -> scorers.Scorer:
    if variant == "autoencoder":
        return scorers.Autoencoder(history, vectors)
    if variant in WITH_VECTORS:
        signals = Signals(history, Embeddings(vectors, parameters.confidence, parameters.regularization))
        if parameters.new and parameters.all:
            return scorers.Blend(signals, parameters.new.signals, parameters.all.signals)
        return scorers.Als(signals)
    if variant == "random":
        return scorers.Random(history, parameters.seed)
    return scorers.Own(history) if variant == "own" else scorers.Popular(history)


def _weights(variant: str, parameters: Parameters) -> tuple[tuple[float, float], tuple[float, float]]:
    if variant == "preference":
        return (0.0, 1.0), (0.0, 1.0)
    new, every = (made.completion if made else 0.0 for made in (parameters.new, parameters.all))
    return (1.0, new), (1.0, every)


def _vectors(path: Path, rows: int) -> Vectors:
    """Read vectors; an ArtifactError if the file holds something else than so many rows of finite numbers."""
    with decoding(path):
        vectors: Vectors = np.array(open_memmap(path, mode="r"))
        if vectors.dtype != np.float32 or vectors.ndim != 2 or len(vectors) != rows:
            raise ValueError(f"it is {vectors.dtype} {vectors.shape}, not float32 of {rows} rows")
        if not np.isfinite(vectors).all():
            raise ValueError("some vectors are not finite numbers")
        return vectors


def _check(variant: str, parameters: Parameters) -> None:
    """Raise a ValueError if these are not the parameters of the variant."""
    for weights, names in ((parameters.new, NEW), (parameters.all, ALL)):
        expected = list(names) if variant == "blend" else None
        if (list(weights.signals) if weights else None) != expected:
            raise ValueError("it does not have one weight for each signal of the variant")
