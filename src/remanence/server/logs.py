"""The server's log: one line per event on standard error, JSON unless a person watches."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from remanence.settings import Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being answered here."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send everything that this process logs to `stream` (default: standard error) in the form the settings name."""
    stream = cast("TextIO", sys.stderr) if stream is None else stream
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    level = LEVELS[settings.log_level]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        _add_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Never the variables of a traceback's frames: among them are keys and what agents remember.
    last: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
        ]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))  # others' chatter may name addresses with keys in them
    logging.getLogger("remanence").setLevel(level)
    # Its own account of starting and stopping is said by us, once.
    logging.getLogger("uvicorn").setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def _add_request_id(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    if "request_id" not in event and (known := request_id.get()) is not None:
        event["request_id"] = known
    return event


def get() -> Any:
    """The logger of the server itself."""
    return structlog.get_logger()
