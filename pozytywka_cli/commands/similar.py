"""`pozytywka similar`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.similar.predict import Answer, Lookup, Match

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
    listeners is meant; --id asks for another. Prints a table on a terminal, else one name a line. Names that are
    unknown do not keep the others from being answered; then it exits with 3 and names the three nearest to each. A name
    that starts with - goes after --.

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
    from pozytywka_cli.similar.predict import Lookup

    shared = context(ctx)
    if picture:
        from pozytywka_cli import plots

        plots.check(picture, "--map")
    elif not name:
        raise UsageError("Missing argument 'NAME'.", "See `pozytywka similar --help`.")
    version = shared.store.load("similar", hash_limit=LOOKUP_BYTES)
    lookup = Lookup.open(version)
    matches, refused = _matches(lookup, _given(name or []), by_id=by_id)
    for match in matches:
        _announce(shared, match)
    if not blend:
        answers = [lookup.answer(match, count) for match in matches]
    else:
        answers = [lookup.blend(matches, count)] if matches and not refused else []
    if name:
        _print(answers, scores=scores, json=json)
    if picture:
        _draw(shared, version, picture)
    if refused:
        raise RefusedError("; ".join(error.message for error in refused), " ".join(error.hint for error in refused))


def _given(names: list[str]) -> list[str]:
    """The names, with the lines of standard input in the place of each -; what is not UTF-8 becomes �."""
    found: list[str] = []
    for name in names:
        if name == "-":
            lines = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace").split("\n")
            found += [line.removesuffix("\r") for line in lines if line.strip()]
        else:
            found.append(name.encode(errors="surrogateescape").decode(errors="replace"))
    return found


def _matches(lookup: "Lookup", names: list[str], *, by_id: bool) -> "tuple[list[Match], list[RefusedError]]":
    """The artists that are meant, and why each other name is refused."""
    matches, refused = [], []
    for name in names:
        try:
            matches.append(lookup.by_id(name) if by_id else lookup.find(name))
        except RefusedError as error:
            refused.append(error)
    return matches, refused


def _announce(shared: Context, match: "Match") -> None:
    """Say what was guessed: a spelling, or which artist of that name."""
    if not match.exact:
        shared.talk.info(f"{match.query} → {match.matched}")
    if match.others:
        ids = ", ".join(f'"{other}"' for other in match.others[:TOLD])
        more = f" and {len(match.others) - TOLD} more" if len(match.others) > TOLD else ""
        shared.talk.info(f"{match.matched} has the most listeners of that name; --id finds the others: {ids}{more}")


def _print(answers: "list[Answer]", *, scores: bool, json: bool) -> None:
    from pozytywka_cli.commands import render

    if json:
        render.json_object("similar", (row for answer in answers for row in answer.rows()))
        return
    columns = ("name", "score") if scores else ("name",)
    for answer in answers:
        rows = [[row[column] for column in columns] for row in answer.rows()]
        if sys.stdout.isatty():
            render.table(f"Like {answer.matched}", columns, rows)
            continue
        for row in rows:
            typer.echo("\t".join(render.cell(value) for value in row))


def _draw(shared: Context, version: "Version", path: Path) -> None:
    from pozytywka_cli import plots
    from pozytywka_cli.similar import map as maps
    from pozytywka_cli.similar.model import Factors

    panel = maps.panel(Factors.load(version))
    plots.draw([panel], path, f"{panel.rows.height} artists with the most listeners")
    shared.talk.info(f"Wrote {path}.")
