"""`pozytywka train`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import RefusedError, raise_any

if TYPE_CHECKING:
    from pozytywka_cli.pipeline.train import Outcome


def train(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    variant: Annotated[
        str | None, typer.Option(help="Another variant than the default.", autocompletion=options.complete_variant)
    ] = None,
    tune: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=10_000, help="Search hyperparameters first, with N trials.")
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="Run N trials at a time.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Train even if nothing has changed.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Save the version, but do not promote it.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if a model is worse than its baseline.")] = False,
    measure: options.Measure = None,
    horizon: options.Horizon = None,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    overrides: options.Set = None,
    json: options.Json = False,
) -> None:
    """Train models, and promote those that are not worse than their baselines.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale. Writes a version of each
    family under artifacts/, with its manifest, metrics and card, and what the promoted one needs to answer single
    requests at once (`pozytywka models prepare`). A model is first measured on held-out data (skip,
    weekly and recommend: the latest; similar: a random fifth of every user's artists), then fitted on all data. A
    model that is shown to be worse than its baseline is saved, and the baseline is promoted in its place. Without
    --variant the family's cheap variants are compared with the default on a validation part of the training data,
    and one that is shown to be better there is trained in its place.

    --tune tries random hyperparameters after the configured ones, measures them on data before the held-out data, and
    trains with the best. Every trial is recorded in artifacts/FAMILY/trials.jsonl and never repeated.

    \b
    Examples:
      pozytywka train
      pozytywka train skip --gpu --seed 7
      pozytywka train skip --tune 20 --jobs 4
      pozytywka train weekly --until 2026-01-05
      pozytywka train weekly --horizon 4 --measure mean
      pozytywka train similar --set similar.factors=64 --set similar.min_listeners=5
      pozytywka train similar --scrobbles scrobbles.csv --artists artists.csv
    """
    from pozytywka_cli.commands import datasets, models_prepare, tables
    from pozytywka_cli.families import registry
    from pozytywka_cli.pipeline import train

    shared, families = context(ctx), registry.chosen(family)
    names = [family.name for family in families]
    shared.override(options.assigned(overrides, names, {"weekly.measure": measure, "weekly.horizon": horizon}))
    device, moment = options.device(families, gpu=gpu), options.moment(until)
    plan = train.Plan(
        shared.settings, seed, device, moment, variant, force, not no_promote, trials=tune or 0, jobs=jobs
    )
    plan.check(families)
    with train.training(shared.store, families):
        dataset = datasets.scrobbles(shared, names, scrobbles, artists, until)
        dataset = dataset or datasets.dataset(shared, until)
        with shared.console.progress() as progress:
            run = train.train(shared.store, families, dataset, plan, progress)
        shared.console.detail(f"Wrote {train.record(shared.artifacts, 'train', run, plan)}.")
    if json:
        tables.json_object("train", run.outcomes)
    elif run.outcomes and not shared.console.quiet:
        columns = ("family", "variant", "version", "metric", "value", "baseline", "result")
        tables.table("", columns, (_row(shared, outcome) for outcome in run.outcomes), right=(4, 5))
    for outcome in run.outcomes:
        if notes := list(_notes(shared, outcome)):
            as_wanted = outcome.passed and not (outcome.fallback_for or outcome.limited)
            report = shared.console.info if as_wanted else shared.console.warn  # which --quiet shows too
            report("\n  ".join([f"{outcome.family} {outcome.variant} {outcome.version}:", *notes]))
    if dataset.cut is None and dataset.scrobbles is None:
        models_prepare.refresh(shared, names, dataset)
    raise_any(run.errors)
    failed = [outcome.family for outcome in run.outcomes if not outcome.passed]
    if strict and failed:
        raise RefusedError(f"worse than the baseline: {', '.join(failed)}", "See `pozytywka models show`.")


def _row(shared: Context, outcome: "Outcome") -> tuple[str | None, ...]:
    from pozytywka_cli.commands.evaluation_table import number
    from pozytywka_cli.families import registry

    metrics: tuple[str, ...] = ("", "", "")
    if gate := outcome.gate:
        label = registry.get(outcome.family).metrics[gate.metric].label
        metrics = (label, number(gate.value), f"{gate.baseline_variant} {number(gate.baseline)}")
    return outcome.family, outcome.variant, outcome.version, *metrics, _result(shared, outcome)


def _result(shared: Context, outcome: "Outcome") -> str:
    """Return whether the version is promoted, or why not."""
    if shared.store.promoted(outcome.family) == outcome.version:
        return "unchanged" if outcome.unchanged and not outcome.promoted else "promoted"
    if not outcome.passed:
        return "worse: baseline promoted" if outcome.promoted else "worse: not promoted"
    return "unchanged: not promoted" if outcome.unchanged else "not promoted"


def _notes(shared: Context, outcome: "Outcome") -> Iterator[str]:
    if outcome.unchanged:
        yield "trained before with the same data, settings and code; --force trains again"
    if not outcome.passed:
        yield f"worse than the baseline; promoted is {shared.store.promoted(outcome.family) or 'nothing'}"
    if outcome.fallback_for:
        yield f"fallback for {outcome.fallback_for}"
    if outcome.chosen_over:
        yield f"trained in place of {outcome.chosen_over}: better on the validation part, see `pozytywka models show`"
    if tuned := outcome.tuned:
        values = ", ".join(f"{name} {value}" for name, value in tuned.settings.items())
        best = f"best: {values}" if tuned.best else "the configured settings are the best"
        configured = f", configured settings {tuned.loss_in_force:.4f}" if tuned.best else ""
        trials = f"{tuned.trials} trial{'s' if tuned.trials > 1 else ''}"
        yield f"{trials}; {best} (validation {tuned.metric} {tuned.loss:.4f}{configured})"
    yield from outcome.notes
