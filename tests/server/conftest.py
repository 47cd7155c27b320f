"""Tests of the server start the server."""

import httpx
import pytest

from remanence.testing.server import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server in local mode for the tests of a module."""
    with running_server(tmp_path_factory.mktemp("server") / "memory.db") as server:
        yield server


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client
