"""Thousands of requests made from the OpenAPI document, valid and not: never a 5xx, nothing undocumented.

Covers every operation of every dialect, as the document lists them. The requests are the same every time.
"""

import pytest
import requests
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from remanence.server.app import create_app
from remanence.settings import Settings
from remanence.testing.server import running_server

EXAMPLES = 6  # of each operation, kind of data and way to choose names
IDS = {"id", "mid", "memory_id"}  # parameters of paths that are the id of a memory
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
load_all_checks()
app = create_app(Settings(db=":memory:", embedder="hashing"))
document = app.openapi()


def endless(operation):
    """Whether it answers with a stream of events that ends when the client goes."""
    return any("text/event-stream" in answer.get("content", {}) for answer in operation["responses"].values())


def calls_out(path):
    """Whether it would make the server call whomever an example names."""
    return path.endswith("/webhooks")


OPERATIONS = [
    (path, method)
    for path, item in document["paths"].items()
    for method, operation in item.items()
    if not endless(operation) and not (calls_out(path) and method == "post")
]
schema = schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A server, a session with it, and names of what is there."""
    with (
        running_server(tmp_path_factory.mktemp("fuzzed") / "memory.db") as server,
        requests.Session() as session,
    ):
        yield server, session


def make(server, session):
    """Something under the name `there`, as far as an earlier request removed it; the id of a memory."""
    base = f"{server.url}/v1/namespaces/there"
    kept = session.post(f"{base}/memories", json={"content": "We chose PostgreSQL.", "session_id": "s"})
    assert session.put(f"{base}/kv/there", json={"value": 1}).status_code == 200
    assert session.post(f"{base}/channels/there/posts", json={"data": 1}).status_code == 201
    return kept.json()["memory"]["id"]


def ways(path, method):
    """The kinds of data that an operation can be sent, and whether to choose the names in its path."""
    operation = document["paths"][path][method]
    parameters = operation.get("parameters", ())
    more = "requestBody" in operation or any(parameter["in"] != "path" for parameter in parameters)
    # A name that may be any text cannot be wrong.
    bounded = any("maxLength" in parameter["schema"] for parameter in parameters)
    yield GenerationMode.POSITIVE, False
    if more or bounded:
        yield GenerationMode.NEGATIVE, False
    if any(parameter["in"] == "path" for parameter in parameters):
        yield GenerationMode.POSITIVE, True
        if more:
            yield GenerationMode.NEGATIVE, True


CASES = [(path, method, mode, named) for path, method in OPERATIONS for mode, named in ways(path, method)]


@pytest.mark.parametrize(
    ("path", "method", "mode", "named"),
    CASES,
    ids=[f"{method} {path} {mode.value}{' named' * named}" for path, method, mode, named in CASES],
)
def test_the_document_keeps_its_word(fuzzed, path, method, mode, named):
    server, session = fuzzed
    chosen = {}
    if named:
        id = make(server, session)
        chosen["path_parameters"] = {
            parameter["name"]: id if parameter["name"] in IDS else "there"
            for parameter in document["paths"][path][method]["parameters"]
            if parameter["in"] == "path"
        }

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(mode, **chosen))
    def holds(case):
        case.call_and_validate(base_url=server.url, session=session, checks=CHECKS, timeout=20)

    holds()


def routed(routes, prefix=""):
    """Path and method of every route that is to be documented, also of routers within routers."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routed(inner.routes, prefix + route.include_context.prefix)
        elif isinstance(route, APIRoute) and route.include_in_schema:
            yield from ((prefix + route.path_format, method.lower()) for method in route.methods)


def test_every_operation_is_there():
    left_out = {
        ("/v1/events", "get"),
        ("/v1/webhooks", "post"),
    }  # one does not end, one calls whom it is told to
    assert set(OPERATIONS) == set(routed(app.routes)) - left_out
    assert {(path, method) for path, method, _, _ in CASES} == set(OPERATIONS)
