"""Events as they happen."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Request, Response

from pozytywka_cli.dataset.events import Event, in_order, plain
from pozytywka_cli.serving import metrics, openapi
from pozytywka_cli.serving.answers import FORMAT, json_response
from pozytywka_cli.serving.bodies import read_body, refuse_too_many
from pozytywka_cli.serving.problems import ProblemError
from pozytywka_cli.serving.service import Service, refuse_unknown_parameters, service_of

if TYPE_CHECKING:
    from pozytywka_cli.dataset.requests import Problem

router = APIRouter(tags=["events"], responses=openapi.PROBLEMS)
SHOWN = 20  # problems of one body


@router.post(
    "/v1/events", openapi_extra=openapi.json_body(openapi.EVENT_SCHEMA, openapi.EVENT), status_code=HTTPStatus.ACCEPTED
)
async def events(request: Request) -> Response:
    """Log events, and let the models follow them.

    The body is one event, a list, or JSON lines, in the columns of the table sessions. All of them are logged, or none
    if one breaks a rule of level error. An event that was logged before may be sent again: it counts once.
    """
    service = service_of(request)
    service.tokens.require(request, "write")
    refuse_unknown_parameters(request, ())
    lines = lines_of(await read_body(request, service.options))
    refuse_too_many(len(lines), service.options.requests)
    logged, warnings = await _checked(lines, service)
    await service.events.add(in_order(logged))
    metrics.EVENTS.inc(len(logged))
    content = {"format": FORMAT, "logged": len(logged), "warnings": warnings}
    return json_response(content, HTTPStatus.ACCEPTED)


def lines_of(body: bytes) -> list[bytes]:
    """Return the objects of a body: one, those of a list, or one for each line."""
    text = body.strip()
    try:
        if text.startswith(b"["):
            return [msgspec.json.format(one, indent=-1) for one in msgspec.json.decode(text, type=list[msgspec.Raw])]
        return [msgspec.json.format(text, indent=-1)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if b"\n" in text and not text.startswith(b"["):
            return [line for line in text.split(b"\n") if line.strip()]
        detail = f"the body is no JSON: {error}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail, "Send an event, a list of events, or JSON lines.") from None


async def _checked(lines: list[bytes], service: Service) -> tuple[list[Event], list[Any]]:
    """Return the events of lines, and warnings; a ProblemError lists what is wrong."""
    knows = _knows_track(service)
    read = [plain(line, knows) for line in lines]
    if all(read):
        return [event for event in read if event], []
    checked, found = await asyncio.to_thread(_check, lines, knows)
    problems = [{"number": line, "column": column, "problem": text} for line, column, text in found]
    if len(checked) < len(lines):
        bad = len(lines) - len(checked)
        detail = f"{bad:,} of {len(lines):,} events cannot be used, and none was logged"
        hint = "`pozytywka schema` lists the columns and rules."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, hint, problems=problems[:SHOWN])
    return checked, problems[:SHOWN]


def _check(lines: list[bytes], knows_track: Callable[[str], bool]) -> tuple[list[Event], "list[Problem]"]:
    """Check events by the rules of the tables; the first call imports polars, which takes a second."""
    from pozytywka_cli.dataset.event_check import check

    return check(lines, knows_track)


def _knows_track(service: Service) -> Callable[[str], bool]:
    """Return what tells whether a track is in the tracks table: a model that observes events; without one, all are."""
    observing = (one.following[1] for one in service.models.open if one.following)
    return next((one.knows_track for one in observing), lambda _: True)
