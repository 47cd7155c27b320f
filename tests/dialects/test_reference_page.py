"""docs/http.md has every route of the server, with its arguments and answers."""

import importlib.util
from pathlib import Path

from remanence.server.app import create_app
from remanence.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_route_is_on_the_page():
    document = create_app(Settings(db=":memory:", embedder="hashing")).openapi()
    routes = {f"`{method.upper()} {path}`" for path, item in document["paths"].items() for method in item}
    assert routes and {route for route in routes if route not in PAGE} == set(), (
        "run: python tools/build_http_reference.py"
    )


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("http_reference", ROOT / "tools/build_http_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.reference() == PAGE, "run: python tools/build_http_reference.py"
