"""The average over stumps, beside one that is computed hypothesis by hypothesis."""

from itertools import product

import numpy as np
import pytest
from scipy.special import betaln, expit

from pozytywka_cli.families.skip.features.attributes import BINS, SIDED
from pozytywka_cli.families.skip.features.history import Past
from pozytywka_cli.families.skip.features.logistic import logit
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.stumps import Prior, stump_average

from .worlds import dataset, features, listeners, parameters, tracks

RATE, STRENGTH = 0.3, 2.0
A, B = STRENGTH * RATE, STRENGTH * (1 - RATE)


def drawn(seed: int, plays: int, premium: float = 0.4) -> tuple[Past, dict[str, np.ndarray], np.ndarray]:
    """One user's plays, of which each row knows all before it; every seventh ends the one before by its own start."""
    generator = np.random.default_rng(seed)
    bins = {name: generator.integers(0, BINS + 1, plays).astype(np.uint8) for name in SIDED}
    skipped = generator.random(plays) < np.where(bins[SIDED[0]] < 9, 0.8, 0.1)
    number = np.arange(plays)
    pending = np.where((number % 7 == 6) & ~skipped[number - 1], number - 1, -1)
    end = np.where(pending >= 0, number - 1, number)
    past = Past(skipped, number, np.zeros(plays, np.int64), end, pending)
    return past, bins, np.sort(generator.random(plays)) > 1 - premium


def averaged(past: Past, bins: dict[str, np.ndarray], premium: np.ndarray) -> np.ndarray:
    """The average for every play as a row."""
    codes = {name: (values, values) for name, values in bins.items()}
    return stump_average(past, codes, (premium, premium), Prior(RATE, STRENGTH, len(premium)))


def by_hand(row: int, past: Past, bins: dict[str, np.ndarray], premium: np.ndarray) -> float:
    """Each hypothesis puts every play into a cell; its weight is its prior times the evidence of all cells."""
    known = [*range(past.end[row]), *([past.pending[row]] if past.pending[row] >= 0 else [])]
    weights, rates = [], []
    for matters, split in product((False, True), (None, *product(SIDED, range(BINS - 1)))):

        def cell(play: int, matters: bool = matters, split: tuple[str, int] | None = split) -> tuple[int, bool]:
            if split is None:
                side = 0
            else:
                own = bins[split[0]][play]
                side = 2 if own == BINS else int(own > split[1])
            return side, bool(matters and premium[play])

        cells: dict[tuple[int, bool], list[bool]] = {}
        for play in known:
            cells.setdefault(cell(play), []).append(bool(past.skipped[play]))
        prior = (0.3 if matters else 0.7) * (0.5 if split is None else 0.5 / 69)
        evidence = sum(betaln(A + sum(one), B + len(one) - sum(one)) - betaln(A, B) for one in cells.values())
        mine = cells.get(cell(row), [])
        weights.append(prior * np.exp(evidence))
        rates.append((A + sum(mine)) / (A + B + len(mine)))
    return float(logit(np.average(rates, weights=weights)))


@pytest.mark.parametrize("seed", range(3))
def test_every_hypothesis_weighs_by_its_prior_and_how_well_it_explains_the_known_plays(seed: int):
    """Also for plays and rows whose attribute is unknown, and before and after a purchase."""
    past, bins, premium = drawn(seed, 60)
    average = averaged(past, bins, premium)
    assert average == pytest.approx([by_hand(row, past, bins, premium) for row in range(60)], abs=1e-9)
    assert np.ptp(average) > 1


def test_without_plays_it_is_the_rate_of_the_training_plays():
    """Whatever the track."""
    past, bins, premium = drawn(0, 20)
    assert averaged(past, bins, premium)[0] == logit(RATE)


def test_with_many_plays_it_finds_the_threshold():
    """The user skips .8 of the plays in the first nine bins of an attribute, and .1 of the others."""
    past, bins, premium = drawn(1, 3000, premium=0)
    probability = expit(averaged(past, bins, premium))[2500:]
    below = bins[SIDED[0]][2500:] < 9
    assert probability[below].mean() == pytest.approx(0.8, abs=0.05)
    assert probability[~below].mean() == pytest.approx(0.1, abs=0.05)


def test_rows_alone_and_together_are_averaged_alike():
    """To the last bit, wherever in the batch a row is."""
    past, bins, premium = drawn(2, 600)
    together = averaged(past, bins, premium)
    for row in range(0, 600, 41):
        one = Past(past.skipped, past.order, past.first[[row]], past.end[[row]], past.pending[[row]])
        codes = {name: (values, values[[row]]) for name, values in bins.items()}
        alone = stump_average(one, codes, (premium, premium[[row]]), Prior(RATE, STRENGTH, int(one.size.max())))
        assert alone.tobytes() == together[[row]].tobytes()


def test_what_was_skipped_before_a_purchase_tells_less_about_what_comes_after():
    """A user who skipped everything until then, and nothing since, is hardly expected to skip."""
    given = listeners(0, users=1, each=80, persona=False)
    plays = given.plays.sort("started_at").with_row_index("number")
    plays = plays.with_columns(skipped=plays["number"] < 40).drop("number")
    bought = dataset(plays, tracks(80, 0), bought={0: plays["started_at"][40]})
    without = dataset(plays, tracks(80, 0))
    last = [features(PlayLog.of(one).plays, one, parameters(one.tracks))[-1] for one in (bought, without)]
    proven, pooled = (float(expit(one["stump_average"].item())) for one in last)
    assert proven < 0.1
    assert pooled > proven + 0.1
