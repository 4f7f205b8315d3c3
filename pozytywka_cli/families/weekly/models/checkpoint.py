"""Save and load networks with their hyperparameters, and models that consist of a few parameters."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec
from safetensors.torch import load_file, save_file
from torch import nn

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.files import indented_json

PARAMETERS = "model.json"
WEIGHTS = "weights.safetensors"

S = TypeVar("S", bound=msgspec.Struct)
N = TypeVar("N", bound=nn.Module, covariant=True)


def save_parameters(parameters: object, folder: Path) -> None:
    """Write `model.json`."""
    (folder / PARAMETERS).write_bytes(indented_json(parameters))


def load_parameters(version: Version, kind: type[S]) -> S:
    """Read `model.json` of a checked version."""
    return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=kind)


class Hyperparameters(Protocol[N]):
    """Everything that decides a network's shape."""

    def network(self) -> N:
        """Return an untrained network."""


P = TypeVar("P", bound=Hyperparameters[nn.Module])


@dataclass(frozen=True)
class NetworkModel(Generic[P, N]):
    """A network with its hyperparameters, which are of the `kind` that a subclass names."""

    kind: ClassVar[type[Any]]
    parameters: P
    network: N

    @classmethod
    def untrained(cls, parameters: P, seed: int) -> Self:
        """Return a network with the weights that training starts from, which depend on `seed` alone."""
        return cls(parameters, learning.seeded(seed, parameters.network))  # type: ignore[arg-type]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `model.json`."""
        save_file(self.network.state_dict(), folder / WEIGHTS)
        save_parameters(self.parameters, folder)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        model = cls.untrained(load_parameters(version, cls.kind), seed=0)
        model.network.load_state_dict(load_file(version.folder / WEIGHTS))
        model.network.eval()
        return model
