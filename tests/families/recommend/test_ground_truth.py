"""Recommendations against the truth of a sample."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.dataset.sample.truth import expected_full_plays
from pozytywka_cli.families.recommend import FAMILY, ground_truth
from pozytywka_cli.families.recommend.features.frames import collect_tracks, track_numbers
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.records import Row

from .trained import VARIANTS, run


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path]:
    """80 users and 30 weeks, and their truth."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "data", users=80, weeks=30)
    return load(folder / "data", folder / "plays.parquet", lambda _: None), folder / "data" / "truth"


@pytest.fixture(scope="module")
def rows(sample: tuple[Dataset, Path]) -> list[Row]:
    """Every variant beside the truth, without a skip model."""
    return FAMILY.ground_truth(*sample, run())


def by_variant(rows: list[Row], metric: str) -> dict[str, Row]:
    return {row.variant: row for row in rows if row.metric == metric}


def test_every_variant_stands_beside_the_truth(rows: list[Row]):
    """Preference asks the skip model, which is missing; nothing gains more than the truth."""
    plays, shares = (by_variant(rows, metric) for metric in ("expected_full_plays", "share_of_oracle"))
    others = [one for one in VARIANTS if one != "preference"]
    assert list(plays) == [*others, "truth"]
    assert list(shares) == others
    assert max(plays, key=lambda one: plays[one].value) == "truth"
    assert {row.protocol for row in rows} == {"ground truth"}
    assert {row.metric for row in rows} <= set(FAMILY.metrics)


def test_random_tracks_gain_nothing(rows: list[Row]):
    """On average; what is popular gains something, as does what is personal."""
    shares = by_variant(rows, "share_of_oracle")
    assert abs(shares["random"].value) < 0.05
    assert shares["popular"].low is not None
    assert shares["popular"].low > 0
    assert shares["als"].value > 0.1


class Oracle:
    """Scores that the truth gives, by user."""

    def __init__(self, expected: np.ndarray, users: dict[int, int]) -> None:
        self.expected, self.users = expected, users

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[np.ndarray]:
        return (self.expected[self.users[profile.user]].astype(float) for profile in profiles)


def test_the_list_of_the_oracle_has_the_whole_share(sample: tuple[Dataset, Path], monkeypatch: pytest.MonkeyPatch):
    """And the worst list, that of the same scores upside down, less than nothing."""
    data, truth = sample
    test = Outcomes.of(split(data, 30).test, collect_tracks(data))
    first, last = test.split.known.cut.date(), test.split.later["started_at"].max().date()
    known = expected_full_plays(truth, *map(ground_truth._monday_after, (first, last)))
    order = track_numbers(test.history.tracks, data.tracks["id"])
    assert known.track_ids == data.tracks["id"].to_list()
    expected = np.zeros((len(known.user_ids), len(test.history.tracks)))
    expected[:, order] = known.expected
    users = {user: row for row, user in enumerate(known.user_ids)}
    made = {name: Ranker(test.history, Oracle(sign * expected, users)) for name, sign in (("best", 1), ("worst", -1))}
    monkeypatch.setattr(ground_truth, "rankers", lambda *_: made)
    found = FAMILY.ground_truth(data, truth, run("popular"))
    shares, plays = (by_variant(found, metric) for metric in ("share_of_oracle", "expected_full_plays"))
    assert shares["best"].value == pytest.approx(1)
    assert plays["best"].value == pytest.approx(plays["truth"].value)
    assert shares["worst"].value < 0


def test_what_a_user_has_heard_is_expected_of_nobody(sample: tuple[Dataset, Path]):
    """All other tracks of the sample have some plays to expect."""
    data, truth = sample
    test = Outcomes.of(split(data, 30).test, collect_tracks(data))
    rows = test.users(new=True)
    gains = ground_truth._new_tracks(test, rows, truth)
    assert gains.shape == (len(rows), len(test.history.tracks))
    assert ((gains > 0) == (test.history.heard[rows].toarray() == 0)).all()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 1, 6), date(2025, 1, 6)),
        (date(2025, 1, 7), date(2025, 1, 13)),
        (date(2025, 1, 12), date(2025, 1, 13)),
    ],
)
def test_weeks_begin_on_mondays(day: date, expected: date):
    """The day itself, or the next one."""
    assert ground_truth._monday_after(day) == expected
