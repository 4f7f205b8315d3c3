"""A process that answers single skip requests from prepared files: `skip_answers.py ARTIFACTS REPORT`."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1"}  # before numpy is imported

import numpy as np

from pozytywka_cli.artifacts import Store
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.online import SkipAnswerer

PAIRS, TIMES = 256, 2000


def microseconds(answer: Callable[[int], object], times: int) -> float:
    """The median time of a call with a number that counts up."""
    seconds = []
    for number in range(times):
        started = time.perf_counter()
        answer(number)
        seconds.append(time.perf_counter() - started)
    return 1e6 * float(np.median(seconds))


def forgotten(answerer: SkipAnswerer) -> SkipAnswerer:
    """The answerer as it is after events of all users."""
    answerer.state._summaries.clear()
    return answerer


if __name__ == "__main__":
    artifacts, report = map(Path, sys.argv[1:])
    version = Store(artifacts).load("skip")
    started = time.perf_counter()
    ours = FAMILY.open_online(version, version.prepared, lambda: None)
    opened = time.perf_counter() - started
    assert isinstance(ours, SkipAnswerer)
    state, generator = ours.state, np.random.default_rng(0)
    users, tracks = generator.choice(state.users.ids, TIMES), generator.choice(state.catalogue.ids, TIMES)
    requests = [ours.Request(int(user), str(track)) for user, track in zip(users, tracks, strict=True)]
    ours.answer(requests)
    facts = {
        "open": opened,
        "one": microseconds(lambda number: ours.answer([requests[number]]), TIMES),
        "one_forgotten": microseconds(lambda number: forgotten(ours).answer([requests[number]]), TIMES),
        "many": microseconds(lambda _: forgotten(ours).answer(requests[:PAIRS]), 100) / PAIRS,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "bytes_per_user": (version.prepared / "users.npy").stat().st_size / len(state.users.known),
    }
    report.write_text(json.dumps(facts))
