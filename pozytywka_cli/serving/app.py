"""The application: routes, errors, limits, and what runs beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from pozytywka_cli import __version__
from pozytywka_cli.serving import openapi, problems
from pozytywka_cli.serving.middleware import Boundary
from pozytywka_cli.serving.options import Options
from pozytywka_cli.serving.routes import events, experiments, families, health
from pozytywka_cli.serving.service import Service

DESCRIPTION = "Answers of the promoted models, events as they happen, and experiments."


def create(options: Options) -> FastAPI:
    """Return the application that one worker runs.

    Raises:
        UsageError, StorageError: the file of tokens cannot be used.
    """
    service = Service(options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(title="pozytywka", version=__version__, description=DESCRIPTION, lifespan=lifespan, redoc_url=None)
    app.state.service = service
    app.router.routes[:0] = families.of_requests()
    for router in (families.router, events.router, experiments.router, health.router):
        app.include_router(router)
    app.openapi = partial(openapi.described, app)  # type: ignore[method-assign]
    problems.install(app)
    if options.origins:
        app.add_middleware(CORSMiddleware, allow_origins=options.origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(Boundary, seconds=options.seconds, access_log=options.access_log)
    return app
