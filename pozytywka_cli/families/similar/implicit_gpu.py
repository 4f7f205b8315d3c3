"""The libraries of implicit's CUDA extension: found where the `gpu` extra installs them, loaded before it."""

import ctypes
import importlib
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import UnavailableError


class Library(NamedTuple):
    """A shared library by the name that the linker asks for, and the distribution of the extra that has it."""

    name: str
    distribution: str


LIBRARIES = (  # each after those that it needs itself
    Library("libcudart.so.13", "nvidia-cuda-runtime"),
    Library("libcublasLt.so.13", "nvidia-cublas"),
    Library("libcublas.so.13", "nvidia-cublas"),
    Library("libcurand.so.10", "nvidia-curand"),
    Library("librapids_logger.so", "rapids-logger"),
    Library("librmm.so", "librmm-cu13"),
)
REFUSED = "--gpu was asked for, but implicit cannot compute on a GPU"
INSTALL = "Install `pozytywka[gpu]`, or leave --gpu out."
DRIVER = "It needs an NVIDIA GPU with a driver for CUDA 13; leave --gpu out to compute on the CPU."


def require() -> None:
    """Make `implicit.gpu` usable.

    Raises:
        UnavailableError: a library, a symbol in one, the driver or a device is missing; the message names it.
    """
    for library in LIBRARIES:
        try:
            ctypes.CDLL(str(installed(library) or library.name))
        except OSError as error:
            reason = f"{REFUSED}: {library.name} of {library.distribution} is missing: {error}"
            raise UnavailableError(reason, INSTALL) from None
    try:
        extension = importlib.import_module("implicit.gpu._cuda")
    except ImportError as error:  # the linker's message names the symbol that no library has
        raise UnavailableError(f"{REFUSED}: {error}", INSTALL) from None
    try:
        extension.get_device_count()
    except RuntimeError as error:
        raise UnavailableError(f"{REFUSED}: {error}", DRIVER) from None
    _look_again()


def installed(library: Library) -> Path | None:
    """Where the library's distribution has it; None where that is not installed, and the system may have it."""
    try:
        files = metadata.files(library.distribution) or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == library.name), None)


def fetched(factors: Any) -> NDArray[np.float32]:
    """Factors (rows, k) from the GPU's memory.

    Raises:
        UnavailableError: they are not there, so that the GPU was not used.
    """
    if not isinstance(factors, importlib.import_module("implicit.gpu._cuda").Matrix):
        raise UnavailableError(f"{REFUSED}: it has put its factors into {type(factors).__name__}", DRIVER)
    found: NDArray[np.float32] = factors.to_numpy()
    return found


def _look_again() -> None:
    """Have `implicit.gpu` look for CUDA, which it does once, when first imported.

    It imports rmm only to have librmm loaded, which it is; the real rmm would bring all of cuda-python.
    """
    known = sys.modules.get("rmm")
    sys.modules["rmm"] = known or ModuleType("rmm")
    importlib.reload(importlib.import_module("implicit.gpu"))
    if known is None:
        del sys.modules["rmm"]
