"""A device whose clock was reset changes nothing for others."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.loading import Dataset, without_strays
from pozytywka_cli.dataset.tables import EVENTS
from pozytywka_cli.dataset.transform import to_plays
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.models import fit
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings

USERS, WEEKS = 4, 6
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
DECADE = timedelta(days=3652)
TRACKS = pl.DataFrame(
    [(f"track {user}", f"artist {user}", 100_000 + user) for user in range(USERS)],
    schema=["id", "id_artist", "duration_ms"],
    orient="row",
)
# every user plays a track of an artist of their own early and late on each day, and skips now and then
LOG = [
    (MONDAY + timedelta(days=day, minutes=minute + user), user, f"track {user}", event, day)
    for day in range(7 * WEEKS)
    for user in range(USERS)
    for minute, event in ((1, "PLAY"), (2, "SKIP"), (23 * 60 + 50, "PLAY"))
    if event == "PLAY" or (day + user) % 3 == 0
]
SCHEMA = {
    "timestamp": pl.Datetime("us", "UTC"),
    "user_id": pl.Int64,
    "track_id": pl.String,
    "event_type": pl.Enum(EVENTS),
    "session_id": pl.Int64,
}


def loaded(log: list[tuple[datetime, int, str, str, int]], messages: list[str]) -> Dataset:
    """The dataset of a log, as the commands load it."""
    plays = to_plays(pl.DataFrame(log, schema=SCHEMA, orient="row"), TRACKS).plays
    nothing = pl.DataFrame(schema={"user_id": pl.Int64, "purchased_at": pl.Datetime("us", "UTC")})
    return without_strays(Dataset(plays, nothing, nothing, nothing, TRACKS), messages.append)


def forecasts(dataset: Dataset, variant: str) -> dict[str, float]:
    """The forecast of each artist's next week, in seconds."""
    history = series(dataset)
    model, _ = fit.fit(variant, history, TrainingRun(WeeklySettings(), variant), log_weeks=len(history.weeks))
    return dict(zip(history.artist_ids, model.forecast(history, 1).mean[:, 0].tolist(), strict=True))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, USERS - 1), st.data())
def test_the_forecasts_of_others_do_not_change(user: int, data: st.DataObject) -> None:
    """Any events of one user may be a decade early: forecasts of artists of other users change by 1 % at most.

    But for the mixture: one of these four artists is a quarter of its index.
    """
    moved = data.draw(st.sets(st.sampled_from([number for number, event in enumerate(LOG) if event[1] == user])))
    log = [(at - DECADE * (number in moved), *rest) for number, (at, *rest) in enumerate(LOG)]
    messages: list[str] = []
    expected, dataset = loaded(LOG, messages), loaded(log, messages)
    assert len(messages) <= 1
    for variant, most in {"mean": 0.01, "mean4": 0.01, "mixture": 0.05}.items():
        before, after = forecasts(expected, variant), forecasts(dataset, variant)
        others = before.keys() - {f"artist {user}"}
        assert {artist: after[artist] for artist in others} == pytest.approx(
            {artist: before[artist] for artist in others}, rel=most
        )
