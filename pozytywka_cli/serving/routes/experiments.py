"""Experiments: answers of the arm that a unit is in, outcomes, and results."""

import time
from collections import defaultdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.experiments.arm_models import parse_model
from pozytywka_cli.experiments.assignment import assign
from pozytywka_cli.experiments.entries import Exposure, Outcome, check_outcomes, check_units
from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.serving import metrics, openapi
from pozytywka_cli.serving.answers import FORMAT, answer, json_response
from pozytywka_cli.serving.bodies import decode_requests, read_body
from pozytywka_cli.serving.problems import request_id
from pozytywka_cli.serving.served import Served
from pozytywka_cli.serving.service import Service, service_of

if TYPE_CHECKING:
    from pozytywka_cli.experiments.lifecycle import Stored

router = APIRouter(prefix="/v1/experiments", tags=["experiments"], responses=openapi.PROBLEMS)
UNITS = {"user": "user_id", "artist": "artist_id"}  # the field of a request that holds the unit


@router.get("", responses=openapi.ANSWER)
async def experiments(request: Request) -> Response:
    """List all experiments."""
    stored = await service_of(request).experiments.all()
    rows = [
        {"name": one.experiment.name, "status": one.experiment.status, "definition": one.experiment} for one in stored
    ]
    return json_response({"format": FORMAT, "rows": rows})


@router.post("/{name}/predict", openapi_extra=openapi.json_body(openapi.ANY_REQUESTS, openapi.EXAMPLES["skip"]))
async def predict(request: Request, name: str) -> Response:
    """Answer requests with the models of their units' arms, and log the exposures.

    The body is one request to the family that the arms name, or a list. Each row has its arm and version.
    """
    service = service_of(request)
    service.tokens.require(request, "write")
    body = await read_body(request, service.options)
    stored = await service.experiments.load(name, running=True)
    arms = await _arms(service, stored)
    first = next(iter(arms.values()))
    requests = decode_requests(body, first.answerer.Request, service.options.requests)
    units = [_unit(one, stored) for one in requests]
    check_units(units)
    chosen = assign(stored.experiment.salt, stored.segments, units)
    rows = await _answers(request, arms, chosen, requests)
    await _expose(request, stored, units, chosen, arms)
    about = {"format": FORMAT, "experiment": name, "family": first.family}
    return json_response({**about, "rows": rows})


async def _arms(service: Service, stored: "Stored") -> dict[str, Served]:
    """Return the open version of each arm."""
    named = {arm.name: arm.model for arm in stored.experiment.arms}
    if stored.experiment.family is None:
        problem = f"the arms of experiment {stored.experiment.name!r} name no models"
        raise RefusedError(problem, "Create one with them: `--arm old=1@skip/logistic --arm new=1@skip`.")
    models = {arm: parse_model(text or "") for arm, text in named.items()}
    return {arm: await service.models.find(model.family, model.name, prepare=True) for arm, model in models.items()}


def _unit(one: Any, stored: "Stored") -> str:
    field = UNITS[stored.experiment.unit]
    if not hasattr(one, field):
        problem = f"a request has no {field}, and the unit of {stored.experiment.name!r} is {stored.experiment.unit}"
        raise UsageError(problem, "Create the experiment with the --unit that the requests are about.")
    return str(getattr(one, field))


async def _answers(request: Request, arms: dict[str, Served], chosen: list[str], requests: list[Any]) -> list[Answer]:
    """Return the rows of requests, each with its arm and version, in their order."""
    by_arm: dict[str, list[int]] = defaultdict(list)
    for place, arm in enumerate(chosen):
        by_arm[arm].append(place)
    answers: list[list[Answer]] = [[] for _ in requests]
    for arm, places in by_arm.items():
        about = {"arm": arm, "variant": arms[arm].variant, "version": arms[arm].version.name}
        for place, rows in zip(places, await answer(request, arms[arm], [requests[i] for i in places]), strict=True):
            answers[place] = [{**row, **about} for row in rows]
    return [row for rows in answers for row in rows]


async def _expose(
    request: Request, stored: "Stored", units: list[str], chosen: list[str], arms: dict[str, Served]
) -> None:
    at, source = _now(), request_id(request)
    exposed = dict(zip(units, chosen, strict=True))
    entries = [(stored.id, Exposure(unit, at, arm, arms[arm].version.name, source)) for unit, arm in exposed.items()]
    await service_of(request).experiments.log.add(entries)
    metrics.EXPOSURES.inc(len(entries))


@router.post(
    "/{name}/outcomes", openapi_extra=openapi.of_struct(Outcome, openapi.OUTCOME), status_code=HTTPStatus.ACCEPTED
)
async def outcomes(request: Request, name: str) -> Response:
    """Log outcomes of units; one that was logged before may be sent again: it counts once."""
    service = service_of(request)
    service.tokens.require(request, "write")
    body = await read_body(request, service.options)
    stored = await service.experiments.load(name)
    sent: list[Outcome] = decode_requests(body, Outcome, service.options.requests)
    check_outcomes(stored.experiment, sent, _now())
    await service.experiments.log.add([(stored.id, one) for one in sent])
    return json_response({"format": FORMAT, "logged": len(sent)}, HTTPStatus.ACCEPTED)


@router.get("/{name}/results", responses=openapi.ANSWER)
async def results(request: Request, name: str) -> Response:
    """Compare every arm with the control, as `pozytywka experiment analyze` does."""
    return json_response({"format": FORMAT, **await service_of(request).experiments.results(name)})


@router.delete("/{name}/results")
async def clear(
    request: Request,
    name: str,
    confirm: Annotated[str, Query(description="The name of the experiment once more.")] = "",
) -> Response:
    """Remove all exposures and outcomes of an experiment; its definition stays."""
    service = service_of(request)
    service.tokens.require(request, "admin")
    stored = await service.experiments.load(name)
    if confirm != name:
        raise UsageError(f"results of {name!r} are removed only with confirm={name}", f"Add `?confirm={name}`.")
    return json_response({"format": FORMAT, "removed": await service.experiments.clear(stored)})


def _now() -> int:
    """Return the present time as µs since 1970."""
    return time.time_ns() // 1000
