"""Answers of versions that were prepared for a service."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.predictor import Answerer
from pozytywka_cli.pipeline import online

FRAMES_AND_TRAINING = {"polars", "pandas", "torch", "sklearn", "implicit"}
ANSWER = """
import sys
from pathlib import Path
import msgspec
from pozytywka_cli.artifacts import Store
from pozytywka_cli.pipeline import online
store = Store(Path(sys.argv[1]))
version = store.load(sys.argv[2], sys.argv[3])
_, answerer = online.open_answerer(store, version)
requests = msgspec.json.decode(sys.argv[4], type=list[answerer.Request])
answers = answerer.answer(requests)
print(msgspec.json.encode([answers, sorted({name.partition(".")[0] for name in sys.modules})]).decode())
"""


def answerer(version: Version, dataset: Dataset) -> Answerer:
    """The answerer of a version, after it was prepared."""
    online.prepare(version, dataset)
    return online.open_answerer(Store(version.folder.parents[2]), version)[1]


def as_json(rows: object) -> Any:
    """What a client gets of answers."""
    return json.loads(msgspec.json.encode(rows))


def predicted(frame: pl.DataFrame) -> Any:
    """The rows of a frame as a client gets them."""
    return as_json(frame.to_dicts())


def in_a_process(version: Version, requests: Sequence[msgspec.Struct]) -> tuple[Any, set[str]]:
    """The answers of a prepared version in a process of its own, and the packages that it imports."""
    names = [str(version.folder.parents[2]), version.manifest.family, version.name]
    command = [sys.executable, "-c", ANSWER, *names, msgspec.json.encode(requests).decode()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers, modules = json.loads(done.stdout)
    return answers, set(modules)
