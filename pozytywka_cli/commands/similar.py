"""`pozytywka similar`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options, tables
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.commands.inputs import lines
from pozytywka_cli.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pozytywka_cli.families.similar.predict import Match, Neighbour, SimilarPredictor, UnknownArtistError

MAX_OTHERS = 3  # ids of other artists with the same name in a message


def similar(
    ctx: typer.Context,
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Artist names; - reads them from stdin, one a line.")
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="The number of similar artists.")] = 5,
    by_id: Annotated[bool, typer.Option("--id", help="NAME is the id of an artist.")] = False,
    blend: Annotated[bool, typer.Option("--blend", help="One answer: artists similar to all NAMEs together.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="Show scores (-1 to 1).")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="PATH", help="Draw a map of the most popular artists: .png, .svg, .pdf or .html."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Find the artists most similar to an artist: those with the same listeners.

    Reads the promoted version of similar under artifacts/. Prints a table on a terminal, else one name a line.

    Case, accents, punctuation and a leading "the" do not matter. A misspelt name is corrected, with a message on
    stderr. If several artists have the name, the answer is for the one with the most listeners, and a message lists the
    ids of the others for --id. For an unknown name, a message lists the nearest names; other names are still answered,
    and the exit code is 3. A NAME that starts with - goes after --. If popularity is promoted, the answer is the same
    for every artist: a warning says so, and there are no scores.

    A score is the mean of two cosines, lowered where the artist has few listeners: to what it would be with other
    listeners, on average. That of an als version is one cosine, as it is.

    --map draws the 300 artists with the most listeners, similar ones close together. The axes mean nothing. It needs
    the extra `plot`.

    \b
    Examples:
      pozytywka similar "Rosetta"
      pozytywka similar metalica bjork -n 10 --scores
      pozytywka similar --blend "Sigur Rós" Mogwai
      cut -f1 names.tsv | pozytywka similar - --json
      pozytywka similar --map artists.png
    """
    from pozytywka_cli.artifacts import LOOKUP_BYTES
    from pozytywka_cli.families import registry
    from pozytywka_cli.families.similar.models.factors import COMPUTED_FROM
    from pozytywka_cli.families.similar.predict import SimilarPredictor

    shared, arguments = context(ctx), name or []
    flags = {"--id": by_id, "--blend": blend, "--scores": scores, "--json": json}
    _check(arguments, picture, [flag for flag, is_set in flags.items() if is_set])
    version, predictor = shared.store.open(
        "similar",
        lambda one: (one, SimilarPredictor.open(one)),
        hash_limit=LOOKUP_BYTES,
        hash_later=COMPUTED_FROM,
    )
    if message := registry.baseline_message(version.manifest):
        shared.console.warn(message)
    single = len(arguments) == 1 and arguments != ["-"]
    search = _Search(shared, predictor.by_id if by_id else predictor.find, single=single)
    answers = (predictor.neighbours(query, count) for query in search.queries(_names(arguments), blend=blend))
    if json:
        rows = [neighbour for answer in answers for neighbour in answer]
        problems = [{"query": e.query, "problem": e.message, "nearest": e.nearest} for e in search.unknown]
        tables.json_object("similar", rows, unknown=problems)
    else:
        _print(answers, scores=scores)
    if picture:
        _draw(shared, predictor, picture)
    search.raise_unknown()


class _Search:
    """Finds artists one after the other, and reports corrected, ambiguous and unknown names at once."""

    def __init__(self, shared: Context, find: "Callable[[str], Match]", *, single: bool) -> None:
        self.shared, self.find = shared, find
        self.single = single  # then the error alone reports an unknown name
        self.known = 0
        self.unknown: list[UnknownArtistError] = []

    def queries(self, names: Iterable[str], *, blend: bool) -> "Iterator[list[Match]]":
        """Yield each known artist; or all together to blend, but none if one is unknown: the blend would differ."""
        if not blend:
            yield from ([match] for match in self._matches(names))
        elif (parts := list(self._matches(names))) and not self.unknown:
            yield parts

    def _matches(self, names: Iterable[str]) -> "Iterator[Match]":
        from pozytywka_cli.families.similar.predict import UnknownArtistError

        for name in names:
            try:
                match = self.find(name)
            except UnknownArtistError as error:
                self.unknown.append(error)
                if not self.single:
                    self.shared.console.warn(f"{error.message}. {error.hint}")
                continue
            self.known += 1
            _announce(self.shared, match)
            yield match

    def raise_unknown(self) -> None:
        """Raise an error if any name is unknown."""
        if self.unknown and self.single:
            raise self.unknown[0]
        if self.unknown:
            total = self.known + len(self.unknown)
            problem = f"{len(self.unknown)} of {total} names {'is' if len(self.unknown) == 1 else 'are'} unknown"
            raise RefusedError(problem, "The warnings above list the nearest names.")


def _check(names: list[str], picture: Path | None, flags: list[str]) -> None:
    """Refuse a request for nothing, flags without a name, or a map that cannot be drawn, before anything is read."""
    if picture:
        from pozytywka_cli import plots

        plots.check(picture, "--map")
    elif not names:
        raise UsageError("missing argument NAME", "See `pozytywka similar --help`.")
    if flags and not names:
        listed = " and ".join(flags)
        raise UsageError(f"{listed} without a NAME", f"Give a NAME, or leave out {listed}.")


def _names(arguments: list[str]) -> Iterator[str]:
    """Yield the names, with the lines of standard input in place of each -; bytes that are not UTF-8 become �."""
    for argument in arguments:
        yield from lines() if argument == "-" else [argument.encode(errors="surrogateescape").decode(errors="replace")]


def _announce(shared: Context, match: "Match") -> None:
    """Report a corrected spelling, and other artists of the same name."""
    from pozytywka_cli.catalogue.names import shorten

    if not match.exact:
        shared.console.info(f"{shorten(match.query)} → {shorten(match.matched)}")
    if match.others:
        ids = ", ".join(f'"{shorten(other)}"' for other in match.others[:MAX_OTHERS])
        more = f" and {len(match.others) - MAX_OTHERS} more" if len(match.others) > MAX_OTHERS else ""
        shared.console.info(f"other artists are called {shorten(match.matched)} too; use --id for {ids}{more}")


def _print(answers: "Iterable[list[Neighbour]]", *, scores: bool) -> None:
    from pozytywka_cli.catalogue.names import shorten

    columns = ("name", "score") if scores else ("name",)
    for answer in answers:
        rows = [(tables.Name(one.name), one.score)[: len(columns)] for one in answer]
        if answer and sys.stdout.isatty():
            is_similar = answer[0].score is not None
            title = f"Similar to {shorten(answer[0].matched)}" if is_similar else "The artists with the most listeners"
            tables.table(title, columns, rows)
            continue
        for row in rows:
            typer.echo("\t".join(tables.cell(value) for value in row))


def _draw(shared: Context, predictor: "SimilarPredictor", path: Path) -> None:
    from pozytywka_cli import plots
    from pozytywka_cli.families.similar import artist_map

    panel = artist_map.panel(predictor.artists)
    plots.draw([panel], path, f"{panel.rows.height} artists with the most listeners")
    shared.console.info(f"Wrote {path}.")
