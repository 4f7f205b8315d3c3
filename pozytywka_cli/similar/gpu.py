"""What implicit's CUDA extension links against, found where the `gpu` extra installs it."""

import ctypes
import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

import implicit.gpu

from pozytywka_cli.errors import UnavailableError

LIBRARIES = ("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10")  # in the order of need


def require() -> None:
    """Make `implicit.gpu` usable.

    Raises:
        UnavailableError: a library or the driver is missing; the message names it.
    """
    try:
        _load_libraries()
        importlib.import_module("implicit.gpu._cuda").get_device_count()
    except (ImportError, OSError, RuntimeError) as error:
        raise UnavailableError(
            f"--gpu was asked for, but implicit cannot compute on a GPU: {error}",
            "Install `pozytywka[gpu]` on a machine with an NVIDIA driver for CUDA 13, or leave --gpu out.",
        ) from None
    importlib.reload(implicit.gpu)  # it looks for CUDA once, when first imported


def _load_libraries() -> None:
    """Load those that are installed as wheels; the linker knows only the system's folders."""
    if find_spec("librmm"):
        librmm = importlib.import_module("librmm")
        librmm.load_library()
        # implicit imports rmm only to have librmm loaded; rmm itself would bring all of cuda-python
        sys.modules.setdefault("rmm", librmm)
    wheels = find_spec("nvidia")
    for folder in wheels.submodule_search_locations or () if wheels else ():
        for library in LIBRARIES:
            for path in Path(folder).glob(f"*/lib/{library}"):
                ctypes.CDLL(str(path))
