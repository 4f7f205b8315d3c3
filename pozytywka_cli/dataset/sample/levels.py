"""Draw how many plays of every artist to expect in every week."""

import numpy as np

from pozytywka_cli.dataset.sample.random_draws import Floats, Texts

KINDS = ("flat", "trending", "seasonal", "autoregressive")
WEEKS_A_YEAR = 52
MEMORY, SPREAD = 0.9, 0.4  # of the autoregressive log level: lag-one correlation, stationary standard deviation


def weekly_rates(rng: np.random.Generator, fame: Floats, weeks: int, plays: float) -> tuple[Floats, Texts]:
    """Return expected plays (artists, weeks), `plays` in all, and the kind (artists,) of each, equally many of each."""
    count = len(fame)
    kind = rng.permutation(np.arange(count) % len(KINDS))
    levels = np.stack(
        [
            np.ones((count, weeks)),
            _trending(rng, count, weeks),
            _seasonal(rng, count, weeks),
            _autoregressive(rng, count, weeks),
        ]
    )
    rates = fame[:, None] * levels[kind, np.arange(count)]
    return rates * (plays / rates.sum()), np.array(KINDS)[kind]


def _trending(rng: np.random.Generator, count: int, weeks: int) -> Floats:
    change = rng.choice([-1.0, 1.0], (count, 1)) * rng.uniform(0.5, 1.5, (count, 1))  # of the log, over all weeks
    return np.exp(change * np.linspace(-0.5, 0.5, weeks))


def _seasonal(rng: np.random.Generator, count: int, weeks: int) -> Floats:
    phase, swing = rng.random((count, 1)), rng.uniform(0.4, 0.8, (count, 1))
    return 1 + swing * np.sin(2 * np.pi * (np.arange(weeks) / WEEKS_A_YEAR + phase))


def _autoregressive(rng: np.random.Generator, count: int, weeks: int) -> Floats:
    shocks = rng.normal(0.0, SPREAD, (weeks, count))
    level = shocks.copy()
    for week in range(1, weeks):
        level[week] = MEMORY * level[week - 1] + np.sqrt(1 - MEMORY**2) * shocks[week]
    return np.exp(level.T - SPREAD**2 / 2)
