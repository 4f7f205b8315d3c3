"""Load the libraries of implicit's CUDA extension from the distributions of the `gpu` extra, before the extension."""

import ctypes
import importlib
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import UnavailableError

LIBRARIES = {  # the distribution of the extra that contains each library; each after those that it needs
    "libcudart.so.13": "nvidia-cuda-runtime",
    "libcublasLt.so.13": "nvidia-cublas",
    "libcublas.so.13": "nvidia-cublas",
    "libcurand.so.10": "nvidia-curand",
    "librapids_logger.so": "rapids-logger",
    "librmm.so": "librmm-cu13",
}
REFUSED = "--gpu: implicit cannot use a GPU"
INSTALL = "Install `pozytywka[gpu]`, or leave out --gpu."
DRIVER = "It needs an NVIDIA GPU with a driver for CUDA 13; leave out --gpu to compute on the CPU."


def require() -> None:
    """Make `implicit.gpu` usable.

    Raises:
        UnavailableError: a library, a symbol, the driver or a device is missing; the message names it.
    """
    for name, distribution in LIBRARIES.items():
        try:
            ctypes.CDLL(str(installed(name, distribution) or name))
        except OSError as error:
            reason = f"{REFUSED}: {name} of {distribution} is missing: {error}"
            raise UnavailableError(reason, INSTALL) from None
    try:
        importlib.import_module("implicit.gpu._cuda").get_device_count()
    except ImportError as error:  # the message names the missing symbol
        raise UnavailableError(f"{REFUSED}: {error}", INSTALL) from None
    except RuntimeError as error:
        raise UnavailableError(f"{REFUSED}: {error}", DRIVER) from None
    _reload()


def installed(name: str, distribution: str) -> Path | None:
    """Return the path of a library in its distribution; None if that is not installed (the system may have it)."""
    files = (file for found in metadata.distributions(name=distribution) for file in found.files or [])
    return next((Path(str(file.locate())) for file in files if file.name == name), None)


def fetched(factors: Any) -> NDArray[np.float32]:
    """Copy factors (rows, k) from the memory of the GPU.

    Raises:
        UnavailableError: they are not there: the GPU was not used.
    """
    if not isinstance(factors, importlib.import_module("implicit.gpu._cuda").Matrix):
        raise UnavailableError(f"{REFUSED}: its factors are in {type(factors).__name__}", DRIVER)
    copied: NDArray[np.float32] = factors.to_numpy()
    return copied


def _reload() -> None:
    """Reload `implicit.gpu`, which looks for CUDA only when it is imported.

    It imports rmm for librmm alone, which is loaded by now; the real rmm would bring all of cuda-python.
    """
    loaded = sys.modules.get("rmm")
    sys.modules["rmm"] = loaded or ModuleType("rmm")
    importlib.reload(importlib.import_module("implicit.gpu"))
    if loaded is None:
        del sys.modules["rmm"]
