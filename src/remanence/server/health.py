"""How the server is: for those who start it, send it requests, and watch it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from remanence.dialects.access import AccessDep
from remanence.errors import RemanenceError
from remanence.server.errors import RETRY_SECONDS
from remanence.server.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from remanence.backend import Backend

router = APIRouter(tags=["operations"])

PROBE_SECONDS = 5.0  # that a part has to answer
EMBEDDER_EVERY = 10.0  # seconds between two questions to the embedder: some are paid for


class Readiness:
    """Whether the parts that a request needs do their work. `failing` names those that do not, and why."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._embedder: str | None = None

    async def failing(self) -> dict[str, str]:
        found = {"store": await self._store(), "embedder": await self._embedder_or_why()}
        return {part: why for part, why in found.items() if why is not None}

    async def _store(self) -> str | None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._backend.run(self._backend.store.model)
        except (RemanenceError, TimeoutError) as error:
            return _why(error)
        return None

    async def _embedder_or_why(self) -> str | None:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= EMBEDDER_EVERY:
                try:
                    async with asyncio.timeout(PROBE_SECONDS):
                        await self._backend.embed(["ready?"], quietly=True)
                except (RemanenceError, TimeoutError) as error:
                    self._embedder = _why(error)
                else:
                    self._embedder = None
                self._asked_at = now
            return self._embedder


def _why(error: Exception) -> str:
    """In a word: a message may name paths and addresses, and everybody may ask."""
    return error.code if isinstance(error, RemanenceError) else "timeout"


@router.get("/healthz", summary="Whether the process lives", response_model=None)
async def healthz() -> Response:
    """200 as long as the process answers at all, also while it is stopping."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Whether requests can be served", response_model=None)
async def readyz(request: Request) -> Response:
    """200 when the store can be read and the embedder answers; else 503 and which part fails."""
    state = request.app.state
    failing: dict[str, Any] = await state.readiness.failing()
    if state.draining.is_set():
        failing["server"] = "stopping"
    if not failing:
        return JSONResponse({"status": "ready"})
    return JSONResponse(
        {
            "status": "not ready",
            "failing": failing,
            "detail": f"not ready: {', '.join(failing)}",
            "code": "server_unavailable",
            "request_id": request.state.request_id,
        },
        503,
        {"Retry-After": str(RETRY_SECONDS)},
    )


for _path, _answer in (("/healthz", healthz), ("/readyz", readyz)):  # some watchers want no body
    router.add_api_route(_path, _answer, methods=["HEAD"], include_in_schema=False, response_model=None)


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(request: Request, access: AccessDep) -> Response:
    """Requests, times and failures in Prometheus' text format.

    Once there are keys, for those with the scope `admin` of the server's own tenant.
    """
    access.admin()
    return Response(await asyncio.to_thread(request.app.state.metrics.render), media_type=CONTENT_TYPE)
