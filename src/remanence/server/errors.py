"""Every error as an answer: one body, one table of statuses, for all dialects."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from remanence.errors import InvalidInputError, LimitError, RemanenceError, ServerUnavailableError, StoreError
from remanence.server import logs

RETRY_SECONDS = 2
MOST_ERRORS = 20
"""That one answer tells: an error may be larger than what it is about."""
LONGEST_TEXT = 500
LONGEST_NAME = 200
MOST_STEPS = 16
"""Characters of a sentence and of a name that was sent, and steps to a nested argument."""

STATUS = {
    "invalid_input": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "idempotency_conflict": 409,
    "quota_exceeded": 402,
    "too_large": 413,
    "rate_limited": 429,
    "embedder_error": 503,
    "embedder_unavailable": 503,
    "store_unavailable": 503,
    "store_full": 503,
    "store_read_only": 503,
    "server_unavailable": 503,
    "closed": 503,
}
"""By `code`; any other is 500."""

CODES = {
    400: "malformed",
    404: "no_such_path",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    421: "misdirected",
    422: "invalid_input",
    431: "headers_too_large",
}
"""Of what never reaches the engine, by status."""


def answer(
    status: int,
    detail: str,
    code: str,
    request_id: str | None,
    *,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """The one body that errors have."""
    return Response(
        body(detail, code, request_id, **more),
        status,
        headers,
        media_type="application/json",
    )


def body(detail: str, code: str, request_id: str | None, **more: Any) -> bytes:
    """The JSON of an error."""
    told = {"detail": cut(detail, LONGEST_TEXT), "code": code, "request_id": request_id, **more}
    return json.dumps(told, ensure_ascii=False).encode(errors="replace")


def cut(text: str, most: int) -> str:
    """The text, or its beginning: what was sent may be in it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def refusal(status: int, detail: str, request_id: str | None, **headers: str) -> Response:
    """An answer to a request that does not get as far as the engine."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, detail, CODES[status], request_id, headers=sent)


def bug(request_id: str | None) -> Response:
    """What nobody foresaw; its text may hold anything, so only the log has it."""
    return answer(500, "the server failed; its log has the request id", "internal", request_id)


def of_error(error: RemanenceError, request_id: str | None) -> Response:
    """An error of ours as an answer. What is the server's own trouble is logged, too."""
    status = STATUS.get(error.code, 500)
    if status >= 500 and not isinstance(error, ServerUnavailableError):
        _log(error, status)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    wait = error.retry_after if isinstance(error, LimitError) else None
    if status in (429, 503) or wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(RETRY_SECONDS if wait is None else wait)))
    more: dict[str, Any] = {}
    if isinstance(error, InvalidInputError):
        more = {
            "argument": (argument := cut(error.argument, LONGEST_NAME)),
            "errors": [{"loc": [argument], "msg": cut(error.why, LONGEST_TEXT)}],
        }
    return answer(status, str(error), error.code, request_id, headers=headers, **more)


def _log(error: RemanenceError, status: int) -> None:
    """Why a request was not served. An embedder's message may repeat what it was given, so only its kind is told."""
    why = str(error) if isinstance(error, StoreError) else type(error.__cause__ or error).__name__
    trace = error if status == 500 else None
    logs.get().error("a request was not served", code=error.code, why=why, exc_info=trace)


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def on_remanence_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RemanenceError)
    return of_error(error, _request_id(request))


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """What pydantic refused: 400 for what is no JSON, else 422 with what is wrong, the first twenty of it."""
    assert isinstance(error, RequestValidationError)
    found: Sequence[Any] = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return answer(400, "the body is not valid JSON", "malformed", _request_id(request))
    errors = [
        {
            "loc": [cut(str(part), LONGEST_NAME) for part in item["loc"][:MOST_STEPS]],
            "msg": cut(str(item["msg"]), LONGEST_TEXT),
        }
        for item in found[:MOST_ERRORS]
    ]
    where = cut(_named(found[0]["loc"][1:]), LONGEST_NAME)
    return answer(
        422,
        f"{where}: {errors[0]['msg']}",
        "invalid_input",
        _request_id(request),
        argument=where,
        errors=errors,
    )


def _named(steps: Sequence[str | int]) -> str:
    """A nested argument as the engine names it: `items[1].content`."""
    found = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps[:MOST_STEPS])
    return found.removeprefix(".") or "body"


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework itself answers, such as an unknown path."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "http_error")
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, str(error.detail), code, _request_id(request), headers=headers)
