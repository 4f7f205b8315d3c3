"""The Typer app: its global options and its commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli import __version__
from pozytywka_cli.commands import experiment, models, plan
from pozytywka_cli.commands.context import Context
from pozytywka_cli.commands.doctor import doctor
from pozytywka_cli.commands.evaluate import evaluate
from pozytywka_cli.commands.predict import predict
from pozytywka_cli.commands.recommend import recommend
from pozytywka_cli.commands.sample import sample
from pozytywka_cli.commands.schema import schema
from pozytywka_cli.commands.serve import serve
from pozytywka_cli.commands.settings import settings
from pozytywka_cli.commands.similar import similar
from pozytywka_cli.commands.train import train
from pozytywka_cli.commands.transform import transform
from pozytywka_cli.commands.validate import validate

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
        Path | None,
        typer.Option(help="A configuration file.  [default: pozytywka.toml, or [tool.pozytywka] in pyproject.toml]"),
    ] = None,
    log_format: Annotated[Literal["text", "json"] | None, typer.Option(help="The format of messages.")] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="More messages, and tracebacks of errors.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only warnings and errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Validate a music service's raw logs, train models on them, and predict with the models.

    \b
      pozytywka sample data                  generate a data set to try everything with
      pozytywka validate                     check the data
      pozytywka train                        make plays, and train all models
      pozytywka predict                      forecast next week's listening, and tracks that will be skipped
      pozytywka recommend 101                recommend tracks to a user
      pozytywka similar "Rosetta"            find similar artists

    These options may also follow the command. Folders and log format can also be set by an environment variable
    (POZYTYWKA_DATA_DIR) or in pozytywka.toml (data_dir = "…"); a flag overrides both. `pozytywka settings` lists all
    settings.

    \b
    Exit codes: 0 done, 1 internal error, 2 usage or configuration, 3 refused (bad data, unknown name,
    or a failed check), 4 an artifact is missing or damaged, 5 a GPU or an extra is missing, 74 input
    or output failed, 75 another run holds the lock, 129 hung up, 130 interrupted, 143 terminated.
    """
    flags = {"data_dir": data_dir, "artifacts_dir": artifacts_dir, "log_format": log_format}
    ctx.obj = Context(config, flags, verbose=verbose, quiet=quiet)


command: Callable[..., None]
for command in (
    sample,
    validate,
    schema,
    transform,
    train,
    evaluate,
    predict,
    recommend,
    similar,
    serve,
    doctor,
    settings,
):
    app.command()(command)
app.add_typer(models.app, name="models")
app.add_typer(plan.app, name="plan")
app.add_typer(experiment.app, name="experiment")
