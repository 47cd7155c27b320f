"""The application: every dialect on one engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from remanence import __version__
from remanence.backend import Backend
from remanence.bootstrap import open_backend
from remanence.dialects import kronvex, memstore, native
from remanence.dialects.access import Services
from remanence.engine import AsyncEngine
from remanence.errors import RemanenceError
from remanence.server import errors
from remanence.server.auth import Authenticator
from remanence.server.middleware import Doorkeeper
from remanence.settings import Settings, load


def create_app(settings: Settings | None = None, *, backend: Backend | None = None) -> FastAPI:
    """The server as an ASGI application. `backend` replaces the one that the settings name, which tests need."""
    settings = load() if settings is None else settings
    authenticate = Authenticator(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        opened = open_backend(settings) if backend is None else backend
        root = AsyncEngine("default", opened, tenant=settings.tenant)
        if backend is None:
            opened.release()  # from here on the root is counted
        authenticate.open(opened)
        app.state.services = Services(settings=settings, backend=opened, root=root)
        try:
            yield
        finally:
            authenticate.close()
            await root.aclose()

    app = FastAPI(title="Remanence", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_exception_handler(RemanenceError, errors.on_remanence_error)
    app.add_exception_handler(RequestValidationError, errors.on_invalid_request)
    app.add_exception_handler(HTTPException, errors.on_http_error)
    app.add_exception_handler(Exception, errors.on_bug)
    app.include_router(native.router)
    app.include_router(kronvex.router)
    app.include_router(memstore.router)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "ok"}

    app.add_middleware(Doorkeeper, authenticate=authenticate)
    return app
