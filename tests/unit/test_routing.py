"""The index of routes finds what asking every route in turn would find."""

import asyncio

import pytest
from fastapi import APIRouter, FastAPI

import remanence.dialects.access  # noqa: F401 (registers the convertors)
from remanence.server.routing import include

PATHS = [
    "/v1",
    "/v1/namespaces",
    "/v1/namespaces/{ns:segment}",
    "/v1/namespaces/{ns:segment}/kv/{key:segment}",
    "/v1/memories/search",
    "/v1/memories/{id:segment}",
    "/v1/memories/{id:segment}/history",
    "/memory/{ns:segment}",
    "/memory/{ns:segment}/{key:rest}",
    "/memory/{ns:segment}/fixed/key",
    "/",
]


def application(indexed):
    router = APIRouter()
    for path in PATHS:
        for method in ("GET", "PUT"):

            async def endpoint(path=path, method=method):
                return {"route": f"{method} {path}"}

            router.add_api_route(path, endpoint, methods=[method])
    app = FastAPI()
    if indexed:
        include(app, [router])
    else:
        app.include_router(router)
    return app


def asked(app, method, path):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent)


INDEXED, LINEAR = application(True), application(False)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "//v1",
        "/v1/namespaces",
        "/v1/namespaces/a%2Fb",
        "/v1/namespaces/a/kv/..",
        "/v1/namespaces/a/kv",
        "/v1/namespaces//kv/x",
        "/v1/memories/search",
        "/v1/memories/search/history",
        "/v1/memories/x",
        "/memory/a",
        "/memory/a/b/c/d",
        "/memory/a/",
        "/memory/search",
        "/nothing/here",
        "",
    ],
)
def test_the_index_finds_what_a_walk_finds(method, path):
    assert asked(INDEXED, method, path) == asked(LINEAR, method, path)


def test_a_literal_goes_before_a_parameter_whatever_came_first():
    assert b"fixed/key" in asked(INDEXED, "GET", "/memory/a/fixed/key")[1]
    assert asked(INDEXED, "GET", "/v1/memories/search")[1] == b'{"route":"GET /v1/memories/search"}'
