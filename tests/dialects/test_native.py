"""The native API: golden exchanges, and that it takes all that the engine's verbs take, within the same limits.

Golden files are lists of steps: a request, then what a real server answered. To make the answers anew, after adding
a request or changing an answer on purpose:

    REMANENCE_GOLDEN=write pytest tests/dialects/test_native.py -k golden
"""

import inspect
import json
import os
import re
from pathlib import Path

import pytest

from remanence.channels import AsyncChannel
from remanence.dialects import native_answers as answers
from remanence.dialects import native_models as models
from remanence.domain import wire
from remanence.domain.records import Block, Entry, Hits, NamespaceStats, Recalled, Receipt, Remembered
from remanence.domain.serving import Channel, Post
from remanence.engine import UNSET, AsyncEngine
from remanence.keyvalue import AsyncKeyValue
from remanence.testing.builders import NOON, make_record

GOLDEN = sorted((Path(__file__).parent / "golden/native").glob("*.json"))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
SHOWN_HEADERS = ("content-type", "location", "retry-after", "allow")
MEASURED = {"why", "evidence"}
JUDGED = {"reason", "evidence"}  # of a decision: the judge's own words
LONG_AGO = "2024"  # times of this year are the requests' own


class Normal:
    """Answers without what differs from run to run: ids are numbered, times and measurements only named."""

    def __init__(self):
        self.ids = {}

    def text(self, text):
        return UUID.sub(lambda id: f"<id {self.ids.setdefault(id[0], len(self.ids) + 1)}>", text)

    def filled(self, text):
        """A request's text with the ids that stand for its numbers."""
        for id, number in self.ids.items():
            text = text.replace(f"<id {number}>", id)
        return text

    def value(self, value, name=""):
        match value:
            case dict() if name in MEASURED:
                return dict.fromkeys(sorted(value), "<number>")
            case dict() if name == "traces":
                return f"<{' '.join(sorted(value))}>"
            case dict() if value.keys() >= JUDGED | {"subject"}:
                return {
                    key: f"<{key}>" if key in JUDGED and item else self.value(item, key)
                    for key, item in value.items()
                }
            case dict():
                return {key: self.value(item, key) for key, item in value.items()}
            case list():
                return [self.value(item) for item in value]
            case float() if name in ("score", "confidence"):
                return "<share>" if 0 <= value <= 1 else value
            case str() if name == "request_id":
                return "<request id>"
            case str() if name == "quarantine":
                return "<why>"
            case str() if TIME.fullmatch(value):
                return value if value.startswith(LONG_AGO) else "<time>"
            case str() if name == "context":
                return re.sub(r"\d{4}-\d\d-\d\d", "<day>", self.text(value))
            case str():
                return self.text(value)
            case _:
                return value


