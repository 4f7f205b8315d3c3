"""`pozytywka recommend`."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options, tables
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.commands.recommendations import Answers, show, user_id
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.dataset.loading import Dataset
    from pozytywka_cli.families.predictor import Predictor

FAMILY = "recommend"
Texts = Mapping[str, str | None]


def _complete_variant(incomplete: str) -> list[str]:
    from pozytywka_cli.families import registry

    return [name for name in registry.get(FAMILY).variants if name.startswith(incomplete)]


def recommend(
    ctx: typer.Context,
    user: Annotated[
        list[str] | None, typer.Argument(metavar="USER", help="Ids of users; - reads them from stdin, one a line.")
    ] = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=10_000, help="The number of tracks for each user.")
    ] = 20,
    variant: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Not what is promoted, but this variant.", autocompletion=_complete_variant),
    ] = None,
    allow_heard: Annotated[
        bool, typer.Option("--allow-heard", help="Recommend also what the user has played.")
    ] = False,
    diversity: Annotated[
        float, typer.Option(metavar="0..1", min=0, max=1, help="The weight of variety against relevance.")
    ] = 0.2,
    tail: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="At least N tracks that few play.  [default: a fifth of -n]"),
    ] = None,
    like_track: Annotated[str | None, typer.Option(metavar="ID", help="Recommend what is like this track.")] = None,
    like_artist: Annotated[str | None, typer.Option(metavar="NAME", help="Recommend what is like this artist.")] = None,
    genres: Annotated[
        str | None, typer.Option(metavar='"A, B"', help="Recommend from these genres, separated by commas.")
    ] = None,
    all_users: Annotated[
        bool, typer.Option("--all-users", help="Answer for every known user, in place of USER.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file, in place of the table.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Recommend tracks to users.

    Reads the promoted version of recommend, or the newest of --variant, the data folder, and artifacts/plays.parquet,
    which it makes where missing or stale. Writes only the file of -o. Prints a table for each user on a terminal, else
    a line for each track: user, track id, track and artist, separated by tabs.

    Tracks that the user has played are left out unless --allow-heard is given. --diversity weighs how different the
    tracks are from each other against how well each one suits the user: 0 is relevance alone. --tail asks for tracks
    among the 80 % that are played least. --genres leaves out tracks of other genres; what --like-artist and
    --like-track name counts as much as all that the user has played. because says what a recommendation rests on: a
    track or an artist that the user played, a genre, or how often all users play the track.

    An unknown user has no history to start from; name --genres, --like-artist or --like-track. Else an unknown user is
    a warning, as is a line of stdin that is no id: the others are answered, and the exit code is 3. Users from stdin
    are answered as they come. A USER that starts with - goes after --. A warning says if answers come from a baseline.

    A row of -o and of --json is one track for one user: user_id, rank (from 1), track_id, track, artist, score, because
    and variant. Scores are comparable within one list only, and --diversity and --tail may put a lower one first. In
    --json and CSV the parts of because are the columns because_kind, because_id and because_name. Beside the rows of
    --json, problems lists who was not answered.

    \b
    Examples:
      pozytywka recommend 101
      pozytywka recommend 101 102 -n 5 --diversity 0.5 --tail 2
      pozytywka recommend 9999 --genres "doom metal, post-rock"
      cut -f1 users.tsv | pozytywka recommend - --json
      pozytywka recommend --all-users -n 50 -o recommendations.parquet
    """
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.families import registry
    from pozytywka_cli.pipeline import builds_on

    shared, arguments = context(ctx), user or []
    texts = {"like_track": like_track, "like_artist": like_artist, "genres": genres}
    _check(arguments, texts, all_users=all_users, count=count, tail=tail)
    out.check_target(output, shared.data())
    opener = _opener(shared, variant)  # before the data are loaded, which takes longest
    version, predictor = opener(datasets.dataset(shared))
    baseline = registry.baseline_message(version.manifest) if variant is None else ""
    for message in filter(None, (baseline, builds_on.missing(shared.store, version.manifest))):
        shared.console.warn(message)
    fields = {"count": count, "allow_heard": allow_heard, "diversity": diversity, "tail": tail, **_decoded(texts)}
    single = len(arguments) == 1 and arguments != ["-"]
    answers = Answers(predictor, fields, shared.console.warn, single=single)
    users = answers.users(arguments) if not all_users else iter([predictor.default_requests()["user_id"].to_list()])
    if output or json:
        _deliver(shared, answers, answers.table(users), output, json=json)
    else:
        for frame in map(answers.of, users):
            show(frame)
    answers.raise_problems()


def _check(users: list[str], texts: Texts, *, all_users: bool, count: int, tail: int | None) -> None:
    """Check before anything is read that the arguments go together, else raise a UsageError."""
    from pozytywka_cli.catalogue.names import shorten

    if all_users and users:
        raise UsageError("--all-users and USER exclude each other", "Leave out one of them.")
    if not all_users and not users:
        raise UsageError("missing argument USER", "Write --all-users for all; see `pozytywka recommend --help`.")
    for user in users:
        if user != "-" and user_id(user) is None:
            raise UsageError(f'USER "{shorten(user)}" is no id of a user', "Write an integer, or - for standard input.")
    if tail is not None and tail > count:
        raise UsageError(f"--tail {tail} is more than all {count} tracks", f"Use 0 to {count}, or raise -n.")
    for name, text in texts.items():
        if text is not None and not text.strip(" ,"):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is empty", f"Name something, or leave out {flag}.")


def _opener(shared: Context, variant: str | None) -> "Callable[[Dataset], tuple[Version, Predictor]]":
    """Return what opens the promoted version, or that of a variant; an ArtifactError if there is none."""
    from pozytywka_cli.pipeline import predict as pipeline
    from pozytywka_cli.pipeline import versions

    if variant is None:
        pipeline.promoted(shared.store, FAMILY)
        return partial(pipeline.open_predictor, shared.store, FAMILY)
    version = versions.of_variant(shared.store, FAMILY, variant)
    return lambda dataset: (version, pipeline.opened(shared.store, version, dataset))


def _decoded(texts: Texts) -> Texts:
    """Return texts of the command line, which may be no UTF-8, as valid ones."""
    return {
        name: text if text is None else text.encode(errors="surrogateescape").decode(errors="replace")
        for name, text in texts.items()
    }


def _deliver(shared: Context, answers: Answers, frame: "pl.DataFrame", output: Path | None, *, json: bool) -> None:
    """Write all rows to a file, and print them as JSON."""
    from pozytywka_cli.commands import outputs as out

    if output:
        out.write_frame(frame, output)
        shared.console.info(f"Wrote {output}: {len(frame):,} tracks for {frame['user_id'].n_unique():,} users.")
    if json:
        problems = [problem._asdict() for problem in answers.problems]
        tables.json_object(FAMILY, out.flat(frame).to_dicts(), problems=problems)
