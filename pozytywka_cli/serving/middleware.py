"""What surrounds every request: its id, a time limit, the access log, figures."""

import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from functools import cache
from itertools import count
from secrets import token_hex
from typing import Any

import msgspec
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pozytywka_cli.serving import metrics, problems
from pozytywka_cli.serving.deadline import Deadline

ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
WITH_BODY = ("POST", "PUT", "PATCH")
PROCESS, NUMBERS = token_hex(8), count(1)
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")  # others are counted together
NO_ROUTE = "none"
Log = Callable[[MutableMapping[str, Any]], None]
logger = logging.getLogger(__name__)


class Boundary:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, *, seconds: float, access_log: bool) -> None:
        self.app, self.seconds = app, seconds
        self.log: Log = _write_line if access_log else _ignore

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; every response has its id in `x-request-id`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = scope["request_id"] = _request_id(scope)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        deadline = scope["deadline"] = Deadline(self.seconds, has_body=scope["method"] in WITH_BODY)
        try:
            async with deadline.limit:
                app = problems.overloaded(request_id) if scope.get("overloaded") else self.app
                await app(scope, receive, send_with_id)
        except TimeoutError:
            if not status:
                await problems.late(request_id, deadline)(scope, receive, send_with_id)
        except ClientDisconnect:
            pass
        except Exception:
            logger.exception("internal error: %s %s, request_id %s", scope["method"], scope["path"], request_id)
            if not status:
                await problems.internal(request_id)(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE).replace(":path}", "}")
        _counter(scope["method"] if scope["method"] in METHODS else "other", route, status).inc()
        _histogram(route).observe(seconds)
        client = scope.get("client")
        self.log(
            {
                "time": time.time(),
                "request_id": scope["request_id"],
                "client": client[0] if client else None,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,  # 0: the client went away
                "ms": round(1000 * seconds, 3),
            }
        )


def _request_id(scope: Scope) -> str:
    """Return the id that the client gave, or a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if ID.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """Return an id that no other request has."""
    return f"{PROCESS}-{next(NUMBERS):x}"


@cache
def _counter(method: str, route: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(method, route, status)


@cache
def _histogram(route: str) -> Histogram:
    return metrics.SECONDS.labels(route)


def _write_line(fields: MutableMapping[str, Any]) -> None:
    moment = fields["time"]
    fields["time"] = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(moment))}.{int(moment % 1 * 1000):03d}Z"
    if sys.stderr is not None:
        with suppress(OSError):  # who reads the log may have gone, or its disk may be full
            sys.stderr.buffer.write(msgspec.json.encode(fields) + b"\n")
            sys.stderr.buffer.flush()


def _ignore(fields: MutableMapping[str, Any]) -> None:
    pass
