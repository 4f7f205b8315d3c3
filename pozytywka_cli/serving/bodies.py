"""Read and decode the bodies of requests, within limits."""

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, get_args, get_origin

import msgspec
from fastapi import Request
from msgspec import Meta
from starlette.requests import ClientDisconnect

from pozytywka_cli.serving.deadline import Deadline
from pozytywka_cli.serving.options import Options
from pozytywka_cli.serving.problems import ProblemError

LISTED = 20  # tracks or artists for each request that a body may have, on average
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
JSON = (b"application/json", b"application/x-ndjson", b"application/jsonl")


async def read_body(request: Request, options: Options) -> bytes:
    """Return the body of a request.

    Raises:
        ProblemError: it is not said to be JSON, or is too large.
        ClientDisconnect: the client has gone.
    """
    headers = dict(request.scope["headers"])
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind not in JSON:  # a web page of another site cannot send this without asking first
        hint = f"Send the header `Content-Type: {JSON[0].decode()}`."
        shown = kind.decode(errors="replace") or "missing"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content type is {shown}", hint)
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > options.body_bytes:
        raise _too_large(options.body_bytes)
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > options.body_bytes:
            raise _too_large(options.body_bytes)
    deadline: Deadline = request.scope["deadline"]
    deadline.awaits_body = False
    return b"".join(parts)


def _too_large(limit: int) -> ProblemError:
    detail = f"the body has more than {limit:,} bytes"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, "Send it in parts, or raise --max-body.")


def decode_requests(body: bytes, kind: type[msgspec.Struct], most: int) -> list[Any]:
    """Return the request, or the requests of a list, in a body.

    Raises:
        ProblemError: it is no JSON, or not of the fields of `kind`; the place is named. Or it has more than `most`.
    """
    decoded = decode(body, _one_or_many(kind))
    requests = decoded if isinstance(decoded, list) else [decoded]
    refuse_too_many(len(requests), most)
    if "count" in kind.__struct_fields__:
        refuse_too_many(rows_of(requests), LISTED * most)
    return requests


def rows_of(requests: Sequence[Any]) -> int:
    """Return how many rows requests ask for: the `count` of each, if requests of its kind have one."""
    return sum(getattr(one, "count", 1) for one in requests)


def refuse_too_many(count: int, most: int) -> None:
    """Raise a ProblemError if a body has more requests or events than it may."""
    if count > most:
        detail = f"the body has {count:,} items; at most {most:,} are taken at once"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, "Send them in parts, or raise --max-requests.")


def decode(body: bytes, decoder: "msgspec.json.Decoder[Any]") -> Any:
    """Decode a body; a ProblemError names the place of what is wrong."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        hint = "The fields are described in /docs."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body is not as it should be: {error}", hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}", "Correct it.") from None


@cache
def _one_or_many(kind: type[msgspec.Struct]) -> "msgspec.json.Decoder[Any]":
    one = strict(kind)
    return msgspec.json.Decoder(one | list[one])  # type: ignore[valid-type]


@cache
def strict(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the struct with integers of 64 bits, and without room for fields that it does not have."""
    fields = msgspec.structs.fields(kind)
    narrowed: Sequence[tuple[str, Any, Any]] = [
        (one.name, _narrow(one.type), one.default) for one in fields if _narrow(one.type) != one.type
    ]
    return msgspec.defstruct(
        kind.__name__,
        [one if one[2] is not msgspec.NODEFAULT else one[:2] for one in narrowed],
        bases=(kind,),
        kw_only=True,
        forbid_unknown_fields=True,
    )


def _narrow(kind: Any) -> Any:
    """Return a type in which every `int` without limits of its own is one of 64 bits."""
    if kind is int:
        return Int64
    if get_origin(kind) is not None and get_origin(kind) is not Annotated and int in get_args(kind):
        others = [one for one in get_args(kind) if one is not int]
        return Int64 | others[0] if len(others) == 1 else kind
    return kind
