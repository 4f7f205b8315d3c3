"""The similar-artists lookup: typos that are understood, and how long one answer takes from a cold start."""

import compileall
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import polars as pl

import pozytywka_cli
from benchmarks.figure import DATA, POZYTYWKA, Figure, ratio
from benchmarks.timing import command, in_turn
from pozytywka_cli.artifacts import Draft, Origin, Store
from pozytywka_cli.catalogue.names import key
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.similar.excluded import NOBODY, Rare
from pozytywka_cli.families.similar.model import Factors
from pozytywka_cli.families.similar.predict import Lookup

MILLION = 1_000_000
TYPOS = 2000
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PRIVATE = """
import sys
from pozytywka_cli.commands.boundary import run
run(sys.argv[1:])
lines = open("/proc/self/smaps_rollup").read().splitlines()
print(sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024, file=sys.stderr)
"""


def measured(scratch: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    names, listeners = _lastfm()
    small = _stored(scratch / "17k", names, listeners)
    heard, alike = (_misunderstood(small, names, weights) for weights in (listeners, [1] * len(names)))
    detail = f"names drawn by their listeners; {alike:.3f} where all are alike"
    yield Figure(f"share of {TYPOS:,} typos not understood among 17 k names", heard, 0.02, detail)
    more = MILLION - len(names)
    large = _stored(scratch / "1m", names + _invented(names, more), listeners + [0] * more)
    for artifacts, size, most in ((small, "17 k", 5), (large, "1 M", 400)):
        lookup = Lookup.open(Store(artifacts).load("similar"))
        took = _milliseconds(lookup, [asked for asked, _ in _typos(names, listeners)])
        yield Figure(f"a name with a typo among {size}: median, ms", took, most)
    # where Python may not write bytecode, each start would compile this package, which no installed one does
    compileall.compile_dir(Path(pozytywka_cli.__file__).parent, quiet=1)
    imports = command(sys.executable, "-c", "import typer, rich, numpy")
    # as many more are known by name alone, which an exact lookup hashes and opens too
    left_out = Rare.of(((name, 2) for name in _invented(names, len(names))), 3)
    small = _stored(scratch / "17k and 17k left out", names, listeners, left_out)
    for artifacts, size, most in ((small, "17 k", 2), (large, "1 M", 3)):
        exact = command(POZYTYWKA, "similar", "Rosetta", "--artifacts-dir", artifacts)
        cold = in_turn(exact, imports, runs=15)
        yield ratio(f"similar, exact, among {size} artists ÷ importing typer, rich and numpy", cold, most)
    words = [sys.executable, "-c", PRIVATE, "similar", "Rosetta", "--artifacts-dir", small]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    yield Figure("similar, exact, among 17 k: private memory, MB", float(told), 120)


def _lastfm() -> tuple[list[str], list[int]]:
    """All artists' names, and how many listeners each has."""
    folder = DATA / "lastfm"
    heard = pl.read_csv(folder / "lastfm_user_scrobbles.csv").group_by("artist_id").len()
    artists = pl.read_csv(folder / "lastfm_artist_list.csv").join(heard, on="artist_id", how="left")
    return artists["artist_name"].to_list(), artists["len"].fill_null(0).to_list()


def _invented(names: list[str], count: int) -> list[str]:
    """More names of the same words, as many words in each as in a real one."""
    drawn = random.Random(0)
    words = [word for name in names for word in name.split()]
    return [" ".join(drawn.choices(words, k=len(name.split()))) for name in drawn.choices(names, k=count)]


def _stored(folder: Path, names: list[str], listeners: list[int], rare: Rare = NOBODY) -> Path:
    """Artifacts of artists in random directions of 128 dimensions, as training writes them."""
    factors = np.random.default_rng(0).standard_normal((len(names), 128), dtype=np.float32)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    model = Factors.of(factors, np.array(listeners), [str(row) for row in range(len(names))], names, rare)
    store, origin = Store(folder), Origin("similar", "als", {}, 0, "cpu", None, [])
    store.promote("similar", store.save(origin, Draft("als", model.save, {}, [], *[""] * 5, {})).name)
    return folder


def _misunderstood(artifacts: Path, names: list[str], weights: Sequence[int]) -> float:
    """The share of typos for which another artist is found, or none."""
    lookup = Lookup.open(Store(artifacts).load("similar"))
    return sum(_found(lookup, asked) != key(meant) for asked, meant in _typos(names, weights)) / TYPOS


def _found(lookup: Lookup, asked: str) -> str | None:
    try:
        return key(lookup.find(asked).matched)
    except RefusedError:
        return None


def _typos(names: list[str], weights: Sequence[int]) -> list[tuple[str, str]]:
    """Names with one letter lost, added, replaced or swapped, as their keys tell, and what was meant."""
    drawn, found = random.Random(0), list[tuple[str, str]]()
    while len(found) < TYPOS:
        (meant,) = drawn.choices(names, weights)
        at, letter = drawn.randrange(len(meant)), drawn.choice(LETTERS)
        before, here, after = meant[:at], meant[at], meant[at + 1 :]
        edits = (after, letter + here + after, letter + after, after[:1] + here + after[1:])
        asked = before + drawn.choice(edits)
        if key(asked) != key(meant):
            found.append((asked, meant))
    return found


def _milliseconds(lookup: Lookup, asked: list[str]) -> float:
    """The median time of finding a name."""
    took = []
    for name in asked:
        started = perf_counter()
        _found(lookup, name)
        took.append(1000 * (perf_counter() - started))
    return median(took)
