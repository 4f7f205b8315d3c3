"""Opens a version of recommend and times requests: `recommend_requests.py DATA ARTIFACTS VARIANT REPORT`."""

import json
import os
import sys
import time
from pathlib import Path

os.environ |= {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}  # before polars is imported

import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.pipeline.predict import opened
from pozytywka_cli.pipeline.versions import of_variant

REQUESTS = 100  # users that are asked about one by one

if __name__ == "__main__":
    data, artifacts = Path(sys.argv[1]), Path(sys.argv[2])
    dataset, store = load(data, artifacts / "plays.parquet", print), Store(artifacts)
    started = time.perf_counter()
    predictor = opened(store, of_variant(store, "recommend", sys.argv[3]), dataset)
    users = predictor.default_requests()
    predictor.predict(users[:1])  # computes what the variant needs once
    opening = time.perf_counter() - started
    started = time.perf_counter()
    batch = predictor.predict(users)
    everyone = time.perf_counter() - started
    seconds, different = [], 0
    for row in range(REQUESTS):
        started = time.perf_counter()
        answer = predictor.predict(users[row])
        seconds.append(time.perf_counter() - started)
        different += not answer.equals(batch.filter(pl.col("user_id") == users["user_id"][row]))
    milliseconds = 1000 * np.array(seconds)
    median, high = float(np.median(milliseconds)), float(np.quantile(milliseconds, 0.95))
    facts = {"open": opening, "one": median, "high": high, "all": everyone, "users": len(users), "different": different}
    Path(sys.argv[4]).write_text(json.dumps(facts))
