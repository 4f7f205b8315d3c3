"""Count plays whose outcome has become known, one of each user at a time."""

import numpy as np

from pozytywka_cli.evaluation import Flags, Ints
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, BINS, SIDED
from pozytywka_cli.families.skip.features.rates import HALF_LIFE, NEVER
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS, Records

KEPT = 1 - (1 - np.exp(-np.log(2) / HALF_LIFE))  # as the moving average of polars has it, to the last bit
_SIDED, _UNSIDED = np.arange(len(SIDED)), np.arange(len(ATTRIBUTES) - len(SIDED))


def settle(users: Records, until: Ints, catalogue: Catalogue) -> None:
    """Count the plays of the records that are known by `until`, (users,), in the order in which they became known.

    The plays stay where they are; which ones are settled follows from `latest_start`, and that stays as well.
    """
    plays = users["plays"]
    known_at = plays["known_at"]
    due = (known_at <= until[:, None]) & (known_at >= users["latest_start"][:, None])
    rounds = due.sum(1)
    if not (most := int(rounds.max(initial=0))):
        return
    order = np.lexsort((plays["session"], plays["started_at"], np.where(due, known_at, NEVER)), axis=1)
    for number in range(most):
        (rows,) = np.nonzero(rounds > number)
        places = order[rows, number]
        play = plays[rows, places]
        add(users, rows, play, places < OTHERS, catalogue)


def add(users: Records, rows: Ints, plays: Records, superseded: Flags, catalogue: Catalogue) -> None:
    """Count a play of each of some distinct rows, the next one to become known, with its outcome: (rows,) each."""
    count(users, rows, plays, plays["skipped"], catalogue)
    _remember(users, rows, plays, superseded)


def count(users: Records, rows: Ints, plays: Records, skipped: Flags, catalogue: Catalogue) -> None:
    """Add a play to the sums of each of some distinct rows, with outcomes of its own: (rows,) each."""
    track, outcome = catalogue.rows(plays["track"]), skipped.astype(int)
    bins, steps, place = catalogue.codes[track], catalogue.steps[track], rows[:, None]
    sided, others = bins[:, : len(SIDED)], bins[:, len(SIDED) :]
    users["sided"][place, _SIDED, sided, plays["premium"].astype(int)[:, None], outcome[:, None]] += 1
    users["unsided"][place, _UNSIDED, np.minimum(others // 2, BINS // 2 - 1), outcome[:, None]] += others < BINS
    users["products"][rows] += catalogue.products[track]
    users["skipped_steps"][rows] += outcome[:, None] * steps
    users["advertisements"][rows] += plays["advertised"]
    of_session = users["plays"]["session"][rows, OTHERS:] == plays["session"][:, None]
    users["sessions"]["known"][rows] += of_session
    users["sessions"]["skips"][rows] += of_session & skipped[:, None]


def _remember(users: Records, rows: Ints, plays: Records, superseded: Flags) -> None:
    """Add what depends on the order of plays; the like of a play that is the latest of its session may still come."""
    skipped = plays["skipped"]
    users["likes"][rows] += superseded & (plays["liked_at"] < NEVER)
    users["recent"][rows] = (users["recent"][rows] << 1) | skipped
    weight = users["weight"][rows] * KEPT + 1
    users["weight"][rows] = weight
    users["mean"][rows] += (skipped - users["mean"][rows]) * (1 / weight)
    users["previous_session"][rows] = plays["session"]
    users["previous_liked_at"][rows] = plays["liked_at"]
