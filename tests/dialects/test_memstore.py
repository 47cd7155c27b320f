"""What clients of Memstore send and expect, against a server."""

from pathlib import Path

import httpx
import pytest

from remanence.testing.golden import replay
from remanence.testing.server import running_server

GOLDEN = sorted((Path(__file__).parent / "golden" / "memstore").glob("*.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(file, tmp_path):
    with running_server(tmp_path / "m.db") as server, httpx.Client(base_url=server.url, timeout=20) as client:
        assert replay(client, file) > 0
