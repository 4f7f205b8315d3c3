"""The lookup of similar artists: the share of corrected typos, and the time of one answer from a cold start."""

import compileall
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from pozytywka_cli.families.similar import FAMILY, card
from pozytywka_cli.families.similar.models import ppmi
from pozytywka_cli.families.similar.models.arrays import Weighted
from pozytywka_cli.families.similar.models.factors import NOBODY, Excluded, Factors
from pozytywka_cli.families.similar.predict import SimilarPredictor
from pozytywka_cli.families.similar.settings import SimilarSettings

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
    """Yield the figures."""
    names, listeners = _lastfm()
    small = _stored(scratch / "17k", names, listeners)
    by_listeners, alike = (_uncorrected(small, names, weights) for weights in (listeners, [1] * len(names)))
    detail = f"names drawn by their listeners; {alike:.3f} where all are alike"
    yield Figure(f"share of {TYPOS:,} typos not corrected among 17 k names", by_listeners, 0.02, detail)
    more = MILLION - len(names)
    large = _stored(scratch / "1m", names + _invented(names, more), listeners + [0] * more)
    for artifacts, size, most in ((small, "17 k", 5), (large, "1 M", 400)):
        lookup = SimilarPredictor(Factors.load(Store(artifacts).load("similar")))
        milliseconds = _milliseconds(lookup, [typo for typo, _ in _typos(names, listeners)])
        yield Figure(f"a name with a typo among {size}: median, ms", milliseconds, most)
    # where Python may not write bytecode, each start would compile this package, which no installed one does
    compileall.compile_dir(Path(pozytywka_cli.__file__).parent, quiet=1)
    imports = command(sys.executable, "-c", "import typer, rich, numpy")
    # with as many excluded artists, whose file an exact lookup hashes and opens too
    excluded = Excluded.counted(((name, 2) for name in _invented(names, len(names))), 3)
    small = _stored(scratch / "17k and 17k excluded", names, listeners, excluded)
    exact = [command(POZYTYWKA, "similar", "Rosetta", "--artifacts-dir", artifacts) for artifacts in (small, large)]
    for lookup, size, most in zip(exact, ("17 k", "1 M"), (2, 3), strict=True):
        cold = in_turn(lookup, imports, runs=15)
        yield ratio(f"similar, exact, among {size} artists ÷ importing typer, rich and numpy", cold, most)
    computed = _stored(scratch / "als", names, listeners, excluded, "als")
    als = command(POZYTYWKA, "similar", "Rosetta", "--artifacts-dir", computed)
    yield ratio("similar, exact, among 17 k artists: stored ÷ computed by als", in_turn(exact[0], als, runs=15), 1.05)
    words = [sys.executable, "-c", PRIVATE, "similar", "Rosetta", "--artifacts-dir", small]
    megabytes = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    yield Figure("similar, exact, among 17 k: private memory, MB", float(megabytes), 120)


def _lastfm() -> tuple[list[str], list[int]]:
    """Return the names of all artists, and the number of listeners of each."""
    folder = DATA / "lastfm"
    counts = pl.read_csv(folder / "lastfm_user_scrobbles.csv").group_by("artist_id").len()
    artists = pl.read_csv(folder / "lastfm_artist_list.csv").join(counts, on="artist_id", how="left")
    return artists["artist_name"].to_list(), artists["len"].fill_null(0).to_list()


def _invented(names: list[str], count: int) -> list[str]:
    """Return more names of the same words, each as long as a real one."""
    drawn = random.Random(0)
    words = [word for name in names for word in name.split()]
    return [" ".join(drawn.choices(words, k=len(name.split()))) for name in drawn.choices(names, k=count)]


def _stored(
    folder: Path, names: list[str], listeners: list[int], excluded: Excluded = NOBODY, variant: str = FAMILY.default
) -> Path:
    """Save artists in random directions of 128 dimensions, with as many random contexts and neighbours, as training."""
    factors = np.random.default_rng(0).standard_normal((len(names), 128), dtype=np.float32)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    model = Factors.of(factors, np.array(listeners), [str(row) for row in range(len(names))], names, excluded)
    if variant != "als":
        contexts = _random(len(names), ppmi.CONTEXTS, len(names))
        neighbours = _random(min(len(names), ppmi.MOST_SCORES // len(names)), ppmi.NEIGHBOURS, len(names))
        model = replace(model, contexts=contexts, neighbours=neighbours)
    store, origin = Store(folder), Origin("similar", variant, {}, 0, "cpu", None, [])
    draft = Draft(variant, model.save, {}, [], card.text(variant, SimilarSettings()))
    store.promote("similar", store.save(origin, draft).name)
    return folder


def _random(rows: int, columns: int, artists: int) -> Weighted:
    """Return random other artists of each row, with values of rows of length 1."""
    random = np.random.default_rng(0)
    others = random.integers(artists, size=(rows, columns), dtype=np.int32)
    return Weighted(others, np.full((rows, columns), columns**-0.5, dtype=np.float32))


def _uncorrected(artifacts: Path, names: list[str], weights: Sequence[int]) -> float:
    """Return the share of typos for which another artist is found, or none."""
    lookup = SimilarPredictor(Factors.load(Store(artifacts).load("similar")))
    return sum(_key_of_match(lookup, typo) != key(name) for typo, name in _typos(names, weights)) / TYPOS


def _key_of_match(lookup: SimilarPredictor, query: str) -> str | None:
    try:
        return key(lookup.find(query).matched)
    except RefusedError:
        return None


def _typos(names: list[str], weights: Sequence[int]) -> list[tuple[str, str]]:
    """Return names with one letter removed, added, replaced or swapped so that the key differs, and the right names."""
    drawn, typos = random.Random(0), list[tuple[str, str]]()
    while len(typos) < TYPOS:
        (name,) = drawn.choices(names, weights)
        at, letter = drawn.randrange(len(name)), drawn.choice(LETTERS)
        before, here, after = name[:at], name[at], name[at + 1 :]
        edits = (after, letter + here + after, letter + after, after[:1] + here + after[1:])
        typo = before + drawn.choice(edits)
        if key(typo) != key(name):
            typos.append((typo, name))
    return typos


def _milliseconds(lookup: SimilarPredictor, queries: list[str]) -> float:
    """Return the median time of finding a name."""
    times = []
    for name in queries:
        started = perf_counter()
        _key_of_match(lookup, name)
        times.append(1000 * (perf_counter() - started))
    return median(times)
