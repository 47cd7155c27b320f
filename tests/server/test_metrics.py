"""Numbers for Prometheus."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from remanence.keys import KeyRing
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.server import running_server


def numbers(http):
    answer = http.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(
        "text/plain; version=0.0.4"
    )
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def requests(found, route, status, method="POST"):
    labels = (("method", method), ("route", route), ("status", status))
    return found.get(("remanence_http_requests_total", labels), 0.0)


def test_requests_are_counted_by_template(http):
    before = numbers(http)
    for name in ("secret-project", "b", "c"):
        http.post(f"/v1/namespaces/{name}/memories", json={"content": f"metered in {name}"})
    http.post("/v1/namespaces/b/recall", json={"query": "metered"})
    http.post("/v1/namespaces/b/recall", json={"wrong": "metered"})
    http.get("/secret-project/nowhere")
    http.request("PROPFIND", "/v1/tokens")
    after = numbers(http)
    route = "/v1/namespaces/{ns}/memories"
    assert requests(after, route, "201") - requests(before, route, "201") == 3
    assert requests(after, "/v1/namespaces/{ns}/recall", "200") == 1
    assert requests(after, "/v1/namespaces/{ns}/recall", "422") == 1
    assert requests(after, "none", "404", "GET") == 1
    assert requests(after, "/v1/tokens", "405", "other") == 1
    labels = (("method", "POST"), ("route", route))
    assert after["remanence_http_request_seconds_count", labels] == 3
    assert after["remanence_http_request_seconds_sum", labels] > 0
    assert after["remanence_versions_stored_total", ()] - before["remanence_versions_stored_total", ()] == 3
    assert after["remanence_searches_total", ()] > before["remanence_searches_total", ()]
    assert after["remanence_http_requests_in_flight", ()] == 1  # this one
    assert "secret-project" not in http.get("/metrics").text


def test_with_keys_only_an_administrator_sees_them(tmp_path):
    store = SQLiteStore(tmp_path / "m.db")
    ring = KeyRing(store)
    writer, writers = ring.create("acme-corporation", rights=["write"])
    _, others = ring.create("acme-corporation", rights=["admin"])
    _, admins = ring.create("local", rights=["admin"])
    store.close()
    with running_server(tmp_path / "m.db") as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/metrics").status_code == 401
        assert http.get("/metrics", headers={"X-API-Key": writers}).status_code == 403
        assert http.get("/metrics", headers={"X-API-Key": others}).status_code == 403  # of another tenant
        http.post("/v1/namespaces/x/memories", json={"content": "x"}, headers={"X-API-Key": writers})
        shown = http.get("/metrics", headers={"X-API-Key": admins})
        assert shown.status_code == 200 and "acme" not in shown.text and writer.id not in shown.text
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
            assert http.get(path).status_code == 200
        assert http.get("/healthz", headers={"Host": "memory.example"}).status_code == 200  # behind a proxy
