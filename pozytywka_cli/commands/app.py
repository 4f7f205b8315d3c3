"""The Typer app: its global options and its commands."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli import __version__
from pozytywka_cli.commands import (
    doctor,
    evaluate,
    models,
    plan,
    predict,
    sample,
    schema,
    similar,
    train,
    transform,
    validate,
)
from pozytywka_cli.commands.context import Context

app = typer.Typer(
    name="pozytywka",
    no_args_is_help=True,
    rich_markup_mode=None,  # help is literal: [DIR] is not markup, and rich's import would cost a third of --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pozytywka {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    data_dir: Annotated[Path | None, typer.Option(help="The folder with the five tables.  [default: data]")] = None,
    artifacts_dir: Annotated[
        Path | None, typer.Option(help="The folder for plays, models and predictions.  [default: artifacts]")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A configuration file.  [default: pozytywka.toml, or pyproject.toml's table]")
    ] = None,
    log_format: Annotated[
        Literal["text", "json"] | None, typer.Option(help="How messages on stderr are written.")
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more, and show tracebacks of faults.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """From a music service's raw logs to validated data, plays, models and answers.

    \b
      pozytywka sample data                  make a data set to try everything with
      pozytywka validate                     is the data sound?
      pozytywka train                        plays, then all models
      pozytywka predict                      next week's listening, and the tracks that will be skipped
      pozytywka similar "Rosetta"            artists like this one

    Options of this level may also stand after the command. Each can be set by an environment variable
    (POZYTYWKA_DATA_DIR) or in pozytywka.toml (data_dir = "…"); a flag wins over both.

    \b
    Exit codes: 0 done, 1 a fault in the program, 2 usage, 3 the answer is no (bad data, unknown name),
    4 an artifact is missing or damaged, 5 no such device, 74 input or output failed, 75 busy,
    130 interrupted, 143 terminated.
    """
    flags = {
        "data_dir": None if data_dir is None else str(data_dir),
        "artifacts_dir": None if artifacts_dir is None else str(artifacts_dir),
        "log_format": log_format,
    }
    ctx.obj = Context(config, flags, verbose=verbose, quiet=quiet)


app.command()(sample.sample)
app.command()(validate.validate)
app.command()(schema.schema)
app.command()(transform.transform)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(predict.predict)
app.command()(similar.similar)
app.command()(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(plan.app, name="plan")
