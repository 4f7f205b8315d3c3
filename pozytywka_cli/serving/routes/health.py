"""Is the service alive, is it ready, which models answer, and how busy is it?"""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from pozytywka_cli import __version__
from pozytywka_cli.families import registry
from pozytywka_cli.records import VALIDATION
from pozytywka_cli.serving import metrics, openapi
from pozytywka_cli.serving.answers import FORMAT, json_response
from pozytywka_cli.serving.served import Served
from pozytywka_cli.serving.service import service_of

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> Response:
    """Tell that the process answers."""
    return json_response({"status": "alive", "pozytywka": __version__})


@router.get("/readyz", responses={503: openapi.PROBLEM})
async def readyz(request: Request) -> Response:
    """Tell whether the promoted models are open, and why one is not."""
    models = service_of(request).models
    problems = {family: error.message for family, error in models.problems.items()}
    ready = models.is_ready
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return json_response({"status": "ready" if ready else "starting", "problems": problems}, status)


@router.get("/metrics", response_class=Response, responses={200: {"content": {metrics.MEDIA_TYPE: {}}}})
async def figures() -> Response:
    """Return counters for Prometheus, as OpenMetrics."""
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)


@router.get("/v1/models", tags=["answers"], responses=openapi.ANSWER)
async def models(request: Request) -> Response:
    """List the open versions, with their variants, metrics, data, and since when they answer."""
    opened = service_of(request).models
    problems = {family: error.message for family, error in opened.problems.items()}
    rows = [_row(served, promoted=opened.is_promoted(served)) for served in opened.open]
    return json_response({"format": FORMAT, "rows": rows, "problems": problems})


def _row(served: Served, *, promoted: bool) -> dict[str, Any]:
    made, prepared = served.version.manifest, served.prepared
    measured = [row for row in made.metrics if row.variant == made.variant and row.protocol != VALIDATION]
    return {
        "family": made.family,
        "question": registry.get(made.family).question,
        "variant": made.variant,
        "version": made.version,
        "promoted": promoted,
        "created": made.created,
        "since": served.since,
        "prepared": prepared.created,
        "known_until": max((one.last for one in prepared.inputs if one.last), default=None),
        "metrics": measured,
    }
