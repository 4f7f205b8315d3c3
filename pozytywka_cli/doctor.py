"""Check this machine: CPU, memory, GPU, extras, data and models.

Libraries of models are imported, which takes seconds, only where there is a GPU.
"""

import ctypes
import os
import platform
import re
import runpy
from collections.abc import Iterator
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.reading.data_files import locate
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.errors import PozytywkaError, UnavailableError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Family

CGROUP = Path("/sys/fs/cgroup")  # limits of a container (cgroup version 2)
MEMINFO, CPUINFO = Path("/proc/meminfo"), Path("/proc/cpuinfo")
THREADS = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")
GIB = 2**30
DRIVER = "libcuda.so.1"
PACKAGE = "pozytywka"
EXTRA = re.compile(r"([\w.-]+).*; extra == ['\"](\w+)['\"]")


class Finding(NamedTuple):
    """The result of one check.

    found: what was found; None where it is missing
    hint: how to get what is missing
    """

    area: str
    name: str
    found: str | None
    hint: str = ""


def machine() -> Iterator[Finding]:
    """Yield the Python version, the CPU, the cores and memory that this process can use, and limits on its threads."""
    limits = [f"{name}={os.environ[name]}" for name in THREADS if os.environ.get(name)]
    yield Finding("machine", "python", platform.python_version())
    yield Finding("machine", "cpu", _field(CPUINFO, "model name") or platform.processor() or platform.machine())
    yield Finding("machine", "cores", _cores())
    yield Finding("machine", "memory", _memory())
    yield Finding("machine", "threads", ", ".join(limits) or "as many as cores")


def gpu() -> Iterator[Finding]:
    """Yield a finding for the device, for torch, and for each family with a variant that can be fitted on a GPU."""
    devices = _devices()
    yield Finding("gpu", "device", devices, "" if devices else "It takes an NVIDIA GPU with its driver.")
    yield from _torch(present=devices is not None)
    for family in registry.chosen(None):
        if variants := [name for name, variant in family.variants.items() if variant.gpu]:
            problem = _gpu_problem(family) if devices else "See device."
            yield Finding("gpu", f"train {family.name} --gpu", None if problem else ", ".join(variants), problem)


def require_gpu(findings: list[Finding]) -> None:
    """Raise an UnavailableError that names all that is missing for a GPU, if anything is."""
    missing = [finding for finding in findings if finding.area == "gpu" and finding.found is None]
    if missing:
        names = ", ".join(finding.name for finding in missing)
        raise UnavailableError(f"no GPU can be used; missing: {names}", missing[0].hint)


def extras() -> Iterator[Finding]:
    """Yield the installed versions for each extra; it is missing if one of its libraries is."""
    libraries: dict[str, list[str]] = {}
    for line in metadata.requires(PACKAGE) or []:
        if match := EXTRA.fullmatch(line):
            libraries.setdefault(match[2], []).append(match[1])
    for name in libraries:
        versions = {library: _version(library) for library in libraries[name]}
        missing = [library for library, version in versions.items() if version is None]
        found = ", ".join(f"{library} {version}" for library, version in versions.items())
        yield Finding("extras", name, None if missing else found, _missing_extra(name, missing) if missing else "")


def data(folder: Path) -> Iterator[Finding]:
    """Yield the files of each of the five tables."""
    for name in TABLES:
        try:
            paths = locate(folder, TABLES[name])
        except PozytywkaError as error:
            yield Finding("data", name, None, f"{error.message}. {error.hint}")
            continue
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        found = f"{paths[0]}{more}, {sum(path.stat().st_size for path in paths):,} bytes" if paths else None
        yield Finding(
            "data", name, found, "" if found else f"Put it into {folder}, or name another folder with --data-dir."
        )


def artifacts(root: Path, plays: Path) -> Iterator[Finding]:
    """Yield the plays and the promoted version of each family."""
    found = str(plays) if plays.is_file() else None
    yield Finding("artifacts", "plays", found, "" if found else "Make them: `pozytywka transform`.")
    for family in registry.names():
        try:
            manifest = Store(root).load(family).manifest
            yield Finding("artifacts", family, f"{manifest.variant} {manifest.version}")
        except PozytywkaError as error:
            yield Finding("artifacts", family, None, f"{error.message}. {error.hint}")
        except OSError as error:
            yield Finding("artifacts", family, None, f"cannot read {error.filename}: {error.strerror}. Check the path.")


def _cores() -> str:
    """Return the usable cores of all cores, and the limit of a container, which may be a fraction of a core."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota, _, period = _text(CGROUP / "cpu.max").strip().partition(" ")
    share = f", limited to {int(quota) / int(period):g} by the container" if quota.isdigit() else ""
    return f"{usable} of {os.cpu_count()}{share}"


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, free = _text(CGROUP / "memory.max").strip(), _field(MEMINFO, "MemAvailable")
    usable = min(total, int(limit)) if limit.isdigit() else total
    return f"{usable / GIB:.1f} GiB" + (f", {1024 * int(free.split()[0]) / GIB:.1f} GiB free" if free else "")


def _field(path: Path, name: str) -> str:
    """Return the value of the first line `name: value` of a file in /proc; empty where there is none."""
    lines = _text(path).splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


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


def _torch(*, present: bool) -> Iterator[Finding]:
    """Yield torch's version and the CUDA version that it was built for."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        yield Finding("gpu", "torch's CUDA", None, "Install pozytywka again: it needs torch.")
        return
    built = runpy.run_path(str(Path(spec.origin).with_name("version.py")))
    yield Finding("gpu", "torch", built["__version__"])
    if built["cuda"] is None:
        yield Finding("gpu", "torch's CUDA", None, "Install a torch that was built for CUDA.")
    elif present and import_module("torch").cuda.is_available():
        yield Finding("gpu", "torch's CUDA", built["cuda"])
    else:
        yield Finding("gpu", "torch's CUDA", None, f"It was built for CUDA {built['cuda']}; see device.")


def _gpu_problem(family: Family) -> str:
    """Return why the libraries of a family cannot use the device; empty if they can."""
    try:
        family.require_gpu()
    except UnavailableError as error:
        return f"{error.message}. {error.hint}"
    return ""


def _missing_extra(extra: str, libraries: list[str]) -> str:
    """Return which variants need the missing libraries of an extra, and how to install it."""
    families = registry.chosen(None)
    names = [
        f"{one.name} {name}" for one in families for name, variant in one.variants.items() if variant.extra == extra
    ]
    needed = f" (needed by {', '.join(names)})" if names else ""
    return f"{', '.join(libraries)} not installed{needed}: `pip install '{PACKAGE}[{extra}]'`."


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
