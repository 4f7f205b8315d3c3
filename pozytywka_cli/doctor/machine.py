"""Check the CPU, memory and threads."""

import os
import platform
from pathlib import Path

from pozytywka_cli.doctor.finding import Finding

CGROUP = Path("/sys/fs/cgroup")  # limits of a container (cgroup version 2)
MEMINFO, CPUINFO = Path("/proc/meminfo"), Path("/proc/cpuinfo")
THREADS = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")
GIB = 2**30


def machine() -> list[Finding]:
    """Return the Python version, the CPU, the cores and memory that this process can use, and limits on its threads."""
    limits = [f"{name}={os.environ[name]}" for name in THREADS if os.environ.get(name)]
    return [
        Finding("machine", "python", platform.python_version()),
        Finding("machine", "cpu", _field(CPUINFO, "model name") or platform.processor() or platform.machine()),
        Finding("machine", "cores", _cores()),
        Finding("machine", "memory", _memory()),
        Finding("machine", "threads", ", ".join(limits) or "as many as cores"),
    ]


def _cores() -> str:
    """Return the usable cores of all cores, and the limit of a container, which may be a fraction of a core."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota, _, period = _limit("cpu.max").partition(" ")
    share = f", limited to {int(quota) / int(period):g} by the container" if quota.isdigit() else ""
    return f"{usable} of {os.cpu_count()}{share}"


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, free = _limit("memory.max"), _field(MEMINFO, "MemAvailable")
    usable = min(total, int(limit)) if limit.isdigit() else total
    return f"{usable / GIB:.1f} GiB" + (f", {1024 * int(free.split()[0]) / GIB:.1f} GiB free" if free else "")


def _limit(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:
        return ""


def _field(path: Path, name: str) -> str:
    """Return the value of the first line `name: value` of a file in /proc; empty where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
