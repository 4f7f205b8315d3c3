"""`pozytywka experiment replay`: compare models offline, on the same plays."""

from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.families.family import TrainingRun
    from pozytywka_cli.records import Report

Models = Annotated[list[str], typer.Argument(metavar="MODEL…", help="FAMILY, FAMILY/VARIANT or FAMILY/VERSION.")]


def replay(
    ctx: typer.Context,
    models: Models,
    days: Annotated[int, typer.Option(min=1, max=3650, help="The last days of the log, which are predicted.")] = 28,
    seed: options.Seed = 0,
    overrides: options.Set = None,
    json: options.Json = False,
) -> None:
    """Compare models offline, on the same plays; the first one is the reference.

    No model may have seen what it is compared on, so each is fitted again to what was known before the last days: a
    variant with the settings in force, the promoted version (FAMILY) or another one with its own settings and seed.
    skip is fitted to 25,000 plays at most.

    skip predicts every play as it starts: log loss, Brier score and balanced accuracy, with intervals over users.
    weekly forecasts each full week from the weeks before it: RMSE and MAE in seconds, and which share of the money a
    pay-out in proportion would give to the wrong artists, with intervals over artists. recommend lists tracks that are
    new to each user: which of them were played to the end. A difference is shown if its interval does not contain 0.

    This tells which model predicts better what users did, not what they would have done with its answers: for that,
    create an experiment.

    Reads the data folder, the versions that are named, and artifacts/plays.parquet, which it makes where missing or
    stale. Writes nothing else.

    \b
    Examples:
      pozytywka experiment replay skip/advanced skip/user-rate --days 28
      pozytywka experiment replay weekly weekly/mean4 weekly/last --days 91
      pozytywka experiment replay recommend/popular recommend/blend --json
    """
    from pozytywka_cli.commands import datasets, experiment_tables, tables
    from pozytywka_cli.experiments.arm_models import one_family
    from pozytywka_cli.experiments.replay import comparison
    from pozytywka_cli.experiments.replay import models as replays

    family = one_family(models)
    replays.check_family(family)
    if len(set(models)) < max(2, len(models)):
        hint = f"`pozytywka experiment replay {family} {family}/VARIANT`."
        raise UsageError("name at least two different models", hint)
    shared = context(ctx)
    shared.override(options.assigned(overrides, [family]))
    with shared.console.progress() as report:
        runs = {model: _run(shared, model, seed, report) for model in models}
        measured = replays.replay(family, datasets.dataset(shared), runs, days)
    rows = comparison.compare(measured)
    if json:
        tables.json_object("experiment replay", rows, since=measured.since, groups=measured.count, notes=measured.notes)
    else:
        experiment_tables.replayed(family, measured, rows)
    for note in measured.notes:
        shared.console.info(note)


def _run(shared: Context, model: str, seed: int, report: "Report") -> "TrainingRun":
    """Return how a model is trained: a variant by the settings in force, a version by its own."""
    from dataclasses import replace

    from pozytywka_cli.experiments.arm_models import parse_model
    from pozytywka_cli.experiments.replay.models import run_of
    from pozytywka_cli.families import registry
    from pozytywka_cli.pipeline import evaluate, versions

    name, own = parse_model(model)
    family = registry.get(name)
    [run] = evaluate.runs([family], shared.settings, shared.store, seed=seed, device="cpu", progress=report).values()
    run = replace(run, rivals=())
    if own is not None and own in family.variants:
        return replace(run, variant=own)
    return run_of(versions.named(shared.store, name, own), run)
