"""The OpenAPI document: what every route may answer besides its own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

Json = dict[str, Any]

DESCRIPTION = """Persistent memory for AI agents.

Send a key as `Authorization: Bearer KEY`, as `X-API-Key: KEY`, or as the password of Basic authentication. Without any
key made yet, a server that only this machine reaches needs none. Every answer has an `X-Request-ID`; one that you send
is kept. Names in paths are percent-encoded: `team%2Fx` is the namespace `team/x`."""

ERRORS = {
    400: "The request is no HTTP, or its body no JSON.",
    401: "No key came with the call, or one that is unknown, revoked or expired.",
    402: "What this key may hold or do is used up.",
    403: "The key lacks the scope, or is not for this namespace; or a page of another origin called.",
    404: "No such path, or nothing of that name.",
    405: "The path has no such method.",
    408: "The request came too slowly.",
    409: "It changed meanwhile, or something else holds its place or its idempotency key.",
    413: "The body is too large.",
    414: "The path and query are too long.",
    415: "The body is not said to be JSON: `Content-Type: application/json` is missing.",
    421: "The Host header names another server.",
    422: "An argument was refused; `argument` names it.",
    429: "Too many calls in too short a time.",
    431: "Too many or too large headers.",
    500: "The server failed; its log has the request id.",
    503: "The store, the embedder or the server cannot do this now; try again after `Retry-After` seconds.",
}
WAITING = (429, 503)

ERROR: Json = {
    "title": "Error",
    "type": "object",
    "required": ["detail", "code", "request_id"],
    "properties": {
        "detail": {"type": "string", "description": "One sentence for people."},
        "code": {"type": "string", "description": "A stable word for programs."},
        "request_id": {"type": ["string", "null"], "description": "The server's log has it."},
        "argument": {"type": "string", "description": "What was refused."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": "string"}},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}


def complete(app: FastAPI) -> None:
    """Let `app.openapi()` say what the middleware and the error handlers answer."""
    plain = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _with_errors(plain())
        return app.openapi_schema

    app.openapi = openapi


def _with_errors(document: Json) -> Json:
    components: Json = document.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = ERROR
    components["responses"] = {f"Error{status}": _response(status, why) for status, why in ERRORS.items()}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "basic": {"type": "http", "scheme": "basic"},
    }
    document["security"] = [{"bearer": []}, {"header": []}, {"basic": []}, {}]
    for path in document["paths"].values():
        for operation in path.values():
            answers: Json = operation.setdefault("responses", {})
            for status in ERRORS:
                answers[str(status)] = {"$ref": f"#/components/responses/Error{status}"}
    return document


def _response(status: int, why: str) -> Json:
    found: Json = {
        "description": why,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in WAITING:
        found["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
        }
    return found
