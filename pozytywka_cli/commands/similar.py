"""`pozytywka similar`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.commands.inputs import lines
from pozytywka_cli.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pozytywka_cli.families.similar.model import Factors
    from pozytywka_cli.families.similar.predict import Answer, Lookup, Match, UnknownError

TOLD = 3  # ids of other artists of the same name


def similar(
    ctx: typer.Context,
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Artists; - reads names from stdin, one a line.")
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many similar artists.")] = 5,
    by_id: Annotated[bool, typer.Option("--id", help="NAME is an artist's id.")] = False,
    blend: Annotated[bool, typer.Option("--blend", help="Find what lies between all of them: one answer.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="Show cosine similarities, too.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option("--map", metavar="PATH", help="Draw the artists heard most: a .png, .svg, .pdf or .html."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Find the artists that are most like this one.

    Reads the serving version of similar under artifacts/. Case, accents, punctuation and a leading "the" do not matter,
    and a typo is forgiven with a word on stderr. Of artists whose names are the same by that, the one with the most
    listeners is meant; --id asks for another. Prints a table on a terminal, else one name a line, as names come. Names
    that are unknown do not keep the others from being answered: a line on stderr names the three nearest to each, and
    at the end it exits with 3; --json lists them beside the rows. So are names of artists with fewer listeners than
    the model asks for. A name that starts with - goes after --.

    --blend answers once, with artists near the mean of all that are named; one that is named twice counts twice.

    --map draws the 300 artists with the most listeners, those near each other that the same people listen to. Only
    nearness means something: neither axis does. It needs the extra `plot`, and no NAME.

    \b
    Examples:
      pozytywka similar "Rosetta"
      pozytywka similar metalica bjork -n 10 --scores
      pozytywka similar --blend "Sigur Rós" Mogwai
      cut -f1 names.tsv | pozytywka similar - --json
      pozytywka similar --map artists.png
    """
    from pozytywka_cli.artifacts import LOOKUP_BYTES
    from pozytywka_cli.families.similar.model import Factors
    from pozytywka_cli.families.similar.predict import Lookup

    shared = context(ctx)
    given = {"--id": by_id, "--blend": blend, "--scores": scores, "--json": json}
    _check(name, picture, [flag for flag, is_given in given.items() if is_given])
    artists = Factors.load(shared.store.load("similar", hash_limit=LOOKUP_BYTES))
    lookup = Lookup(artists)
    asked = _Asked(shared, lookup.by_id if by_id else lookup.find, alone=len(name or []) == 1 and name != ["-"])
    matches = asked.matches(_given(name or []))
    answers = asked.blended(lookup, matches, count) if blend else (lookup.answer(match, count) for match in matches)
    if json and name:
        _print_json(answers, asked.unknown)
    elif name:
        _print(answers, scores=scores)
    if picture:
        _draw(shared, artists, picture)
    asked.raise_unknown()


class _Asked:
    """The names that are asked for, found one after the other; of each that is not, it is said at once."""

    def __init__(self, shared: Context, find: "Callable[[str], Match]", *, alone: bool) -> None:
        self.shared, self.find = shared, find
        self.alone = alone  # a single name was written, and to say that it is unknown is left to the error
        self.known = 0
        self.unknown: list[UnknownError] = []

    def matches(self, names: Iterable[str]) -> "Iterator[Match]":
        """The artists that are meant."""
        from pozytywka_cli.families.similar.predict import UnknownError

        for name in names:
            try:
                match = self.find(name)
            except UnknownError as error:
                self.unknown.append(error)
                if not self.alone:
                    self.shared.console.warn(f"{error.message}. {error.hint}")
                continue
            self.known += 1
            _announce(self.shared, match)
            yield match

    def blended(self, lookup: "Lookup", matches: "Iterable[Match]", count: int) -> "Iterator[Answer]":
        """One answer for all; none where a name is unknown, without which it would be another blend."""
        found = list(matches)
        if found and not self.unknown:
            yield lookup.blend(found, count)

    def raise_unknown(self) -> None:
        """Refuse, if any name is unknown."""
        if self.unknown and self.alone:
            raise self.unknown[0]
        if self.unknown:
            total = self.known + len(self.unknown)
            problem = f"{len(self.unknown)} of {total} names {'is' if len(self.unknown) == 1 else 'are'} unknown"
            raise RefusedError(problem, "A warning above tells of each what to try in its place.")


def _check(name: list[str] | None, picture: Path | None, flags: list[str]) -> None:
    """Refuse what cannot be done, before anything is read.

    Raises:
        UsageError: neither a name nor a picture; flags for names without one; a picture of no known format.
        UnavailableError: nothing here can draw.
    """
    if picture:
        from pozytywka_cli import plots

        plots.check(picture, "--map")
    elif not name:
        raise UsageError("Missing argument 'NAME'.", "See `pozytywka similar --help`.")
    if flags and not name:
        named = " and ".join(flags)
        raise UsageError(f"{named}: without a NAME nothing is looked up", f"Give a NAME, or leave out {named}.")


def _given(names: list[str]) -> Iterator[str]:
    """The names, with the lines of standard input in the place of each -; what is not UTF-8 becomes �."""
    for name in names:
        if name == "-":
            yield from lines()
        else:
            yield name.encode(errors="surrogateescape").decode(errors="replace")


def _announce(shared: Context, match: "Match") -> None:
    """Say what was guessed: a spelling, or which artist of that name."""
    from pozytywka_cli.catalogue.names import shown

    if not match.exact:
        shared.console.info(f"{shown(match.query)} → {shown(match.matched)}")
    if match.others:
        ids = ", ".join(f'"{other}"' for other in match.others[:TOLD])
        more = f" and {len(match.others) - TOLD} more" if len(match.others) > TOLD else ""
        shared.console.info(f"{match.matched} has the most listeners of that name; --id finds the others: {ids}{more}")


def _print_json(answers: "Iterable[Answer]", unknown: "list[UnknownError]") -> None:
    from pozytywka_cli.commands import tables

    rows = [row for answer in answers for row in answer.rows()]
    told = [{"query": one.query, "problem": one.message, "nearest": one.nearest} for one in unknown]
    tables.json_object("similar", rows, unknown=told)


def _print(answers: "Iterable[Answer]", *, scores: bool) -> None:
    from pozytywka_cli.commands import tables

    columns = ("name", "score") if scores else ("name",)
    for answer in answers:
        rows = [[row[column] for column in columns] for row in answer.rows()]
        if sys.stdout.isatty():
            tables.table(f"Like {answer.matched}", columns, rows)
            continue
        for row in rows:
            typer.echo("\t".join(tables.cell(value) for value in row))


def _draw(shared: Context, artists: "Factors", path: Path) -> None:
    from pozytywka_cli import plots
    from pozytywka_cli.families.similar import artist_map as maps

    panel = maps.panel(artists)
    plots.draw([panel], path, f"{panel.rows.height} artists with the most listeners")
    shared.console.info(f"Wrote {path}.")
