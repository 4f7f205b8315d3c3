"""How often users would skip what they are offered, beside how often they skipped what they played."""

from collections.abc import Mapping

import numpy as np

from pozytywka_cli.evaluation import SHARE, Floats, Ints, interval, mean_interval, paired_difference
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import lists
from pozytywka_cli.families.recommend.metrics import SHOWN
from pozytywka_cli.families.recommend.models.completion import Completion
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.records import Row

PROTOCOL, PLAYED = "skips", "what was played"
MOST_WEIGHT = 10.0  # of a play, in mean weights


def skip_rates(test: Outcomes, made: Mapping[str, Ranker], completion: Completion) -> list[Row]:
    """Return the skip rates of 20 new tracks of each variant, and of what users played in the test part.

    Both estimates are off-policy: nobody was offered these lists. expected_skip_rate is the mean of the skip model over
    users and tracks, and so is its difference to that of the tracks that the user then played. weighted_skip_rate is
    the share of skips among plays of the test part of tracks that would have been offered, each weighted by the inverse
    of the track's share of all plays, which stands for how likely it was to be played anyway, weights clipped and
    normalised (Swaminathan and Joachims, 2015). It is missing where no such track was played.
    """
    rows, plays = test.users(new=True), test.plays_after()
    places = [np.flatnonzero(plays.row == row) for row in rows]
    played = _expected(test, completion, rows, [plays.track[own] for own in places])
    result = [
        Row("recommend", PLAYED, PROTOCOL, "expected_skip_rate", *mean_interval(played, rows, limits=SHARE)),
        _observed(plays.skipped.astype(float), np.ones(len(plays.row)), plays.row, PLAYED),
    ]
    for name, ranker in made.items():
        offered = lists(test, ranker, rows, Wish(SHOWN))
        some = np.array([len(one) > 0 for one in offered])  # a user may have heard all that can be offered
        expected = _expected(test, completion, rows[some], [one for one in offered if len(one)])
        gain = paired_difference(expected, played[some], rows[some])
        result += [
            Row("recommend", name, PROTOCOL, "expected_skip_rate", *mean_interval(expected, rows[some], limits=SHARE)),
            Row("recommend", name, PROTOCOL, "expected_skip_rate_vs_played", *gain),
        ]
        seen = np.concatenate([own[np.isin(plays.track[own], one)] for own, one in zip(places, offered, strict=True)])
        if len(seen):
            weights = 1 / np.maximum(test.history.plays_of_tracks[plays.track[seen]], 1)
            clipped = np.minimum(weights / weights.mean(), MOST_WEIGHT)
            result.append(_observed(plays.skipped[seen].astype(float), clipped, plays.row[seen], name))
    return result


def _observed(skipped: Floats, weights: Floats, users: Ints, name: str) -> Row:
    """Return the weighted share of skips among plays, with its interval over users."""
    share = interval(lambda sums: sums[..., 0] / sums[..., 1], [skipped * weights, weights], users, SHARE)
    return Row("recommend", name, PROTOCOL, "weighted_skip_rate", *share)


def _expected(test: Outcomes, completion: Completion, rows: Ints, chosen: list[Ints]) -> Floats:
    """Return, for each user, the mean probability of a skip of some tracks: (users,)."""
    profiles = [test.history.profile(row) for row in rows]
    return np.array([float((1 - np.exp(one)).mean()) for one in completion.logarithms(profiles, chosen)])
