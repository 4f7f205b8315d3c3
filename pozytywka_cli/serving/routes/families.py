"""Answers of the promoted models, or of others that a request names."""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.routing import Route

from pozytywka_cli.errors import UsageError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import Online
from pozytywka_cli.serving import openapi
from pozytywka_cli.serving.answers import answer, found, written
from pozytywka_cli.serving.bodies import decode_requests, read_body
from pozytywka_cli.serving.served import Served
from pozytywka_cli.serving.service import Service, refuse_unknown_parameters, service_of

PICK = ("variant", "version")
router = APIRouter(tags=["answers"], responses=openapi.PROBLEMS)

Variant = Annotated[str | None, Query(description="Answer with this variant: its promoted version, or the newest.")]
VersionName = Annotated[str | None, Query(description="Answer with this version, or the one that begins like this.")]
ById = Annotated[bool, Query(description="The path holds an id, not a name.")]
Artist = Annotated[str, Path(description="The name of an artist, or its id.", examples=["Rosetta"])]


class FindsArtists(Protocol):
    """An answerer that finds artists by name."""

    def artist_ids(self, name: str) -> list[str]:
        """Return the ids of the artists with a name; a NotFoundError if there is none."""


async def served_by(service: Service, family: str, variant: str | None, version: str | None) -> Served:
    """Return the version that a request names, or the promoted one."""
    if variant is not None and version is not None:
        raise UsageError("variant and version exclude each other", "Leave out one of them.")
    if variant is not None:
        registry.variant(registry.get(family), variant)
    return await service.models.find(family, variant if variant is not None else version)


def of_requests() -> list[Route]:
    """Return a route for each family that can answer online, which answers its requests.

    They are routes of Starlette: what FastAPI does for each request takes some 20 µs, a sixth of what one costs.
    """
    return [_route(name) for name in registry.names() if isinstance(registry.get(name), Online)]


def _route(family: str) -> Route:
    async def predict(request: Request) -> Response:
        request.scope["route"], service, picked = route, service_of(request), dict[str, str]()
        if request.scope["query_string"]:
            refuse_unknown_parameters(request, PICK)
            picked = dict(request.query_params)
        body = await read_body(request, service.options)
        served = await served_by(service, family, picked.get("variant"), picked.get("version"))
        requests = decode_requests(body, served.answerer.Request, service.options.requests)
        rows = [row for rows in await answer(request, served, requests) for row in rows]
        return written(served, rows)

    route = Route(f"/v1/{family}", predict, methods=["POST"])
    return route


@router.get("/v1/similar/{name:path}", responses=openapi.ANSWER)
async def similar(
    request: Request,
    name: Artist,
    count: Annotated[int, Query(ge=1, le=1000, description="How many artists.")] = 5,
    by_id: ById = False,
    variant: Variant = None,
    version: VersionName = None,
) -> Response:
    """Find the artists most similar to an artist; case, accents and typos are forgiven."""
    return await _one(request, "similar", variant, version, artist=name, by_id=by_id, count=count)


@router.get("/v1/recommend/{user}", responses=openapi.ANSWER)
async def recommend(
    request: Request,
    user: Annotated[int, Path(ge=-(2**63), lt=2**63, examples=[101])],
    count: Annotated[int, Query(ge=1, le=1000, description="How many tracks.")] = 20,
    allow_heard: Annotated[bool, Query(description="Recommend also what the user has played.")] = False,
    diversity: Annotated[float, Query(ge=0, le=1, description="The weight of variety against relevance.")] = 0.2,
    tail: Annotated[int | None, Query(ge=0, le=1000, description="At least so many tracks that few play.")] = None,
    like_track: Annotated[str | None, Query(description="Recommend what is like this track (an id).")] = None,
    like_artist: Annotated[str | None, Query(description="Recommend what is like this artist (a name).")] = None,
    genres: Annotated[str | None, Query(description="Recommend from these genres, separated by commas.")] = None,
    variant: Variant = None,
    version: VersionName = None,
) -> Response:
    """Recommend tracks to a user."""
    wish: dict[str, Any] = {"count": count, "allow_heard": allow_heard, "diversity": diversity, "tail": tail}
    wish |= {"like_track": like_track, "like_artist": like_artist, "genres": genres}
    return await _one(request, "recommend", variant, version, user_id=user, **wish)


@router.get("/v1/weekly/{artist:path}", responses=openapi.ANSWER)
async def weekly(
    request: Request,
    artist: Artist,
    horizon: Annotated[int | None, Query(ge=1, description="How many weeks; default: all of the model's.")] = None,
    by_id: ById = False,
    variant: Variant = None,
    version: VersionName = None,
) -> Response:
    """Forecast how long an artist will be listened to, in seconds a week."""
    served = await served_by(service_of(request), "weekly", variant, version)
    ids = [artist] if by_id else _finder(served).artist_ids(artist)
    return await _rows(request, served, [{"artist_id": one, "horizon": horizon} for one in ids])


def _finder(served: Served) -> FindsArtists:
    answerer: Any = served.answerer
    finder: FindsArtists = answerer
    return finder


async def _one(request: Request, family: str, variant: str | None, version: str | None, **fields: Any) -> Response:
    served = await served_by(service_of(request), family, variant, version)
    return await _rows(request, served, [fields])


async def _rows(request: Request, served: Served, requests: list[dict[str, Any]]) -> Response:
    refuse_unknown_parameters(request, openapi.parameters(request))
    kind = served.answerer.Request
    answers = await answer(request, served, [kind(**fields) for fields in requests])
    return written(served, found([row for rows in answers for row in rows]))
