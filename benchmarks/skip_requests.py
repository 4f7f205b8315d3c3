"""A process that opens a skip version and times requests on one thread: `skip_requests.py DATA ARTIFACTS REPORT`."""

import json
import os
import sys
import time
from pathlib import Path

os.environ |= {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before polars is imported

import numpy as np

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.skip import FAMILY

REQUESTS = 200

if __name__ == "__main__":
    data, artifacts, report = map(Path, sys.argv[1:])
    dataset = load(data, artifacts / "plays.parquet", print)
    version = Store(artifacts).load("skip")
    started = time.perf_counter()
    predictor = FAMILY.open(version, dataset)
    opened = time.perf_counter() - started
    requests = predictor.default_requests().sample(REQUESTS + 1, shuffle=True, seed=0)
    started = time.perf_counter()
    predictor.state  # noqa: B018 - many requests about now build it
    built = time.perf_counter() - started
    moments = predictor.predict(requests)["at"]
    batch = predictor.predict(requests.with_columns(moments))  # with moments: from the log, not from the state
    seconds, different = [], 0
    for row in range(len(requests)):
        started = time.perf_counter()
        answer = predictor.predict(requests[row])
        seconds.append(time.perf_counter() - started)
        different += not answer.equals(batch[row])
    milliseconds = 1000 * np.array(seconds[1:])  # without the first, which fills caches
    median, high = float(np.median(milliseconds)), float(np.quantile(milliseconds, 0.95))
    facts = {"open": opened, "state": built, "median": median, "detail": f"95 %: {high:.0f} ms", "different": different}
    report.write_text(json.dumps(facts))
