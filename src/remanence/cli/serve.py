"""serve: the memory for other processes and machines."""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated

import typer

from remanence.cli.frame import frame_of
from remanence.errors import MissingExtraError

NEEDED = ("fastapi", "prometheus_client", "structlog", "uvicorn")


class LogFormat(StrEnum):
    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address to listen on; default: REMANENCE_HOST, else 127.0.0.1."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help="Port to listen on, 0: any that is free; default: REMANENCE_PORT, else 8420.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes that serve; default: REMANENCE_WORKERS, else 1."),
    ] = None,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            "--log-format",
            metavar="FORM",
            help="auto, console or json; default: REMANENCE_LOG_FORMAT, else auto: JSON unless in a terminal.",
        ),
    ] = None,
) -> None:
    """Serve the database over HTTP, until SIGTERM or Ctrl-C.

    Asked to stop, it finishes what it has begun and refuses what is new; asked twice, it stops at once.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise MissingExtraError(f'serving needs {", ".join(missing)}: pip install "remanence[server]"')
    from remanence.server.serve import serve as run

    run(
        frame_of(ctx).settings(
            host=host,
            port=port,
            workers=workers,
            log_format=None if log_format is None else log_format.value,
        )
    )
