"""The OpenAPI description: schemas from the structs of requests, and examples that work on the generated sample."""

import inspect
from typing import Any

import msgspec
from fastapi import FastAPI, Request

from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import Online
from pozytywka_cli.serving.bodies import strict

PROBLEM: dict[str, Any] = {
    "description": "A problem document (RFC 9457)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "request_id"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string", "description": "what is wrong, and where"},
                    "hint": {"type": "string", "description": "what to do next"},
                    "request_id": {"type": "string"},
                    "problems": {"type": "array", "items": {"type": "object"}},
                },
            }
        }
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": PROBLEM, "5XX": PROBLEM}
ROWS = {
    "type": "object",
    "required": ["format", "rows"],
    "properties": {
        "format": {"type": "integer"},
        "family": {"type": "string"},
        "variant": {"type": "string"},
        "version": {"type": "string"},
        "rows": {"type": "array", "items": {"type": "object"}},
    },
}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer", "content": {"application/json": {"schema": ROWS}}}
}
TRACK = "dczz2w6ZePgcwax9Obp7Je"
EXAMPLES: dict[str, Any] = {
    "skip": [{"user_id": 101, "track_id": TRACK}, {"user_id": 102, "track_id": TRACK}],
    "weekly": {"artist_id": "1ZuvtT4ltkRo4q47Gwb5dQ"},
    "similar": {"artist": "metalica", "count": 3},
    "recommend": {"user_id": 101, "count": 5, "genres": "post-rock"},
}
EVENT = {
    "timestamp": "2026-01-05T08:30:00Z",
    "user_id": 101,
    "track_id": TRACK,
    "event_type": "PLAY",
    "session_id": 900_001,
}
EVENT_SCHEMA = {
    "type": "object",
    "required": ["timestamp", "user_id", "event_type", "session_id"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "user_id": {"type": "integer"},
        "track_id": {"type": ["string", "null"]},
        "event_type": {"enum": ["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]},
        "session_id": {"type": ["integer", "string"]},
    },
}

OUTCOME = {
    "unit": "101",
    "metric": "recommendation_success",
    "event": "list-4711",
    "at": 1_767_342_600_000_000,
    "value": 3.0,
    "weight": 20.0,
}
ANY_REQUESTS = {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}


def described(app: FastAPI) -> dict[str, Any]:
    """Return the description of the application, with the routes that answer requests to families."""
    if app.openapi_schema is None:
        paths: dict[str, dict[str, Any]] = FastAPI.openapi(app)["paths"]
        for name in registry.names():
            if isinstance(family := registry.get(name), Online):
                paths.setdefault(f"/v1/{name}", {})["post"] = _of_family(family, name)
    assert app.openapi_schema is not None
    return app.openapi_schema


def _of_family(family: Online, name: str) -> dict[str, Any]:
    """Describe the route that answers requests to a family."""
    picks = {
        "variant": "Answer with this variant: its promoted version, or the newest.",
        "version": "Answer with this version.",
    }
    parameters = [
        {"name": pick, "in": "query", "required": False, "schema": {"type": "string"}, "description": text}
        for pick, text in picks.items()
    ]
    return {
        "tags": ["answers"],
        "summary": registry.get(name).question,
        "description": "The body is one request, or a list of them. Rows follow in the order of the requests.",
        "parameters": parameters,
        **of_struct(family.online_request(), EXAMPLES.get(name, {})),
        "responses": {str(status): response for status, response in (ANSWER | PROBLEMS).items()},
    }


def json_body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    """Describe a body of JSON."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


def of_struct(kind: type[msgspec.Struct], example: Any) -> dict[str, Any]:
    """Describe a body that is one object, or a list of them."""
    one = _schema(kind)
    return json_body({"anyOf": [one, {"type": "array", "items": one}]}, example)


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of a struct, whose docstring describes its fields."""
    schema = msgspec.json.schema(strict(kind))
    (found,) = schema["$defs"].values()
    return {**found, "description": inspect.cleandoc(kind.__doc__ or "")}


def parameters(request: Request) -> tuple[str, ...]:
    """Return the names of the parameters of the query that a request's route declares."""
    return tuple(one.alias for one in request.scope["route"].dependant.query_params)
