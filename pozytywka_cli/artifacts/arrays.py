"""Memory-map the arrays of an artifact, so that only the requested parts are read."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pozytywka_cli.artifacts.decoding import decoding


def array(path: Path, dtype: np.dtype[Any], dimensions: int) -> NDArray[Any]:
    """Memory-map an array of this type, or raise an ArtifactError."""
    with decoding(path):
        mapped: NDArray[Any] = open_memmap(path, mode="r")  # which reads no other format and never unpickles
        if mapped.dtype != dtype or mapped.ndim != dimensions:
            raise ValueError(f"it is {mapped.dtype} {mapped.shape}, not {dtype} of {dimensions} dimensions")
        return mapped
