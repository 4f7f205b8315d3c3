"""The records of users: those of the prepared file, which stay where they are, and those of users that came since."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.state.layout import Records, nobody

ROOM = 16  # for new users at first; then it doubles, so that few records are copied


@dataclass
class Users:
    """The records of all users, by row: that of nobody, those of `ids`, and those of new users as they came.

    ids: of the users that were known when it was built, sorted: (ids,)
    known: their records, after that of nobody: (ids + 1,); it may be a file, so it is never copied as a whole
    new: the row of each new user, by id
    _of_new: the records of new users, with room for more
    """

    ids: Ints
    known: Records
    new: dict[int, int] = field(default_factory=dict)
    _of_new: Records = field(default_factory=lambda: nobody(ROOM))

    def row(self, user_id: int) -> int:
        """Return the row of a user; for an unknown one 0, the row of nobody."""
        place = bisect_left(self.ids.data, user_id)
        if place < len(self.ids) and self.ids[place] == user_id:
            return place + 1
        return self.new.get(user_id, 0)

    def find(self, user_ids: Ints) -> Ints:
        """Return the rows of users, and for unknown ones 0: (users,)."""
        place = np.searchsorted(self.ids[:-1], user_ids)
        rows = np.where(self.ids[place] == user_ids, place + 1, 0) if len(self.ids) else np.zeros_like(place)
        for missing in np.flatnonzero(rows == 0) if self.new else ():
            rows[missing] = self.new.get(int(user_ids[missing]), 0)
        return rows

    def add(self, user_id: int) -> int:
        """Add a new user, and return the row."""
        if len(self.new) == len(self._of_new):
            self._of_new = np.concatenate([self._of_new, nobody(len(self.new))])
        self.new[user_id] = row = len(self.known) + len(self.new)
        return row

    def record(self, row: int) -> Records:
        """Return the record of a row, which can be changed: (1,)."""
        known = len(self.known)
        return self.known[row : row + 1] if row < known else self._of_new[row - known : row - known + 1]

    def records(self, rows: Ints) -> Records:
        """Return copies of the records of rows: (rows,)."""
        if len(rows) == 1:
            return self.record(int(rows[0])).copy()
        return self._taken(self.known, self._of_new, rows)

    def values(self, name: str, rows: Ints) -> NDArray[Any]:
        """Return one field of the records of rows, to read only: (rows, …)."""
        if len(rows) == 1:  # a view costs less than an array of indices, which one request would notice
            return self.record(int(rows[0]))[name]
        return self._taken(self.known[name], self._of_new[name], rows)

    def _taken(self, known: NDArray[Any], new: NDArray[Any], rows: Ints) -> NDArray[Any]:
        is_new = rows >= len(known)
        taken = known[np.where(is_new, 0, rows)]
        taken[is_new] = new[rows[is_new] - len(known)]
        return taken

    def in_order(self) -> tuple[Ints, "Users"]:
        """Return a copy without new users, whose rows are in the order of all ids, and what the rows were before."""
        ids = np.concatenate([self.ids, np.fromiter(self.new, np.int64, len(self.new))])
        order = np.argsort(ids)
        rows = np.append(0, 1 + order)
        return rows, Users(ids[order], self.records(rows))