def exchange(client, normal, step):
    """The step with what the server answers to its request."""
    method, path = normal.filled(step["request"]).split(" ", 1)
    body = {}
    if "body" in step:
        body["json"] = json.loads(normal.filled(json.dumps(step["body"])))
    elif "text" in step:
        body["content"] = step["text"].encode()
    headers = {name: value.encode("latin-1") for name, value in step.get("headers", {}).items()}
    answer = client.request(method, path, headers=headers, **body)
    asked = {name: step[name] for name in ("request", "headers", "body", "text") if name in step}
    return asked | {
        "status": answer.status_code,
        "answer headers": {
            name: normal.text(answer.headers[name]) for name in SHOWN_HEADERS if name in answer.headers
        },
        "answer": normal.value(answer.json()),
    }


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden_exchanges(http, file):
    normal = Normal()
    steps = json.loads(file.read_text(encoding="utf-8"))
    got = [exchange(http, normal, step) for step in steps]
    if os.environ.get("REMANENCE_GOLDEN") == "write":
        file.write_text(json.dumps(got, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        steps = got
    for step, answered in zip(steps, got, strict=True):
        assert answered == step, step["request"]


def test_there_are_golden_files():
    named = {"remembering", "recalling", "changing", "values", "channels", "truth"}
    assert {file.stem for file in GOLDEN} >= named


# -- nothing that a verb takes is missing

VERBS = {
    "remember": models.Remember,
    "remember_many": models.Batch,
    "recall": models.Recall,
    "context": models.Context,
    "list": models.ListQuery,
    "count": models.FilterQuery,
    "update": models.Update,
    "retract": models.Retract,
    "restore": models.Restore,
    "forget": models.Forget,
    "history": models.HistoryQuery,
    "count_tokens": models.Tokens,
    "extract": models.Extract,
    "decisions": models.DecisionsQuery,
    "conflicts": models.LimitQuery,
    "quarantined": models.PageQuery,
    "feedback": models.Feedback,
    **dict.fromkeys(["get", "stats", "sessions", "channels", "namespaces", "sweep", "undo", "release"]),
    "end_session": None,
    "forget_namespace": None,
    "forget_tenant": models.ForgetTenant,
}
OF_CHANNELS = {
    "create": models.Create,
    "post": models.NewPost,
    "posts": models.PostsQuery,
    **dict.fromkeys(["info", "delete"]),
}
OF_VALUES = {
    "set": models.SetValue,
    "keys": models.KeysQuery,
    **dict.fromkeys(["get", "entry", "exists", "delete"]),
}
# Not of a server, in the path, or a job.
ELSEWHERE = {"at", "aclose", "channel", "reembed", "consolidate"}
IN_THE_PATH = {"id", "key", "self", "decision_id", "session_id"}
ONLY_HERE = {"default"}  # what a client answers itself where there is no value
CASES = [
    (kind, verb, model)
    for kind, table in ((AsyncEngine, VERBS), (AsyncChannel, OF_CHANNELS), (AsyncKeyValue, OF_VALUES))
    for verb, model in table.items()
]


@pytest.mark.parametrize(
    ("kind", "table", "elsewhere"),
    [
        (AsyncEngine, VERBS, ELSEWHERE),
        (AsyncChannel, OF_CHANNELS, set()),
        (AsyncKeyValue, OF_VALUES, set()),
    ],
)
def test_every_verb_has_its_route(kind, table, elsewhere):
    verbs = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
    assert verbs - elsewhere == table.keys()


@pytest.mark.parametrize(
    ("kind", "verb", "model"), CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_every_argument_of_a_verb_is_taken_with_its_default(kind, verb, model):
    arguments = inspect.signature(getattr(kind, verb)).parameters
    fields = {} if model is None else model.model_fields
    taken = set(fields) | IN_THE_PATH | ONLY_HERE
    assert arguments.keys() <= taken and fields.keys() <= arguments.keys()
    for name, field in fields.items():
        default = arguments[name].default
        if default is inspect.Parameter.empty or (verb, name) == ("history", "key"):
            assert field.is_required(), name
        elif default is not UNSET:
            assert not field.is_required()
            stated = field.get_default(call_default_factory=True)
            assert (tuple(stated) if isinstance(stated, list) else stated) == default, name


RECORD = make_record("1", at=NOON)
HITS = Hits([Recalled(record=RECORD, score=1.0, why={})])


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (answers.Memory, wire.record_to_dict(RECORD)),
        (answers.Hit, wire.hit_to_dict(HITS[0])),
        (answers.Hits, wire.hits_to_dict(HITS)),
        (answers.Block, wire.block_to_dict(Block("text", HITS, 1))),
        (answers.Remembered, wire.remembered_to_dict(Remembered(record=RECORD, action="added"))),
        (answers.Receipt, wire.receipt_to_dict(Receipt(ids=("1",), versions=1))),
        (
            answers.Stats,
            wire.stats_to_dict(NamespaceStats(namespace="n", memories=0, versions=0, keys=0, by_type={})),
        ),
        (answers.Entry, wire.entry_to_dict(Entry(key="k", value="1", version=1, updated_at=NOON))),
        (answers.Channel, wire.channel_to_dict(Channel(name="c", card={}, created_at=NOON))),
        (
            answers.Post,
            wire.post_to_dict(Post(channel="c", number=1, type="t", source=None, data=1, created_at=NOON)),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_answers_are_what_the_document_says(model, answer):
    assert model.model_fields.keys() == answer.keys()
    assert model.model_validate_json(json.dumps(answer))


# -- what is refused

BODIES = [
    ("POST", "/v1/namespaces/refused/memories", models.Remember, {"content": "x"}),
    ("PATCH", "/v1/namespaces/refused/memories/1", models.Update, {"importance": 0.5}),
    ("POST", "/v1/namespaces/refused/memories/1/retract", models.Retract, {}),
    ("POST", "/v1/namespaces/refused/memories/1/restore", models.Restore, {}),
    ("POST", "/v1/namespaces/refused/forget", models.Forget, {}),
    ("POST", "/v1/namespaces/refused/recall", models.Recall, {"query": "x"}),
    ("POST", "/v1/namespaces/refused/context", models.Context, {"query": "x"}),
    ("PUT", "/v1/namespaces/refused/kv/k", models.SetValue, {"value": 1}),
    ("PUT", "/v1/namespaces/refused/channels/c", models.Create, {}),
    ("POST", "/v1/namespaces/refused/channels/c/posts", models.NewPost, {"data": 1}),
    ("POST", "/v1/tokens", models.Tokens, {"text": "x"}),
    ("POST", "/v1/namespaces/refused/extract/now", models.Extract, {"messages": [{"content": "x"}]}),
    ("POST", "/v1/namespaces/refused/feedback", models.Feedback, {"kind": "used", "ids": ["x"]}),
]
ANY_JSON = {"value", "data"}
every_body = pytest.mark.parametrize(
    ("method", "path", "model", "least"), BODIES, ids=lambda value: getattr(value, "__name__", "")
)


def schemas(name, shape):
    """The alternatives of a property."""
    return [part for part in shape.get("anyOf", [shape]) if part.get("type") != "null"]


def wrong_kinds(shape):
    """Values of every kind that the property does not have."""
    kinds = {part.get("type") for part in schemas("", shape)}
    nullable = any(part.get("type") == "null" for part in shape.get("anyOf", []))
    values = {
        "string": "text",
        "integer": 1,
        "number": 0.5,
        "boolean": True,
        "array": [{}],
        "object": {"a": 1},
        "null": None,
    }
    if "number" in kinds:
        kinds.add("integer")
    if nullable:
        kinds.add("null")
    # A list of wrong items is wrong for every list; objects and texts of profiles are judged by what is in them.
    return [value for kind, value in values.items() if kind not in kinds or kind == "array"]


def refused(answer, argument):
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["code"] == "invalid_input" and re.split(r"[.\[]", body["argument"])[0] == argument, body


@every_body
def test_wrong_kinds_are_refused_by_name(http, method, path, model, least):
    for name, shape in model.model_json_schema()["properties"].items():
        if name not in ANY_JSON:
            for value in wrong_kinds(shape):
                refused(http.request(method, path, json=least | {name: value}), name)


def beyond(shape):
    """Values just past the limits that the document states."""
    for part in schemas("", shape):
        if "maxLength" in part:
            yield "x" * (part["maxLength"] + 1)
        if part.get("minLength"):
            yield ""
        if "maximum" in part:
            yield part["maximum"] + 1
        if "minimum" in part:
            yield part["minimum"] - 1
        if "exclusiveMinimum" in part:
            yield part["exclusiveMinimum"]
        if part.get("maxItems", 10**6) <= 1_000:
            yield [f"{i}" for i in range(part["maxItems"] + 1)]
        if "maxLength" in part.get("items", {}):
            yield ["x" * (part["items"]["maxLength"] + 1)]


@every_body
def test_the_limits_in_the_document_are_the_engines(http, method, path, model, least):
    for name, shape in model.model_json_schema()["properties"].items():
        for value in beyond(shape):
            refused(http.request(method, path, json=least | {name: value}), name)


def within(shape):
    """Values at the limits."""
    for part in schemas("", shape):
        if part.get("maxLength", 0) > 1:
            yield "x" * part["maxLength"]
        if "maximum" in part and part["maximum"] < 2**31:
            yield part["maximum"]
        if "minimum" in part:
            yield part["minimum"]
        if part.get("type") == "array" and "maxLength" in part.get("items", {}):
            longest = part["items"]["maxLength"]
            yield [f"{i:0{longest}}" for i in range(min(64, part.get("maxItems", 0)))]


@every_body
def test_what_is_within_the_limits_is_taken(http, method, path, model, least):
    for name, shape in model.model_json_schema()["properties"].items():
        for value in within(shape):
            if name != "profile":
                answer = http.request(method, path, json=least | {name: value})
                assert answer.status_code in (200, 201, 404), (name, answer.text)


@every_body
def test_unknown_members_are_refused(http, method, path, model, least):
    refused(http.request(method, path, json=least | {"no_such": 1}), "no_such")


@every_body
def test_broken_json_is_malformed(http, method, path, model, least):
    for body in (b"{", b"\xff", b'{"content": "\xc3\x28"}', b"[" * 100_000, b"{'a': 1}", b'{"a": 1} x'):
        answer = http.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), (body[:20], answer.text)


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b""])
def test_a_body_that_is_no_object_is_refused(http, body):
    answer = http.post("/v1/namespaces/n/recall", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json()["argument"] == "body"


@pytest.mark.parametrize(
    "query",
    ["no_such=1", "limit=x", "limit=10001", "types=", "since=now", "until=2025-01-01", "session_id=%00"],
)
def test_queries_are_checked(http, query):
    refused(http.get(f"/v1/namespaces/n/memories?{query}"), query.split("=")[0])


def test_a_batch_is_bounded_and_names_the_item_that_is_wrong(http):
    path = "/v1/namespaces/batch/memories/batch"
    full = http.post(path, json={"items": [f"number {i}" for i in range(models.MOST_ITEMS)]})
    assert len(full.json()["results"]) == models.MOST_ITEMS
    refused(http.post(path, json={"items": ["x"] * (models.MOST_ITEMS + 1)}), "items")
    answer = http.post(path, json={"items": ["never kept", {"content": "y", "tags": ["ok", ""]}]})
    assert answer.json()["argument"] == "items[1].tags[1]"
    refused(http.post(path, json={"items": ["never kept", 5]}), "items")
    assert http.get("/v1/namespaces/batch").json()["memories"] == models.MOST_ITEMS


# -- names and pages


@pytest.mark.parametrize(
    "name", ["..", ".", "a/b", "%2F", "a?b#c", " spaced ", "数 ü", "'; --", "\\", "kv", "*"]
)
def test_a_name_may_be_anything(http, name):
    sent = wire.segment(name)
    base = f"/v1/namespaces/{sent}"
    made = http.post(f"{base}/memories", json={"content": "here", "key": name})
    assert made.json()["memory"]["namespace"] == name
    assert http.get(made.headers["location"]).json() == made.json()["memory"]
    assert http.get(f"{base}/history?key={sent}").json()["versions"][0]["content"] == "here"
    assert http.put(f"{base}/kv/{sent}", json={"value": name}).status_code == 200
    assert http.get(f"{base}/kv/{sent}").json()["value"] == name
    assert http.get(f"{base}/kv").json() == {"keys": [name]}
    assert http.put(f"{base}/channels/{sent}").json()["name"] == name
    assert name in http.get("/v1/namespaces").json()["namespaces"]


@pytest.mark.parametrize("name", ["%00", "%FF", "%20", "%ED%A0%80", "x" * 1001])
def test_what_is_no_name_is_refused(http, name):
    refused(http.get(f"/v1/namespaces/{name}"), "namespace")
    refused(http.get(f"/v1/namespaces/n/memories/{name}"), "id")
    refused(http.get(f"/v1/namespaces/n/kv/{name}"), "key")
    refused(http.get(f"/v1/namespaces/n/channels/{name}"), "channel")


def test_pages_are_the_whole_list_once(http):
    items = [{"content": f"number {i}"} for i in range(7)]
    http.post("/v1/namespaces/pages/memories/batch", json={"items": items})
    seen, after = [], {}
    while True:
        page = http.get("/v1/namespaces/pages/memories", params={"limit": 3, **after}).json()
        seen += [memory["content"] for memory in page["memories"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [f"number {i}" for i in reversed(range(7))]
    assert http.get("/v1/namespaces/pages/memories?limit=7").json()["next"] is None


def test_texts_come_back_as_they_were(http):
    text = 'quote" back\\slash \u2028 🎉 \x01 ünï مرحبا'
    memory = http.post("/v1/namespaces/texts/memories", json={"content": text, "metadata": {text: text}})
    assert memory.json()["memory"]["content"] == text and memory.json()["memory"]["metadata"] == {text: text}
    assert "🎉".encode() in memory.content
    assert http.get("/v1/namespaces/texts/memories").json()["memories"][0]["content"] == text


def test_every_operation_is_described(http):
    document = http.get("/openapi.json").json()
    operations = [
        (path, operation)
        for path, item in document["paths"].items()
        for operation in item.values()
        if path == "/v1" or path.startswith(("/v1/namespaces", "/v1/tokens", "/v1/sweep"))
    ]
    assert len(operations) >= 30
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-z_]+", id) for id in ids)
    for path, operation in operations:
        assert operation["summary"] and operation["description"] and operation["tags"], path
        assert {"401", "403", "404", "409", "422", "429", "503"} <= operation["responses"].keys(), path
