"""Answer requests to a family, and write the answers as JSON."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response

from pozytywka_cli.errors import NotFoundError
from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.serving.bodies import rows_of
from pozytywka_cli.serving.served import Served
from pozytywka_cli.serving.service import service_of

FORMAT = 1
QUICK = 50  # rows that are made in the event loop by a model that follows no events; more in another thread


async def answer(request: Request, served: Served, requests: Sequence[Any]) -> list[list[Answer]]:
    """Return the rows of each of the requests in the body of one; errors as for `Answerer.answer`."""
    service = service_of(request)
    served.counter.inc(len(requests))
    if served.is_slow or (served.following is None and rows_of(requests) > QUICK):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(service.slow, served.answerer.answer, requests)
    alone = len(request.scope.get("in_progress", ())) <= 1
    return await service.batcher.answer(served, requests, alone=alone)


def written(served: Served, rows: Sequence[Answer]) -> Response:
    """Return the response with all rows, and the version that they come from."""
    about = {"format": FORMAT, "family": served.family, "variant": served.variant, "version": served.version.name}
    return json_response({**about, "rows": rows})


def json_response(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a response of JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def found(rows: Sequence[Answer]) -> Sequence[Answer]:
    """Return the rows about one thing; a NotFoundError if there is no such thing."""
    if rows and rows[0].get("problem"):
        raise NotFoundError(rows[0]["problem"])
    return rows
