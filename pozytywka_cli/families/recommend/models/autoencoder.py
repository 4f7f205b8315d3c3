"""An autoencoder over the attributes and genres of tracks, as in the old system: similar tracks get similar codes."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pozytywka_cli import learning
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.records import Progress

MOST_GENRES = 200  # the commonest ones are inputs
HIDDEN, CODE = 64, 16
HELD_OUT = 10  # every tenth track is for validation
PATIENCE = 4


class Network(nn.Module):
    """Inputs → 64 → 16 → 64 → inputs."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, CODE))
        self.decoder = nn.Sequential(nn.SiLU(), nn.Linear(CODE, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, inputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return codes (rows, 16)."""
        return self.encoder(inputs)  # type: ignore[no-any-return]


def _loss(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the mean squared error of what is decoded."""
    assert isinstance(model, Network)
    return nn.functional.mse_loss(model.decoder(model(inputs)), inputs)


def fit(tracks: Tracks, run: TrainingRun) -> tuple[NDArray[np.float32], list[dict[str, float]]]:
    """Return the codes of all tracks, (tracks, 16), rows of length 1, and a record of each epoch.

    Raises:
        UnavailableError: the device is "cuda" and torch finds none.
        RefusedError: training diverged.
    """
    settings, inputs = run.settings_as(RecommendSettings), torch.from_numpy(_inputs(tracks))
    device = learning.device(gpu=run.device == "cuda")
    held_out = torch.arange(len(inputs)) % HELD_OUT == HELD_OUT - 1
    network = learning.seeded(run.seed, lambda: Network(inputs.shape[1]))
    recipe = learning.Recipe(settings.epochs, 256, settings.learning_rate, 1e-4, PATIENCE)
    parts = (inputs[~held_out],), (inputs[held_out],) if held_out.any() else None
    epochs = learning.fit(network, _loss, *parts, recipe, seed=run.seed, device=device)
    records = learning.epoch_records(_reported(epochs, run))
    codes: NDArray[np.float32] = learning.forward(network, (inputs,), double=True).numpy()
    lengths = np.linalg.norm(codes, axis=1, keepdims=True)
    codes /= np.where(lengths > 0, lengths, 1)
    return codes, records


def _reported(epochs: Iterator[learning.Epoch], run: TrainingRun) -> Iterator[learning.Epoch]:
    for one in epochs:
        run.progress(Progress("fit the autoencoder", one.epoch, one.epochs, one.validation_loss))
        yield one


def _inputs(tracks: Tracks) -> NDArray[np.float32]:
    """Return attributes, and which of the commonest genres a track's artist has: (tracks, inputs)."""
    counts = np.bincount(tracks.genres.indices, minlength=len(tracks.vocabulary))
    commonest = np.sort(np.argsort(-counts, kind="stable")[:MOST_GENRES])
    genres = tracks.genres[:, commonest].toarray()
    return np.hstack([tracks.attributes, genres]).astype(np.float32)
