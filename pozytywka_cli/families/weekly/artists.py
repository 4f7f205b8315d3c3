"""The artists with a forecast, to be found by id and by name.

It imports neither polars nor torch, for a service that answers without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.catalogue import fuzzy, names
from pozytywka_cli.catalogue.string_table import StringIndex, StringTable
from pozytywka_cli.errors import ArtifactError, NotFoundError

IDS, TITLES, KEYS = "ids.bin", "titles.bin", "keys.bin"


@dataclass(frozen=True)
class Artists:
    """Artists in the order of their forecasts.

    ids: (artists,); titles: (artists,) names, or the id of an artist without one; keys: `names.key` of the titles
    """

    ids: StringIndex
    titles: StringTable
    keys: StringIndex

    @classmethod
    def of(cls, ids: Sequence[str], titles: Sequence[str]) -> "Artists":
        """Index artists."""
        keys = [names.key(title) for title in titles]
        return cls(StringIndex.of(ids), StringTable.of(titles), StringIndex.of(keys))

    def save(self, folder: Path) -> None:
        """Write ids.bin, titles.bin and keys.bin."""
        self.ids.save(folder / IDS)
        self.titles.save(folder / TITLES)
        self.keys.save(folder / KEYS)

    @classmethod
    def load(cls, folder: Path) -> "Artists":
        """Memory-map the files; an ArtifactError if one is damaged."""
        ids, keys = StringIndex.load(folder / IDS), StringIndex.load(folder / KEYS)
        titles = StringTable.load(folder / TITLES)
        if len({len(ids), len(titles), len(keys)}) > 1:
            raise ArtifactError(f"{folder} is damaged: ids, titles and keys are not of the same artists", DAMAGED_HINT)
        return cls(ids, titles, keys)

    def row(self, artist_id: str) -> int:
        """Return the row of an artist; a NotFoundError if there is none."""
        rows = self.ids.find(artist_id)
        if not rows:
            raise unknown(artist_id)
        return rows[0]

    def named(self, name: str) -> list[str]:
        """Return the ids of all artists with this name, up to case, accents and punctuation.

        If some agree with the name before Latin letters are folded ("Łona" is not "Lona"), only those are returned.

        Raises:
            NotFoundError: there is none; the hint names the nearest three.
        """
        key = names.key(name)
        if rows := self.keys.find(key):
            agreeing = [*compress(rows, names.agree_unfolded(name, self.titles.take(rows)))]
            return self.ids.take(agreeing or rows)
        nearest = self.titles.take(fuzzy.suggestions(self.keys, names.typo_readings(key)))
        raise NotFoundError(f'no artist is called "{names.shorten(name)}"', names.suggestion(nearest))


def unknown(artist_id: str) -> NotFoundError:
    """Return the error for an artist without a forecast."""
    problem = f"no plays of an artist with the id {names.shorten(artist_id)!r}"
    return NotFoundError(problem, "Ids are those of the artists table; `predict weekly` lists all with plays.")
