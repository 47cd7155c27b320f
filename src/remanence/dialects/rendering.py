"""What all dialects answer with: JSON bytes made in one place, and the errors that any route may answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body. Its text is that of memories, so it is UTF-8 and finite already."""
    return json_text_response(_encode(value), status, headers)


def json_text_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is JSON text already."""
    return Response(text.encode(), status, headers, media_type="application/json")


class Problem(BaseModel):
    """One part of a request that was refused."""

    loc: list[str]
    msg: str


class Error(BaseModel):
    """What went wrong, in a sentence and as a code that programs can match on."""

    detail: str
    code: str
    request_id: str | None
    argument: str | None = None
    errors: list[Problem] | None = None


_MEANINGS = {
    400: "The request is not well-formed, such as a body that is no JSON.",
    401: "No key came along, or one that is unknown, revoked or expired.",
    402: "What the key may use is used up.",
    403: "The key may not do this, or not in this namespace.",
    404: "There is no such thing here.",
    408: "The request came too slowly.",
    409: "Another change came first, or something else holds this place.",
    413: "The request is larger than the server takes.",
    414: "Path and query are longer than the server takes.",
    421: "The header `Host` names another server.",
    422: "An argument was refused; `argument` names it. Nothing was done.",
    429: "Too many requests; `Retry-After` says how long to wait.",
    431: "The headers are more than the server takes.",
    503: "The server cannot do this now; `Retry-After` says when to try again.",
}

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error, "description": meaning} for status, meaning in _MEANINGS.items()
}
"""For `APIRouter(responses=ERRORS)`: every route says that it may answer these."""
