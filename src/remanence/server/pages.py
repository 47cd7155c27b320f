"""The page that shows the API: one file, from this server alone."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)


@cache
def page() -> tuple[bytes, dict[str, str]]:
    """The page and its headers: nothing runs but the script in it, and that reaches nothing but this server."""
    text = files("remanence.server").joinpath("ui", "docs.html").read_text("utf-8")
    script, style = (
        " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()}'"
            for found in re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        )
        for tag in ("script", "style")
    )
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text.encode(), {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


@router.get("/docs")
async def docs() -> Response:
    """The routes of this server, for people."""
    content, headers = page()
    return Response(content, headers=headers, media_type="text/html")
