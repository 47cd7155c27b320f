"""Running the server: uvicorn with our settings."""

from __future__ import annotations

from functools import partial

import uvicorn

from remanence.server.app import create_app
from remanence.settings import Settings


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 8420) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvicorn.run(partial(create_app, settings), factory=True, host=host, port=port, access_log=False)
