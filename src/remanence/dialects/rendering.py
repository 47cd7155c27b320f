"""What all dialects answer with: JSON bytes made in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body. Its text is that of memories, so it is UTF-8 and finite already."""
    return json_text_response(_encode(value), status, headers)


def json_text_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is JSON text already."""
    return Response(text.encode(), status, headers, media_type="application/json")
