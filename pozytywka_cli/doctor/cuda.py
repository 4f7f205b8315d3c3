"""The driver, torch's CUDA and implicit's: looked at from outside, and asked only where all that they need is there."""

import ctypes
import runpy
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from pozytywka_cli.doctor.finding import Finding
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.similar import implicit_gpu

DRIVER = "libcuda.so.1"
INSTALL = "Install it: `pip install 'pozytywka[gpu]'`."


def cuda() -> list[Finding]:
    """The devices that the driver has; torch and its CUDA; implicit's CUDA and every library that it needs."""
    devices = _devices()
    libraries = [_library(library) for library in implicit_gpu.LIBRARIES]
    complete = devices is not None and all(library.found for library in libraries)
    return [
        Finding("gpu", "driver and device", devices, "" if devices else "A GPU of NVIDIA, with its driver, is needed."),
        *_torch(present=devices is not None),
        *libraries,
        Finding("gpu", "implicit's CUDA", *(_implicit() if complete else (None, "See what is missing above."))),
    ]


def require(findings: list[Finding]) -> None:
    """Insist that torch and implicit can compute on a GPU.

    Raises:
        UnavailableError: something that they need is missing; all of it is named.
    """
    missing = [finding for finding in findings if finding.area == "gpu" and finding.found is None]
    if missing:
        raise UnavailableError(f"no GPU can be used: missing are {', '.join(f.name for f in missing)}", missing[0].hint)


def _devices() -> str | None:
    """How many devices the driver has, and for which CUDA it was made."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    count, version = ctypes.c_int(), ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    driver.cuDriverGetVersion(ctypes.byref(version))
    if failed or not count.value:
        return None
    return f"{count.value}, with a driver for CUDA {version.value // 1000}.{version.value % 1000 // 10}"


def _torch(*, present: bool) -> list[Finding]:
    """Its version and the CUDA that it was built for; imported, which takes seconds, only where a device is present."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return [Finding("gpu", "torch's CUDA", None, "Install pozytywka again: it needs torch.")]
    built = runpy.run_path(str(Path(found.origin).with_name("version.py")))
    version = Finding("gpu", "torch", built["__version__"])
    if built["cuda"] is None:
        return [version, Finding("gpu", "torch's CUDA", None, "This torch was built without CUDA; install another.")]
    if not (present and import_module("torch").cuda.is_available()):
        return [version, Finding("gpu", "torch's CUDA", None, f"Built for CUDA {built['cuda']}, it sees no device.")]
    return [version, Finding("gpu", "torch's CUDA", built["cuda"])]


def _library(library: implicit_gpu.Library) -> Finding:
    """Where it was installed, else whether the system has it."""
    path = implicit_gpu.installed(library)
    if path is None:
        try:
            ctypes.CDLL(library.name)
        except OSError:
            return Finding("gpu", library.name, None, INSTALL)
        return Finding("gpu", library.name, "the system's")
    return Finding("gpu", library.name, f"{library.distribution} {metadata.version(library.distribution)}")


def _implicit() -> tuple[str | None, str]:
    try:
        implicit_gpu.require()
    except UnavailableError as error:
        return None, f"{error.message}. {error.hint}"
    return metadata.version("implicit"), ""
