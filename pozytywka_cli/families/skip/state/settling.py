"""Count plays whose outcome has become known, in the order in which they became known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.features.attributes import BINS, SIDED
from pozytywka_cli.families.skip.features.rates import HALF_LIFE, NEVER
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS, UNSIDED, Records

KEPT = float(1 - (1 - np.exp(-np.log(2) / HALF_LIFE)))  # as the moving average of polars has it, to the last bit
_SIDED, _UNSIDED = np.arange(len(SIDED)), np.arange(UNSIDED)


class Play(NamedTuple):
    """A record of a play, see `layout.PLAY`."""

    session: int
    started_at: int
    known_at: int
    liked_at: int
    track: int
    skipped: bool
    premium: bool
    advertised: bool


class Session(NamedTuple):
    """A record of a session, see `layout.SESSION`."""

    first: int
    plays: int
    advertisements: int
    earlier: int
    earlier_advertisements: int
    known: int
    skips: int


class Memory(NamedTuple):
    """The fields of a user's record, see `layout.USER`, of plays in the order in which they became known."""

    likes: int
    advertisements: int
    mean: float
    weight: float
    recent: int
    previous_session: int
    previous_liked_at: int

    def after(self, play: Play, *, superseded: bool) -> "Memory":
        """Return the memory with a further play; the like of one that is not `superseded` may still come."""
        weight = self.weight * KEPT + 1
        return Memory(
            likes=self.likes + (superseded and play.liked_at < NEVER),
            advertisements=self.advertisements + play.advertised,
            mean=self.mean + (play.skipped - self.mean) * (1 / weight),
            weight=weight,
            recent=(self.recent << 1 | play.skipped) & 0xFF,
            previous_session=play.session,
            previous_liked_at=play.liked_at,
        )


class Counts(NamedTuple):
    """The fields of users' records, see `layout.USER`, of plays in any order: (users, …) each."""

    sided: Ints
    unsided: Ints
    products: Ints
    skipped_steps: Ints

    @classmethod
    def of(cls, users: Records) -> "Counts":
        """Return those of some records, which change with them."""
        return cls(*(users[name] for name in cls._fields))

    def add(self, rows: Sequence[int], plays: Sequence[Play], catalogue: Catalogue) -> None:
        """Add a play to each of some rows, which may be the same."""
        if not rows:
            return
        place = np.array(rows)
        of_plays: NDArray[np.int64] = np.array([(play.track, play.premium, play.skipped) for play in plays])
        track, (premium, skipped) = catalogue.rows(of_plays[:, 0]), of_plays.T[1:, :, None]
        bins, steps, column = catalogue.codes[track], catalogue.steps[track], place[:, None]
        sided, others = bins[:, : len(SIDED)], bins[:, len(SIDED) :]
        np.add.at(self.sided, (column, _SIDED, sided, premium, skipped), 1)
        np.add.at(self.unsided, (column, _UNSIDED, np.minimum(others // 2, BINS // 2 - 1), skipped), others < BINS)
        np.add.at(self.products, place, catalogue.products[track])
        np.add.at(self.skipped_steps, place, skipped * steps)


def due(plays: Sequence[Play], latest_start: int, until: int) -> list[tuple[Play, bool]]:
    """Return the plays of a record that are not settled and known by `until`, in the order in which they became known.

    Each comes with whether a later play of its session superseded it.
    """
    known = [(play, place < OTHERS) for place, play in enumerate(plays) if latest_start <= play.known_at <= until]
    known.sort(key=lambda one: (one[0].known_at, one[0].started_at, one[0].session))
    return known


def settle(user: Records, until: int, catalogue: Catalogue) -> None:
    """Count the plays of a record, (1,), that are known by `until`.

    They stay where they are; which ones are settled follows from `latest_start`, and that stays as well.
    """
    plays = [*map(Play._make, user["plays"][0].tolist())]
    add(user, due(plays, int(user["latest_start"][0]), until), catalogue)


def add(user: Records, known: Sequence[tuple[Play, bool]], catalogue: Catalogue) -> None:
    """Count plays in a record, (1,), in the order in which they became known; see `due`."""
    memory = Memory(*(user[name][0].item() for name in Memory._fields))
    for play, superseded in known:
        memory = memory.after(play, superseded=superseded)
        of_session = user["plays"]["session"][0, OTHERS:] == play.session
        user["sessions"]["known"][0] += of_session
        user["sessions"]["skips"][0] += of_session & play.skipped
    for name, value in memory._asdict().items():
        user[name] = value
    Counts.of(user).add([0] * len(known), [play for play, _ in known], catalogue)
