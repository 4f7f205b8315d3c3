"""`pozytywka train`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import RefusedError, raise_any

if TYPE_CHECKING:
    from pozytywka_cli.pipeline.train import Outcome, Tuned


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
        int | None, typer.Option(metavar="N", min=1, help="First search for better settings, by N trials.")
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Run N trials at a time.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Train even if nothing has changed.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Save, but change nothing that serves.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if a model is worse than its baseline.")] = False,
    measure: options.Measure = None,
    horizon: options.Horizon = None,
    weighting: options.Weighting = None,
    factors: options.Factors = None,
    regularization: options.Regularization = None,
    alpha: options.Alpha = None,
    iterations: options.Iterations = None,
    min_listeners: options.MinListeners = None,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    json: options.Json = False,
) -> None:
    """Train models, measure them beside their baselines, and let the good ones serve.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale. Writes a version for each
    family under artifacts/, with its manifest, metrics and card. A model is first measured on data that it did not
    learn from (of skip and weekly what is later, of similar a random fifth of every listener's artists), then fitted
    on everything. If it is shown to be worse than its plain baseline, the baseline serves. --tune tries random
    settings, after those in force, on data before what the model is measured on, and trains with the best; every trial
    is kept in artifacts/FAMILY/trials.jsonl and never run twice.

    \b
    Examples:
      pozytywka train
      pozytywka train skip --gpu --seed 7
      pozytywka train skip --tune 20 --jobs 4
      pozytywka train weekly --until 2026-01-05
      pozytywka train weekly --horizon 4 --measure mean
      pozytywka train similar --scrobbles scrobbles.csv --artists artists.csv
      pozytywka train similar --weighting bm25 --factors 64 --min-listeners 5
    """
    from pozytywka_cli.commands import datasets, tables
    from pozytywka_cli.families.registry import chosen, device
    from pozytywka_cli.pipeline import train

    shared, families = context(ctx), chosen(family)
    plan = train.Plan(
        settings=options.applied(ctx, shared.settings, families),
        seed=seed,
        device=device(families, gpu=gpu),
        until=options.moment(until),
        variant=variant,
        force=force,
        promote=not no_promote,
        tune=tune or 0,
        jobs=jobs,
    )
    plan.check(families)
    with shared.store.lock():
        given = datasets.scrobbles(shared, families, scrobbles, artists, until)
        source = given or datasets.dataset(shared, until, locked=True)
        with shared.console.progress() as report:
            run = train.train(shared.store, families, source, plan, report)
        shared.console.detail(f"Wrote {train.record(shared.artifacts, 'train', run, plan)}.")
    if json:
        tables.json_object("train", run.outcomes)
    for outcome in run.outcomes:
        short = outcome.family == "weekly" and outcome.notes  # of weeks: who runs it quietly should know, too
        say = shared.console.info if outcome.passed and not short else shared.console.warn
        tuned = [_chosen(outcome.tuned)] if outcome.tuned else []
        say("\n  ".join([_sentence(outcome, shared.store.serving(outcome.family)), *tuned, *outcome.notes]))
    raise_any(run.refused)
    failed = [outcome.family for outcome in run.outcomes if not outcome.passed]
    if strict and failed:
        raise RefusedError(f"worse than the baseline: {', '.join(failed)}", "See `pozytywka models show`.")


def _sentence(outcome: "Outcome", serving: str | None) -> str:
    name = f"{outcome.family} {outcome.variant} {outcome.version}"
    if outcome.unchanged:
        who = "it" if serving == outcome.version else serving or "nothing"
        return f"{name}: nothing has changed since it was trained, and {who} serves; --force trains again."
    gate = outcome.gate
    figures = f" ({gate.metric} {gate.value:.4f}, {gate.baseline_variant} {gate.baseline:.4f})" if gate else ""
    if outcome.passed:
        return f"{name} {'serves' if outcome.promoted else 'is saved and does not serve'}{figures}."
    return f"{name} is worse than the baseline{figures}; {outcome.promoted or serving or 'nothing'} serves."


def _chosen(tuned: "Tuned") -> str:
    trials = f"{tuned.trials} trial{'s' if tuned.trials > 1 else ''}"
    in_force = f"{tuned.in_force:.4f}"
    if tuned.best == 0:
        return f"{trials}; the settings in force are the best (validation {tuned.metric} {in_force})"
    values = ", ".join(f"{name} {value}" for name, value in tuned.settings.items())
    figures = f"validation {tuned.metric} {tuned.loss:.4f}, settings in force {in_force}"
    return f"{trials}; the best has {values} ({figures})"
