"""Arrays of an artifact, checked before they are used."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError


def load_array(path: Path, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> NDArray[Any]:
    """An array, memory-mapped, so that only what is used gets read; None in `shape` stands for any length.

    Raises:
        ArtifactError: it is missing, no array, or one of another type or shape.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{path} is damaged: {error}", MEND) from None
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if array.dtype != dtype or not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        problem = f"it is {array.dtype} {array.shape}, not {dtype} ({wanted})"
        raise ArtifactError(f"{path} is damaged: {problem}", MEND)
    return array
