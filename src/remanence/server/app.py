"""The application: every dialect on one engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from remanence import __version__
from remanence.backend import Backend
from remanence.bootstrap import open_backend
from remanence.dialects import botwire, kronvex, memstore, native, zerolatency
from remanence.dialects.access import Services
from remanence.engine import AsyncEngine
from remanence.errors import RemanenceError
from remanence.keys import KeyRing
from remanence.ports import Documents
from remanence.server import errors, events, health, jobs, logs, openapi, pages, webhooks
from remanence.server.auth import Authenticator
from remanence.server.health import Readiness
from remanence.server.metrics import Metrics
from remanence.server.middleware import Doorkeeper, Guard
from remanence.server.routing import include
from remanence.settings import Settings, load

# Every dialect's routes. The first that matches answers: what is fixed comes before what is a pattern.
ROUTERS: list[APIRouter] = [
    health.router,
    pages.router,
    native.router,
    jobs.router,
    events.router,
    webhooks.router,
    memstore.router,
    kronvex.router,
    botwire.router,
    zerolatency.router,
    zerolatency.v1,
]

NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""Older releases of FastAPI have none to switch off, and ignore this."""


def create_app(settings: Settings | None = None, *, backend: Backend | None = None) -> FastAPI:
    """The server as an ASGI application. `backend` replaces the one that the settings name, which tests need.

    `app.state.draining` is an asyncio.Event: set when the server was asked to stop, and endless answers must end.
    """
    settings = load() if settings is None else settings
    authenticate = Authenticator(settings)
    metrics = Metrics()
    draining = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        opened = open_backend(settings) if backend is None else backend
        root = AsyncEngine("default", opened, tenant=settings.tenant)
        if backend is None:
            opened.release()  # from here on the root is counted
        async with AsyncExitStack() as parts:
            parts.push_async_callback(root.aclose)
            opened.keyword_fallback = opened.reads_here = True
            parts.enter_context(metrics.watch(opened))
            authenticate.open(opened)
            app.state.keyed = isinstance(opened.store, Documents) and await opened.run(
                KeyRing(opened.store).any
            )
            parts.callback(authenticate.close)
            app.state.services = Services(settings=settings, backend=opened, root=root)
            app.state.readiness = Readiness(opened)
            await parts.enter_async_context(jobs.running(app.state, opened, draining))
            warming = asyncio.create_task(_warm_up(opened))
            parts.callback(warming.cancel)
            yield

    app = FastAPI(
        title="Remanence",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.state.draining = draining
    app.state.metrics = metrics
    app.add_exception_handler(RemanenceError, errors.on_remanence_error)
    app.add_exception_handler(RequestValidationError, errors.on_invalid_request)
    app.add_exception_handler(HTTPException, errors.on_http_error)
    include(app, ROUTERS)
    openapi.complete(app)

    # The last one added is the first that a request meets.
    app.add_middleware(
        Doorkeeper,
        authenticate=authenticate,
        settings=settings,
        local=lambda: authenticate.local and not app.state.keyed,
    )
    if origins := [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-API-Key", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    app.add_middleware(Guard, settings=settings, draining=draining, metrics=metrics)
    return app


async def _warm_up(backend: Backend) -> None:
    """Load the embedder while nobody waits for it yet. What is wrong with it, /readyz says too."""
    try:
        await backend.embed_query("warm")
    except RemanenceError as error:
        logs.get().warning("the embedder does not answer", code=error.code)
