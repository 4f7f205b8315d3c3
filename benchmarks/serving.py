"""The service over the loopback, beside an empty route on the same server, in one run."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import polars as pl

from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure
from benchmarks.timing import command

EDITION = DATA / "pozytywka-2023"
SCRIPT = HERE / "load.lua"
MEGABYTE = 1024  # in the kilobytes of /proc
SECONDS = 4  # of a load
MANY = 256  # pairs of one request
TICKS = os.sysconf("SC_CLK_TCK")


class Load(NamedTuple):
    """What a number of requests took: CPU of the server (µs a request), requests a second, latencies (ms)."""

    cpu: float
    rate: float
    median: float
    p99: float


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: `apt-get install wrk`")
    folders = ("--data-dir", EDITION, "--artifacts-dir", scratch)
    command(POZYTYWKA, "-q", "train", *folders)()
    pairs, many = _bodies(scratch)
    started = time.perf_counter()
    with _running(POZYTYWKA, "serve", "--port", "8931", *folders) as service, httpx.Client() as client:
        while not _is_ready(client):
            time.sleep(0.01)
        yield Figure("serve on 2023, start to ready: seconds", time.perf_counter() - started, 2)
        yield Figure("the same: MB of the process", _megabytes(service), 120)
        server = (sys.executable, "-m", "uvicorn", "benchmarks.empty_app:app", "--port", "8932")
        with _running(*server, "--no-access-log", "--log-level", "warning") as empty_server:
            time.sleep(2)
            empty, skip = _load(empty_server, 8932, "empty", 16), _load(service, 8931, "v1/skip", 16, pairs)
            alone = [
                (_load(empty_server, 8932, "empty", 1), _load(service, 8931, "v1/skip", 1, pairs)) for _ in range(3)
            ]
            empty_alone, skip_alone = (min(runs) for runs in zip(*alone, strict=True))  # by CPU
        detail = f"{skip.cpu:.0f} and {empty.cpu:.0f} µs a request"
        yield Figure("skip, one pair, 16 at a time: CPU / CPU of an empty route", skip.cpu / empty.cpu, 4, detail)
        detail = f"{skip_alone.cpu:.0f} and {empty_alone.cpu:.0f} µs a request"
        yield Figure("the same, one at a time", skip_alone.cpu / empty_alone.cpu, 4, detail)
        detail = f"{skip.rate:,.0f} requests/s; empty route {empty.rate:,.0f}"
        yield Figure("skip, 16 at a time: requests/s under 1,500 by", max(0.0, 1500 - skip.rate), 0, detail)
        yield Figure("the same: p99 in ms", skip.p99, 40, f"empty route {empty.p99:.1f} ms")
        together = _load(service, 8931, "v1/skip", 1, many)
        yield Figure(f"skip, {MANY} pairs in one request: median ms", together.median, 15)
        similar = _load(service, 8931, "v1/similar/Metallica", 16)
        detail = f"{similar.cpu:.0f} µs a request, {similar.rate:,.0f} requests/s"
        yield Figure("similar, 16 at a time: CPU / CPU of an empty route", similar.cpu / empty.cpu, 6, detail)
        recommend = _load(service, 8931, "v1/recommend/101", 1)
        yield Figure("recommend for one user: median ms", recommend.median, 20, f"p99 {recommend.p99:.1f} ms")
        yield Figure("serve on 2023 after all this: MB of the process", _megabytes(service), 120)


def _bodies(scratch: Path) -> tuple[Path, Path]:
    """Write pairs of users and tracks, drawn at random: one in a line, and many in a line."""
    draw = random.Random(0)
    users = pl.read_ndjson(EDITION / "users.jsonl")["user_id"].to_list()
    tracks = pl.read_ndjson(EDITION / "tracks.jsonl")["id"].to_list()
    pairs = [{"user_id": draw.choice(users), "track_id": draw.choice(tracks)} for _ in range(40 * MANY)]
    one, many = scratch / "pairs.jsonl", scratch / "many.jsonl"
    one.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    many.write_text("".join(json.dumps(pairs[at : at + MANY]) + "\n" for at in range(0, len(pairs), MANY)))
    return one, many


@contextmanager
def _running(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with one thread for computations."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [str(one) for one in arguments],
        cwd=HERE.parent,
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("http://127.0.0.1:8931/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _load(server: subprocess.Popen[bytes], port: int, path: str, at_once: int, bodies: Path | None = None) -> Load:
    """Ask a route for some seconds, after one to warm up."""
    url, more = f"http://127.0.0.1:{port}/{path}", ["--", bodies] if bodies else []
    for seconds in (1, SECONDS):
        before = _cpu_seconds(server)
        arguments = ["wrk", "-t1", f"-c{at_once}", f"-d{seconds}s", "--latency", "-s", SCRIPT, url, *more]
        printed = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, check=True).stdout
        cpu = _cpu_seconds(server) - before
    if "Non-2xx" in printed:
        sys.exit(f"{url}: {printed}")
    answered, rate = (
        float(re.search(rf"{pattern}", printed)[1]) for pattern in (r"(\d+) requests in", r"sec:\s+([\d.]+)")
    )
    return Load(1e6 * cpu / answered, rate, _latency(printed, "50%"), _latency(printed, "99%"))


def _latency(printed: str, share: str) -> float:
    """Return a latency in milliseconds."""
    value, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", printed).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def _cpu_seconds(server: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _megabytes(server: subprocess.Popen[bytes]) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())
    assert found
    return int(found[1]) / MEGABYTE
