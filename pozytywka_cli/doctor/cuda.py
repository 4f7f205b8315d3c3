"""Check the GPU: driver and device, torch's CUDA, and the libraries of every family that can use a GPU.

Libraries of models are imported, which takes seconds, only where there is a device.
"""

import ctypes
import runpy
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from pozytywka_cli.doctor.finding import Finding
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Family

DRIVER = "libcuda.so.1"


def cuda() -> list[Finding]:
    """Return a finding for the device, for torch, and for each family with a variant that can be fitted on a GPU."""
    devices = _devices()
    families = [registry.get(name) for name in registry.names()]
    return [
        Finding("gpu", "device", devices, "" if devices else "It takes an NVIDIA GPU with its driver."),
        *_torch(present=devices is not None),
        *(_family(family, present=devices is not None) for family in families if _uses_gpu(family)),
    ]


def require(findings: list[Finding]) -> None:
    """Check that every family that can use a GPU finds one here.

    Raises:
        UnavailableError: something is missing; the message names all of it.
    """
    missing = [finding for finding in findings if finding.area == "gpu" and finding.found is None]
    if missing:
        names = ", ".join(finding.name for finding in missing)
        raise UnavailableError(f"no GPU can be used; missing: {names}", missing[0].hint)


def _devices() -> str | None:
    """Return the number of devices and the CUDA version of the driver; None without a device."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    count, version = ctypes.c_int(), ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    driver.cuDriverGetVersion(ctypes.byref(version))
    if failed or not count.value:
        return None
    return f"{count.value}, driver for CUDA {version.value // 1000}.{version.value % 1000 // 10}"


def _torch(*, present: bool) -> list[Finding]:
    """Return torch's version and the CUDA version that it was built for."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return [Finding("gpu", "torch's CUDA", None, "Install pozytywka again: it needs torch.")]
    built = runpy.run_path(str(Path(spec.origin).with_name("version.py")))
    version = Finding("gpu", "torch", built["__version__"])
    if built["cuda"] is None:
        return [version, Finding("gpu", "torch's CUDA", None, "Install a torch that was built for CUDA.")]
    if not (present and import_module("torch").cuda.is_available()):
        return [version, Finding("gpu", "torch's CUDA", None, f"It was built for CUDA {built['cuda']}; see device.")]
    return [version, Finding("gpu", "torch's CUDA", built["cuda"])]


def _uses_gpu(family: Family) -> bool:
    return any(variant.gpu for variant in family.variants.values())


def _family(family: Family, *, present: bool) -> Finding:
    """Return the variants of a family that can be fitted on a GPU, if its libraries find the device."""
    name = f"train {family.name} --gpu"
    if not present:
        return Finding("gpu", name, None, "See device.")
    try:
        family.require_gpu()
    except UnavailableError as error:
        return Finding("gpu", name, None, f"{error.message}. {error.hint}")
    return Finding("gpu", name, ", ".join(one for one, variant in family.variants.items() if variant.gpu))
