"""`pozytywka predict`."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.families.predictor import Predictor
    from pozytywka_cli.settings import Assigned

FLAGS = {"--explain": "skip", "--artist": "weekly", "--horizon": "weekly"}  # the family that reads each
SHOWN = 10  # artists
COLUMNS = ("name", "week", "mean", "q10", "q90", "last_week", "change", "recent", "usual", "trend")


@runtime_checkable
class Explaining(Protocol):
    """A predictor that can name the inputs that moved each prediction most."""

    def explain(self, requests: "pl.DataFrame") -> "pl.DataFrame":
        """Answer requests like `predict`, with the inputs in a further column."""


@runtime_checkable
class Forecasting(Protocol):
    """A predictor of artists' weeks: it finds artists by name, and its answers have the `COLUMNS`."""

    @property
    def shared_move(self) -> float | None:
        """By what factor all artists moved from the weeks before to the last 4; None where it has no trends."""

    def artist_ids(self, name: str) -> Sequence[str]:
        """Return the ids of the artists with a name; a RefusedError if there is none."""


def predict(
    ctx: typer.Context,
    family: Annotated[
        str | None,
        typer.Argument(metavar="FAMILY", help="The model family; all if none.", autocompletion=options.complete_family),
    ] = None,
    source: Annotated[str | None, typer.Argument(metavar="INPUT|-", help="Requests, from a file or stdin.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="skip: name the three inputs that moved each prediction most.")
    ] = False,
    horizon: options.Horizon = None,
    artist: Annotated[str | None, typer.Option(metavar="NAME", help="weekly: forecast only this artist.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file.")] = None,
    overrides: options.Set = None,
    json: options.Json = False,
) -> None:
    """Predict next week's listening, and the tracks that will be skipped.

    Reads the promoted versions, the data folder, and artifacts/plays.parquet, which it makes where missing or stale.
    INPUT holds requests as JSONL, CSV or Parquet; a line of JSON is printed for each answer. JSONL from - (stdin) is
    answered as it comes; a bad line is a warning, the others are answered, and the exit code is 3. Without INPUT each
    family answers its usual requests, into artifacts/predictions/FAMILY.parquet, and is prepared to answer single
    requests at once (`pozytywka models prepare`).

    weekly forecasts every artist's next week (mean, 10 % and 90 % quantile, in seconds), or as many weeks as its model
    was trained for, and shows the ten highest forecasts. recent is the mean of the last 4 weeks, usual that of the
    weeks before, since the artist's first; change is the forecast relative to recent. A message, and shared_move beside
    the rows of --json, says by what factor all artists moved from those weeks to the last 4. trend is rising or falling
    where recent differs from usual times that factor by more than chance, the artist's own variation and the common
    differences between artists explain (Benjamini-Hochberg, at most 10 % false discoveries), else steady. The change of
    a rising artist is negative where the model expects a part of the rise to pass.

    skip predicts for pairs of user_id and track_id, optionally with at (a time) and session_id, how likely the user
    skips the track; its usual requests are all pairs played in the last 28 days. played_to_end is true where a skip is
    not more likely than on average. reason is model, unknown user (the average is predicted) or unknown track (the
    user's own rate is predicted); method is the variant. A pair without at is the user's next play after all known
    plays.

    recommend answers requests of user_id, and optionally count, allow_heard, diversity, tail, like_track, like_artist
    and genres, which `pozytywka recommend` explains; its usual requests are all known users. Each track is a row. Where
    a request cannot be answered, problem says why.

    A message says if answers come from a baseline or a fallback.

    \b
    Examples:
      pozytywka predict
      pozytywka predict weekly -o forecast.csv
      pozytywka predict weekly --horizon 4 --artist "Rosetta"
      pozytywka predict skip pairs.csv --explain -o skips.jsonl
      echo '{"user_id": 101, "track_id": "2PmGtDUyJIpYBEtI1hQIVp"}' | pozytywka predict skip -
    """
    import polars as pl

    from pozytywka_cli import files
    from pozytywka_cli.commands import datasets, models_prepare, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.commands.inputs import RequestReader
    from pozytywka_cli.families import registry
    from pozytywka_cli.pipeline import predict as pipeline

    shared = context(ctx)
    _check(family, source, output, {"--explain": explain, "--artist": artist, "--horizon": horizon})
    assigned = options.assigned(overrides, flags={"weekly.horizon": horizon})
    shared.override(assigned)
    out.check_target(output, shared.data())
    versions = pipeline.promoted(shared.store, family)
    for message in filter(None, (registry.baseline_message(version.manifest) for version in versions.values())):
        shared.console.info(message)
    to_file = output is not None or (source is None and artist is None)
    targets = {name: output or shared.artifacts / "predictions" / f"{name}.parquet" for name in versions if to_file}
    for target in targets.values():
        files.check_writable(target)
    dataset = datasets.dataset(shared)
    reader = RequestReader(source, shared.console.warn) if source else None
    if not (reader or artist):
        models_prepare.refresh(shared, versions, dataset)
    rows: list[dict[str, object]] = []
    beside: dict[str, object] = {}
    for name in versions:
        version, predictor = pipeline.open_predictor(shared.store, name, dataset)
        if isinstance(predictor, Forecasting) and (move := predictor.shared_move) is not None:
            beside["shared_move"] = move
            message = (
                f"Shared by all artists: the last 4 weeks are {move:.2f} × the weeks before; trends are beside that."
            )
            shared.console.info(message)
        batches = reader.batches(predictor.Request) if reader else iter([_requests(predictor, artist)])
        constant = _constant_fields(shared, name, assigned)
        requests = (batch.with_columns(**constant) for batch in batches if not batch.is_empty())
        answer = predictor.explain if explain and isinstance(predictor, Explaining) else predictor.predict
        answers = reader.answered(requests, answer) if reader else map(answer, requests)
        if reader and not output and not json:
            _print_lines(answers)
        elif frames := list(answers):
            frame = pl.concat(frames)
            if to_file:
                out.write_frame(frame, targets[name])
                made = f"{len(frame):,} rows by {name} {version.manifest.variant}"
                shared.console.info(f"Wrote {targets[name]}: {made}.")
            if json:
                rows += [{"family": name, **row} for row in out.with_text_times(frame).to_dicts()]
            elif isinstance(predictor, Forecasting) and not (output or (to_file and shared.console.quiet)):
                _show(frame)
        elif not reader and family:
            problem = f"{family} answers requests, and there are none"
            raise UsageError(problem, f"Write `pozytywka predict {family} INPUT`, or - for standard input.")
    if json:
        tables.json_object("predict", rows, **beside)
    if reader:
        reader.raise_bad()


def _check(family: str | None, source: str | None, output: Path | None, flags: dict[str, object]) -> None:
    """Check before any work is done that the arguments go together, else raise a UsageError."""
    from pozytywka_cli.families import registry

    name = registry.get(family).name if family else None
    for flag, reader in FLAGS.items():
        if flags[flag] and name != reader and not (name is None and flag == "--horizon"):
            raise UsageError(f"{flag} only applies to {reader}", f"Write `pozytywka predict {reader} {flag}`.")
    if name is None and output is not None:
        raise UsageError("-o needs one family", "Write `pozytywka predict weekly -o FILE`.")
    if source is not None and flags["--artist"]:
        raise UsageError("--artist and INPUT exclude each other", "Leave out one of them.")


def _requests(predictor: "Predictor", artist: str | None) -> "pl.DataFrame":
    """Return the usual requests of a predictor, or those for an artist."""
    import polars as pl

    if artist is None or not isinstance(predictor, Forecasting):
        return predictor.default_requests()
    name = artist.encode(errors="surrogateescape").decode(errors="replace")  # an argument may be no UTF-8
    return pl.DataFrame({"artist_id": predictor.artist_ids(name)}, schema={"artist_id": pl.String})


def _constant_fields(shared: Context, family: str, assigned: "Sequence[Assigned]") -> "dict[str, pl.Expr]":
    """Return the fields of requests that settings of the command line set for all of them."""
    import polars as pl

    from pozytywka_cli.families import registry

    settings = shared.settings.section(family, registry.get(family).Settings)
    keys = [one.key.removeprefix(f"{family}.") for one in assigned if one.key.startswith(f"{family}.")]
    return {key: pl.lit(getattr(settings, key)) for key in keys}


def _print_lines(answers: "Iterable[pl.DataFrame]") -> None:
    """Print a line of JSON for each answer, as the answers come."""
    from pozytywka_cli.commands import outputs
    from pozytywka_cli.commands.console import literal_json

    for frame in answers:
        sys.stdout.write(literal_json(outputs.with_text_times(frame).write_ndjson()))
        sys.stdout.flush()


def _show(forecast: "pl.DataFrame") -> None:
    """Print the next week of the artists with the highest forecasts; of a single artist all weeks."""
    import polars as pl

    from pozytywka_cli.commands import tables

    named = forecast.with_columns(pl.coalesce("name", "artist_id").alias("name"), pl.col("week").cast(pl.String))
    is_one_artist = forecast["artist_id"].n_unique() == 1
    top = named if is_one_artist else named.filter(pl.col("week") == pl.col("week").min()).top_k(SHOWN, by="mean")
    rows = (
        (tables.Name(name), *forecasts, None if change is None else tables.Percent(change), recent, usual, trend)
        for name, *forecasts, change, recent, usual, trend in top.select(COLUMNS).iter_rows()
    )
    tables.table(f"Seconds, by weekly {top['method'][0]}" if len(top) else "No artist to forecast", COLUMNS, rows)
