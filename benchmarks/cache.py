"""The cache plan beside the tracks played most: never much worse on any edition, and better on generated samples."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import DATA, POZYTYWKA, Figure
from benchmarks.timing import command
from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.planning.cache import cache
from pozytywka_cli.planning.placement import Budgets
from pozytywka_cli.planning.replay import MOST_PLAYED, PLAN, PRESENT, Backtest
from pozytywka_cli.planning.storage import FAST, load_storage
from pozytywka_cli.records import silent

SHARES = (0.01, 0.03, 0.1, 0.3)  # of what all tracks in FAST would cost
MOST_WORSE = 0.01  # of the plays
SAMPLES = range(3)  # seeds


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    for edition in ("2023", "2024"):
        yield from beside_most_played(edition, DATA / f"pozytywka-{edition}", scratch / edition)
    for seed in SAMPLES:
        folder = scratch / f"sample {seed}"
        write_sample(folder, users=120, weeks=40, seed=seed, report=silent)
        yield from beside_most_played(f"sample {seed}", folder, scratch / f"artifacts {seed}", better=True)
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", scratch / "2024")
    planned = command(POZYTYWKA, "-q", "plan", "cache", "--fast-budget", "20", "--json", *folders)()
    yield Figure("plan cache on 2024: seconds", planned.seconds, 120, f"{planned.megabytes:,.0f} MB")


def beside_most_played(name: str, data: Path, artifacts: Path, *, better: bool = False) -> Iterator[Figure]:
    """Yield by how many of the plays the plan serves fewer from FAST than the tracks played most, at each budget.

    The budgets are what FAST costs now, a tenth and ten times of that, and shares of what all tracks in it would cost.
    With `better`, the last figure is the mean over the budgets, which must be below 0.
    """
    command(POZYTYWKA, "-q", "train", "skip", "--data-dir", data, "--artifacts-dir", artifacts)()
    dataset = load(data, artifacts / "plays.parquet", print)
    storage = load_storage(data, dataset, print)
    fast = storage.costs(FAST)
    now = float(fast[storage.are_in(FAST)].sum())
    budgets = [factor * now for factor in (0.1, 1, 10)] + [share * float(fast.sum()) for share in SHARES]
    replay = cache(Store(artifacts).load("skip"), dataset, storage, Budgets(now), silent).replay
    assert replay is not None
    worse = []
    for budget in (one for one in budgets if one >= fast.min()):
        found = {one.policy: one for one in replay.backtest(budget)}
        worse.append(-found[MOST_PLAYED].behind)
        title = f"plan cache on {name}, budget {budget:.3g}: worse than most played by"
        yield Figure(title, worse[-1], MOST_WORSE, _detail(found))
    if better:
        yield Figure(f"plan cache on {name}: the same, mean over budgets", sum(worse) / len(worse), 0)


def _detail(found: dict[str, Backtest]) -> str:
    """Return the shares of plays, and the interval of the difference."""
    plan, most, present = (found[policy] for policy in (PLAN, MOST_PLAYED, PRESENT))
    low, high = (float("nan") if bound is None else 100 * bound for bound in (most.behind_low, most.behind_high))
    shares = ", ".join(f"{one.policy} {one.plays_served:.1%}" for one in (plan, most, present))
    return f"{shares}; plan − most played {low:+.1f} to {high:+.1f} points"
