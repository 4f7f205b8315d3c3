"""Errors as problem documents (RFC 9457), with the message and the hint of the command line."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from pozytywka_cli import errors
from pozytywka_cli.serving.deadline import Deadline

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.PozytywkaError], HTTPStatus] = {  # of a subclass: that of the nearest class
    errors.UsageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.RefusedError: HTTPStatus.CONFLICT,
    errors.ArtifactError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnreachableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageError: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PozytywkaError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ProblemError(Exception):
    """A request that is refused because of how it was made."""

    def __init__(self, status: HTTPStatus, detail: str, hint: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint, self.more = status, detail, hint, more


def response(status: HTTPStatus, detail: str, hint: str, request_id: str, **more: Any) -> Response:
    """Return the response with a problem document."""
    document = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    document |= {"hint": hint} if hint else {}
    content = msgspec.json.encode({**document, "request_id": request_id, **more})
    headers = {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(content, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of a route become a problem document."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(errors.PozytywkaError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return response(error.status, error.detail, error.hint, request_id(request), **error.more)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.PozytywkaError)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return response(status, error.message, error.hint, request_id(request))


async def _invalid(request: Request, error: Exception) -> Response:
    """Describe parameters of the path or the query that are wrong."""
    assert isinstance(error, RequestValidationError)
    found = [{"field": ".".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['field']}: {one['problem']}" for one in found)
    return response(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "See /docs.", request_id(request), problems=found)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    answer = response(status, detail, "All routes are listed in /docs.", request_id(request))
    answer.headers.update(error.headers or {})  # such as the methods that are allowed
    return answer


def internal(request_id: str) -> Response:
    """Return the response to a request that an internal error has ended."""
    hint = "Please report it, with the log line of this request_id."
    return response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error", hint, request_id)


def late(request_id: str, deadline: Deadline) -> Response:
    """Return the response to a request that has taken too long."""
    if deadline.awaits_body:
        detail = f"the body did not arrive within {deadline.seconds:g} s"
        return response(HTTPStatus.REQUEST_TIMEOUT, detail, "Send it faster, or in parts.", request_id)
    detail, hint = f"no answer within {deadline.seconds:g} s", "Ask for less at once, or try again later."
    return response(HTTPStatus.SERVICE_UNAVAILABLE, detail, hint, request_id)


def overloaded(request_id: str) -> Response:
    """Return the response to a request on one connection too many, which ends."""
    hint = "Try again later, or over fewer connections."
    answer = response(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open", hint, request_id)
    answer.headers["connection"] = "close"
    return answer


def request_id(request: Request) -> str:
    """Return the id of a request."""
    found: str = request.scope["request_id"]
    return found
