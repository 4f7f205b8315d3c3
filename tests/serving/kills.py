"""Kill the service (SIGKILL) while clients write, and count what it had acknowledged and has lost.

    python -m tests.serving.kills --kills 50 --seed 0

A sample is made and skip is trained once. Each kill comes at a random moment; then the log of events and the database
of experiments are read. With `--durability request` nothing may be lost, with `batch` at most the last thousand.
`--database URL` uses another database than SQLite. Prints a summary; the exit code is 1 if more was lost.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from pozytywka_cli.commands.boundary import run
from pozytywka_cli.dataset.events import decode
from pozytywka_cli.experiments import database, lifecycle
from pozytywka_cli.serving.group_commit import MOST

from .running import WRITING, Service

CLIENTS, TOGETHER = 3, 7  # items of a request
EXPERIMENT = "kills"
SKIP = {"track_id": "dczz2w6ZePgcwax9Obp7Je"}
ALLOWED = {"request": 0, "batch": MOST}


class Written(NamedTuple):
    """How many were acknowledged, and how many of these are lost."""

    acknowledged: int
    lost: int


def create_experiment(folder: Path, url: str = "") -> None:
    """Create and start an experiment whose arms have the same model."""
    os.environ["POZYTYWKA_DATABASE_URL"] = url
    places = ["--artifacts-dir", str(folder / "artifacts"), "-q"]
    arms = ["--arm", "a=1@skip", "--arm", "b=1@skip"]
    assert run(["experiment", "create", EXPERIMENT, *arms, *places]) == 0
    assert run(["experiment", "start", EXPERIMENT, *places]) == 0


def killed(folder: Path, durability: str, seconds: float, first: int, url: str = "") -> tuple[Written, Written]:
    """Kill a service that writes for some seconds; return what became of events and of exposures.

    Users have the numbers from `first` on, each once.
    """
    service = Service(folder, "--durability", durability, "--no-access-log", database=url)
    numbers, events, exposures = count(first, TOGETHER), list[int](), list[int]()
    clients = [threading.Thread(target=_write, args=(service, numbers, events, exposures)) for _ in range(CLIENTS)]
    killer = threading.Timer(seconds, service.process.kill)
    for thread in (*clients, killer):
        thread.start()
    for thread in (*clients, killer):
        thread.join()
    service.kill()
    logged = {one.user_id for one in logged_events(service.data)}
    return Written(len(events), len(set(events) - logged)), Written(
        len(exposures), len(set(exposures) - exposed(service.artifacts, url))
    )


def _write(service: Service, numbers: "count[int]", events: list[int], exposures: list[int]) -> None:
    """Send events and requests of an experiment until the service is gone, and note what it has acknowledged."""
    with suppress(httpx.TransportError), httpx.Client(base_url=service.client.base_url, timeout=30) as client:
        for number in numbers:
            users = range(number, number + TOGETHER)
            if _sent(client, "/v1/events", [_event(user) for user in users]) == 202:
                events += users
            if (
                _sent(client, f"/v1/experiments/{EXPERIMENT}/predict", [SKIP | {"user_id": user} for user in users])
                == 200
            ):
                exposures += users


def _sent(client: httpx.Client, path: str, body: Any) -> int:
    return client.post(path, json=body, headers=WRITING).status_code


def _event(user: int) -> dict[str, Any]:
    return SKIP | {"timestamp": "2026-01-05T08:00:00Z", "user_id": user, "event_type": "PLAY", "session_id": 1}


def logged_events(data: Path) -> list[Any]:
    """Return the events of the log, without what the kill has left of a last line."""
    contents = [path.read_bytes() for path in sorted((data / "sessions").glob("events-*.jsonl"))]
    return [one for content in contents for one in decode(content[: content.rfind(b"\n") + 1])]


def exposed(artifacts: Path, url: str) -> set[int]:
    """Return the units in the database."""
    engine = database.connect(url, artifacts)
    try:
        stored = lifecycle.load(engine, EXPERIMENT)
        with database.reading(engine) as connection:
            chosen = database.exposures.select().where(database.exposures.c.experiment == stored.id)
            return {int(row.unit) for row in connection.execute(chosen)}
    finally:
        engine.dispose()


def main() -> int:
    """Make as many kills as wanted, by turns with both kinds of durability."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", default="")
    wanted = parser.parse_args()
    draw, totals, failed = random.Random(wanted.seed), dict[tuple[str, str], list[Written]](), False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        places = ["--data-dir", str(folder / "data"), "--artifacts-dir", str(folder / "artifacts"), "-q"]
        assert run(["-q", "sample", str(folder / "data"), "--users", "30", "--weeks", "30"]) == 0
        assert run(["train", "skip", "--variant", "user-rate", *places]) == 0
        create_experiment(folder, wanted.database)
        for number in range(2 * wanted.kills):
            durability = ("request", "batch")[number % 2]
            shutil.rmtree(folder / "data" / "sessions", ignore_errors=True)
            found = killed(folder, durability, draw.uniform(0.3, 1.5), 10**6 * (number + 1), wanted.database)
            for kind, written in zip(("events", "exposures"), found, strict=True):
                totals.setdefault((durability, kind), []).append(written)
                failed |= written.lost > ALLOWED[durability]
    for (durability, kind), all_of in totals.items():
        acknowledged, most = sum(one.acknowledged for one in all_of), max(one.lost for one in all_of)
        print(
            f"{durability:8} {kind:10} {len(all_of)} kills: {acknowledged:,} acknowledged, at most {most:,} lost in one"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
