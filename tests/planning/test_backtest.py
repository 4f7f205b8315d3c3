"""The backtest: plans of past weeks, made without them and compared with actual listening."""

from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from pozytywka_cli.artifacts.manifest import Manifest
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import split
from pozytywka_cli.families.weekly.trends import trends
from pozytywka_cli.planning.payouts import Rule
from pozytywka_cli.planning.rates import BASELINES, PLAN, Backtest, backtest, plans
from pozytywka_cli.records import silent

RULE = Rule(100_000, floor=100, premium=0.2, cut=0.2)


def series_of(listened: np.ndarray) -> Series:
    """A series of `listened` (artists, weeks) in s, made of listens of 200 s."""
    weeks = [date(2025, 1, 6) + timedelta(weeks=week) for week in range(listened.shape[1])]
    return Series([f"artist {row}" for row in range(len(listened))], weeks, listened, listened * 200.0)


def manifest_of(variant: str, horizon: int = 1) -> Manifest:
    """The part of a manifest that a backtest reads."""
    settings = msgspec.to_builtins(WeeklySettings(epochs=2, hidden=8, horizon=horizon))
    common = {"format": 2, "family": "weekly", "version": "v", "created": "", "device": "cpu", "seed": 0}
    empty = {name: [] for name in ("inputs", "metrics", "notes")}
    tables = {name: {} for name in ("libraries", "signature", "files")}
    none = {"parent": None, "until": None, "gate": None}
    return Manifest(variant=variant, settings=settings, fingerprint="", **common, **empty, **tables, **none)


@pytest.mark.parametrize("variant", ["legacy-lstm", "last", "mean4", "SES"])
def test_no_plan_uses_the_week_that_it_pays_for(variant: str) -> None:
    """If the weeks from one on are altered, its pay-outs and all before are the same; the next ones differ.

    That week makes two artists rise, whose premium would show if trends used it; the first artist has risen before,
    so that a trend or a fit on all weeks would show, too.
    """
    random = np.random.default_rng(3)
    listened = random.gamma(50, 1, (8, 40)) * random.uniform(20, 400, (8, 1))
    listened[0, 30:] *= 4
    altered = listened.copy()
    altered[0, 36:] /= 4
    altered[6:, 36:] *= 50
    one, other = (
        plans(manifest_of(variant), split(series_of(given), 13), RULE, silent) for given in (listened, altered)
    )
    assert (trends(series_of(altered).before(36))[6:] == "steady").all()
    assert (trends(series_of(altered).before(37))[6:] == "rising").all()
    known = 36 - 27 + 1  # of the 13 weeks from number 27 on, those whose plans see none that was altered
    for by in (PLAN, *BASELINES):
        np.testing.assert_array_equal(one[by][:, :known], other[by][:, :known])
        assert (one[by][:, known] != other[by][:, known]).any()


def test_a_longer_horizon_needs_more_weeks() -> None:
    """Of 57 weeks, 44 are left to fit a horizon of 13 weeks to; each week is planned from the week before it."""
    listened = np.random.default_rng(3).gamma(50, 20, (8, 57))
    manifest = manifest_of("lstm", horizon=13)
    assert backtest(manifest, series_of(listened), RULE, silent)[0].weeks == 13
    with pytest.raises(RefusedError, match="only 56 full weeks of plays; lstm needs at least 57"):
        backtest(manifest, series_of(listened[:, 1:]), RULE, silent)


def test_a_backtest_by_hand() -> None:
    """Two artists change places in the last of four paid weeks."""
    listened = np.array([[3.0] * 11 + [1.0], [1.0] * 11 + [3.0]]) * 1000
    found = backtest(manifest_of("last"), series_of(listened), Rule(100_000), silent)
    # 750 and 250 were planned each week, and right but for the last, in which 500 went to the wrong one
    assert found[0] == Backtest(PLAN, weeks=4, artists=2, absolute_error=250.0 / 2, misallocated=500 / 4)
    assert [one.by for one in found] == [PLAN, *BASELINES]
    assert found[1] == msgspec.structs.replace(found[0], by="last week")


def test_a_level_that_does_not_change_is_paid_without_an_error() -> None:
    """By every rule."""
    listened = np.repeat([[100.0], [300.0], [600.0]], 20, axis=1)
    found = backtest(manifest_of("mean"), series_of(listened), Rule(99_999), silent)
    assert {(one.weeks, one.artists, one.absolute_error, one.misallocated) for one in found} == {(6, 3, 0.0, 0.0)}


def test_on_noise_the_mean_of_all_weeks_is_cheaper_than_the_last() -> None:
    """A level is estimated better from many weeks than from one."""
    random = np.random.default_rng(5)
    listened = 200.0 * random.poisson(random.uniform(2, 20, (50, 1)), (50, 60))
    found = {one.by: one for one in backtest(manifest_of("mean"), series_of(listened), Rule(1_000_000), silent)}
    assert found[PLAN].absolute_error == found["mean of all weeks"].absolute_error
    assert found[PLAN].absolute_error < found["mean of 4 weeks"].absolute_error < found["last week"].absolute_error


def test_premium_and_cut_are_measured_against_plain_listening() -> None:
    """A premium for rising artists is money that listening would not have paid."""
    random = np.random.default_rng(6)
    listened = 200.0 * random.poisson(20, (40, 60))
    listened[:5, 50:] *= 4
    plain, bonus = (
        backtest(manifest_of("mean4"), series_of(listened), Rule(1_000_000, premium=premium), silent)
        for premium in (0.0, 1.0)
    )
    assert bonus[0].misallocated > plain[0].misallocated
    assert bonus[1:] == plain[1:]
