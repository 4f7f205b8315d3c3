"""Ask for recommendations, report who cannot be answered, and render the answers."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pozytywka_cli.commands import inputs, tables
from pozytywka_cli.errors import RefusedError

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.families.predictor import Predictor

COLUMNS = ("rank", "track", "artist", "id", "score", "because")
ID = COLUMNS.index("id")
INTEGER = re.compile("-?[0-9]{1,19}")
MOST = 2**63  # integers of a frame are below it
REASONS = {  # by kind; {} is the name of what a recommendation rests on
    "play": "played {}",
    "like": "like {}",
    "artist": "artist {}",
    "genre": "genre {}",
    "popularity": "popular",
    "own plays": "played before",
    "completion": "likely played to its end",
    "random": "drawn by chance",
}
COLD = ("genres", "like_artist", "like_track")  # fields that need no history
COLD_HINT = "Give --genres, --like-artist or --like-track to recommend without a history."


class Problem(NamedTuple):
    """Why a user, None for a line of standard input that is no id, could not be answered."""

    user_id: int | None
    problem: str


def user_id(text: str) -> int | None:
    """Return the id of a user; None where the text is no integer of 64 bits."""
    value = int(text) if INTEGER.fullmatch(text.strip()) else MOST
    return value if -MOST <= value < MOST else None


class Answers:
    """The answers to users, all with the same other `fields` of their requests; problems go to `warn`.

    Where a `single` user was asked about, the error at the end alone reports the problem.
    """

    def __init__(
        self, predictor: "Predictor", fields: Mapping[str, object], warn: Callable[[str], None], *, single: bool
    ) -> None:
        self.predictor, self.fields, self.warn, self.single = predictor, fields, warn, single
        self.asked = self.lines = 0
        self.problems: list[Problem] = []

    def users(self, arguments: Iterable[str]) -> Iterator[list[int]]:
        """Yield ids of users, as many as are known at a time, with those of standard input in place of each -."""
        for is_stdin, group in groupby(arguments, "-".__eq__):
            if not is_stdin:
                yield [int(argument) for argument in group]
                continue
            for lines in inputs.line_batches():
                if ids := self._ids(lines):
                    yield ids

    def of(self, users: list[int]) -> "pl.DataFrame":
        """Return the rows for the users that can be answered, in their order, without `problem`."""
        import polars as pl

        from pozytywka_cli.dataset.requests import table_of

        types = table_of(self.predictor.Request).schema
        requests = pl.DataFrame({"user_id": users}, schema={"user_id": types["user_id"]})
        requests = requests.with_columns(pl.lit(value, types[name]).alias(name) for name, value in self.fields.items())
        answers = self.predictor.predict(requests)
        self.asked += len(users)
        self._report(answers.filter(pl.col("problem").is_not_null()).select("user_id", "problem").iter_rows())
        return answers.filter(pl.col("problem").is_null()).drop("problem")

    def table(self, users: Iterable[list[int]]) -> "pl.DataFrame":
        """Return the rows for all users; without rows where there is no user."""
        import polars as pl

        return pl.concat(list(map(self.of, users)) or [self.of([])])

    def raise_problems(self) -> None:
        """Raise a RefusedError if a user, or a line of standard input, could not be answered."""
        if self.problems and self.single:
            raise RefusedError(self.problems[0].problem, self._hint())
        if self.problems:
            problem = f"{len(self.problems):,} of {self.asked:,} users could not be answered"
            raise RefusedError(problem, f"The warnings above say why. {self._hint()}".rstrip())

    def _ids(self, lines: list[bytes]) -> list[int]:
        """Parse lines of standard input; a blank one is skipped, and one that is no id is a problem."""
        from pozytywka_cli.catalogue.names import shorten

        first, self.lines = self.lines + 1, self.lines + len(lines)
        texts = [line.decode(errors="replace").strip() for line in lines]
        bad = [(number, text) for number, text in enumerate(texts, first) if text and user_id(text) is None]
        self.asked += len(bad)
        self._report((None, f'-:{number}: "{shorten(text)}" is no id of a user') for number, text in bad)
        return [user for user in map(user_id, texts) if user is not None]

    def _report(self, problems: Iterable[tuple[int | None, str]]) -> None:
        """Note problems, with a warning for each; the same one for many users is one warning."""
        noted = [Problem(*problem) for problem in problems]
        self.problems += noted
        for problem in dict.fromkeys(one.problem for one in noted if not self.single):
            self.warn(problem)

    def _hint(self) -> str:
        is_cold = any(self.fields[name] for name in COLD)
        return COLD_HINT if not is_cold and any(one.user_id is not None for one in self.problems) else ""


def because(reason: Mapping[str, str | None]) -> str:
    """Say in words what a recommendation rests on: its kind, and the name, or else the id, of the thing."""
    kind = reason["kind"] or ""
    return REASONS.get(kind, kind).format(reason["name"] or reason["id"] or "")


def show(answers: "pl.DataFrame") -> None:
    """Print a table for each user on a terminal, else a line for each track."""
    if not sys.stdout.isatty():
        columns = answers.select("user_id", "track_id", "track", "artist").iter_rows()
        lines = ("\t".join([str(user), *map(tables.cell, texts)]) + "\n" for user, *texts in columns)
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        return
    starts = [*(answers["rank"] == 1).arg_true(), len(answers)]  # a user may be asked about twice
    for start, end in pairwise(starts):
        rows = answers[start:end]
        tables.table(f"Recommended to user {rows['user_id'][0]}", COLUMNS, map(_cells, rows.to_dicts()), right=[ID])


def _cells(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the cells of the `COLUMNS`; an id is never folded."""
    track, artist, reason = (tables.Name(text or "") for text in (row["track"], row["artist"], because(row["because"])))
    return row["rank"], track, artist, row["track_id"], row["score"], reason
