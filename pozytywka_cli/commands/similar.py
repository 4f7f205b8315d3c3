"""`pozytywka similar`."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context

if TYPE_CHECKING:
    from pozytywka_cli.similar.predict import Match, Neighbour


def similar(
    ctx: typer.Context,
    name: Annotated[list[str], typer.Argument(metavar="NAME", help="Artists; - reads names from stdin, one a line.")],
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many similar artists.")] = 5,
    by_id: Annotated[bool, typer.Option("--id", help="NAME is an artist's id.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="Show cosine similarities, too.")] = False,
    json: options.Json = False,
) -> None:
    """Find the artists that are most like this one.

    Reads the serving version of similar under artifacts/. Case, accents, punctuation and a leading "the" do not matter,
    and a typo is forgiven with a word on stderr. Prints a table on a terminal, else one name a line. An unknown
    name exits with 3 and names the three nearest. A name that starts with - goes after --.

    \b
    Examples:
      pozytywka similar "Rosetta"
      pozytywka similar metalica bjork -n 10 --scores
      cut -f1 names.tsv | pozytywka similar - --json
    """
    from pozytywka_cli.artifacts import LOOKUP_BYTES
    from pozytywka_cli.commands import render
    from pozytywka_cli.similar.predict import Lookup

    shared = context(ctx)
    lookup = Lookup.open(shared.store.load("similar", hash_limit=LOOKUP_BYTES))
    names = [line.rstrip("\r\n") for line in sys.stdin if line.strip()] if name == ["-"] else name
    names = [text.encode(errors="surrogateescape").decode(errors="replace") for text in names]  # not UTF-8: no name
    matches = [lookup.by_id(text) if by_id else lookup.find(text) for text in names]
    for match in matches:
        if not match.exact:
            shared.talk.info(f"{match.query} → {match.matched}")
    found = [(match, lookup.similar(match, count)) for match in matches]
    if json:
        rows = [
            {"query": match.query, "matched": match.matched, **asdict(neighbour)}
            for match, neighbours in found
            for neighbour in neighbours
        ]
        render.json_object("similar", rows)
        return
    for match, neighbours in found:
        _print(match, neighbours, scores=scores)


def _print(match: "Match", neighbours: "list[Neighbour]", *, scores: bool) -> None:
    from pozytywka_cli.commands import render

    columns = ("name", "score") if scores else ("name",)
    rows = [[getattr(neighbour, column) for column in columns] for neighbour in neighbours]
    if sys.stdout.isatty():
        render.table(f"Like {match.matched}", columns, rows)
        return
    for row in rows:
        typer.echo("\t".join(render.cell(value) for value in row))
