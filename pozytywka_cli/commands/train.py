"""`pozytywka train`."""

from typing import Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import RefusedError


def train(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    variant: Annotated[str | None, typer.Option(help="Another variant than the default; needs one family.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Train even if nothing has changed.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Save, but change nothing that serves.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if a model is worse than its baseline.")] = False,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    json: options.Json = False,
) -> None:
    """Train models, measure them beside their baselines, and let the good ones serve.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale. Writes a version for each
    family under artifacts/, with its manifest, metrics and card. A model is first measured on data later than
    what it learned from, then fitted on everything. If it is shown to be worse than its plain baseline, the
    baseline serves.

    \b
    Examples:
      pozytywka train
      pozytywka train skip --gpu --seed 7
      pozytywka train weekly --until 2026-01-05
      pozytywka train similar --scrobbles scrobbles.csv --artists artists.csv
    """
    from datetime import UTC, datetime

    from pozytywka_cli import runs
    from pozytywka_cli.commands import render, sources
    from pozytywka_cli.families import chosen
    from pozytywka_cli.learning import device

    shared, started, families = context(ctx), datetime.now(UTC), chosen(family)
    plan = runs.Plan(
        settings=shared.settings,
        seed=seed,
        device=str(device(gpu=gpu)),
        until=options.moment(until),
        variant=variant,
        force=force,
        promote=not no_promote,
    )
    wanted = [plan.variant_of(name) for name in families]
    with shared.store.lock():
        source = sources.scrobbles(families, scrobbles, artists, until) or sources.service(shared, until)
        outcomes = []
        with shared.talk.progress() as report:
            for name, trained in zip(families, wanted, strict=True):
                shared.talk.detail(f"Training {name} {trained} on {plan.device}.")
                outcomes.append(runs.train(shared.store, name, source, source.inputs, plan, report))
        path = runs.record(shared.artifacts, "train", started, plan, outcomes)
    shared.talk.detail(f"Wrote {path}.")
    if json:
        render.json_object("train", outcomes)
    for outcome in outcomes:
        (shared.talk.info if outcome.passed else shared.talk.warn)(_sentence(outcome))
        for note in outcome.notes:
            shared.talk.info(f"  {note}")
    failed = [outcome.family for outcome in outcomes if not outcome.passed]
    if strict and failed:
        raise RefusedError(f"worse than the baseline: {', '.join(failed)}", "See `pozytywka models show`.")


def _sentence(outcome: "runs.Outcome") -> str:  # type: ignore[name-defined]  # noqa: F821
    name = f"{outcome.family} {outcome.variant} {outcome.version}"
    if outcome.unchanged:
        return f"{name}: nothing has changed since it was trained; --force trains again."
    gate = outcome.gate
    figures = f" ({gate.metric} {gate.value:.4f}, {gate.baseline_variant} {gate.baseline:.4f})" if gate else ""
    if not outcome.passed:
        return f"{name} is worse than {gate.baseline_variant}{figures}; {outcome.promoted or 'nothing new'} serves."
    return f"{name} {'serves' if outcome.promoted else 'is saved and does not serve'}{figures}."
