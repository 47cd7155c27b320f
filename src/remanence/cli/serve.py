"""serve: the memory for other processes and machines."""

from __future__ import annotations

from typing import Annotated

import typer

from remanence.cli.frame import frame_of


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port to listen on.")] = 8420,
) -> None:
    """Serve the database over HTTP, until SIGTERM or Ctrl-C."""
    from remanence.server.serve import serve as run

    run(frame_of(ctx).settings(), host=host, port=port)
