"""What a room of the benchmarks measures, and what with."""

import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.timing import Compared

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
POZYTYWKA = Path(sys.executable).with_name("pozytywka")


class Figure(NamedTuple):
    """A measured figure, the most that it may be, and what stands behind it."""

    name: str
    value: float
    bound: float
    detail: str = ""

    @property
    def kept(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound

    def __str__(self) -> str:
        """One line."""
        line = f"{self.name:<66} {self.value:9.4g}  at most {self.bound:<6.4g} {self.detail}".rstrip()
        return line if self.kept else f"{line}  NOT KEPT"


def ratio(name: str, found: Compared, bound: float, less: float = 0.0) -> Figure:
    """How many times as long ours took, less some seconds that are allowed."""
    return Figure(name, found.ratio(less), bound, found.medians)
