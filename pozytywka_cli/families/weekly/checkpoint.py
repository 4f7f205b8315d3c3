"""A network and its few parameters, as they are kept in a version's folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec
from safetensors.torch import load_file, save_file
from torch import nn

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.weekly.model import PARAMETERS
from pozytywka_cli.files import indented_json

WEIGHTS = "weights.safetensors"

N = TypeVar("N", bound=nn.Module, covariant=True)


class Parameters(Protocol[N]):
    """What decides a network's shape."""

    def network(self) -> N:
        """An untrained one."""


P = TypeVar("P", bound=Parameters[nn.Module])


@dataclass(frozen=True)
class Networked(Generic[P, N]):
    """A network with its parameters, which are of the `kind` that a subclass names."""

    kind: ClassVar[type[Any]]
    parameters: P
    network: N

    @classmethod
    def untrained(cls, parameters: P, seed: int) -> Self:
        """A network with the weights that training starts from; `seed` decides them."""
        return cls(parameters, learning.seeded(seed, parameters.network))  # type: ignore[arg-type]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `model.json`."""
        save_file(self.network.state_dict(), folder / WEIGHTS)
        (folder / PARAMETERS).write_bytes(indented_json(self.parameters))

    @classmethod
    def load(cls, version: Version) -> Self:
        """The model of a checked version."""
        content = (version.folder / PARAMETERS).read_bytes()
        model = cls.untrained(msgspec.json.decode(content, type=cls.kind), seed=0)
        model.network.load_state_dict(load_file(version.folder / WEIGHTS))
        model.network.eval()
        return model
