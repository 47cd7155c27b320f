"""However much is wrong with a body, the answer is small, and nothing is worked through that is refused anyway."""

import json
from itertools import chain

import pytest
from pydantic import TypeAdapter, ValidationError

from remanence.dialects import botwire, kronvex_models, memstore, native_models, zerolatency_models
from remanence.dialects.bodies import MOST_MEMBERS, Bounded, Metadata
from remanence.server.app import create_app
from remanence.settings import Settings

NS = "/v1/namespaces/d"
MANY = [1] * 20_000
MEMBERS = {f"m{i:05}": 1 for i in range(20_000)}
LONG = "m" * 200_000
SMALL = 8_192  # bytes of an answer

BODIES = {
    "messages": ("/extract", {"conversation": MANY}),
    "parts of a message": ("/extract", {"conversation": [{"content": MANY}]}),
    "turns": ("/extract/batch", {"turns": [{"conversation": MANY}] * 50}),
    "facts": ("/memories/seed", {"facts": MANY}),
    "wrong facts": ("/memories/seed", {"facts": [{"importance": 2, "metadata": 1, "text": 1}] * 1_000}),
    "ids": ("/memories/batch-delete", {"ids": MANY, "memory_ids": MANY}),
    "queries": ("/memories/batch-search", {"queries": MANY}),
    "tags": (f"{NS}/memories", {"content": "x", "tags": MANY}),
    "tags of a memory": ("/v1/memory/remember", {"content": "x", "tags": MANY}),
    "filters": (f"{NS}/recall", {"query": "x", "tags": MANY, "types": MANY, "namespaces": MANY}),
    "a batch": (f"{NS}/memories/batch", {"items": MANY}),
    "a batch of wrong memories": (f"{NS}/memories/batch", {"items": [{"tags": MANY[:64]}] * 1_000}),
    "ids to forget": (f"{NS}/forget", {"ids": MANY}),
    "messages of an extraction": (f"{NS}/extract", {"messages": MANY}),
    "capabilities": ("/identity/register", {"name": "x", "accept_terms": True, "capabilities": MANY}),
    "what was said before": ("/api/v1/agents/d/recall", {"query": "x", "context_messages": MANY}),
    "unknown members": (f"{NS}/memories", {"content": "x", **MEMBERS}),
    "unknown members of a dialect": ("/extract", {"content": "x", **MEMBERS}),
    "unknown members of an item": (f"{NS}/memories/batch", {"items": [{"content": "x", **MEMBERS}]}),
    "some unknown members": (f"{NS}/memories", {"content": "x", **dict(list(MEMBERS.items())[:900])}),
    "a long member": (f"{NS}/memories", {"content": "x", LONG: 1}),
    "a long member of metadata": (f"{NS}/memories", {"content": "x", "metadata": {LONG: 1}}),
    "features": (f"{NS}/recall", {"query": "x", "profile": {"name": "x", "weights": MEMBERS}}),
    "a long feature": (f"{NS}/recall", {"query": "x", "profile": {"name": "x", LONG: 1}}),
    "a long key of a value": (f"{NS}/channels/c/posts", {"data": {LONG: {LONG: 1}}}),
}


@pytest.mark.parametrize("case", BODIES)
def test_the_answer_is_small(http, case):
    path, body = BODIES[case]
    answer = http.post(path, json=body)
    assert answer.status_code == 422, answer.text[:500]
    told = answer.json()
    assert len(answer.content) < SMALL and 1 <= len(told["errors"]) <= 20
    assert told["detail"] and told["argument"] and all(error["msg"] for error in told["errors"])


def test_every_list_that_the_document_names_is_answered_in_few_words(http):
    """Whatever the route: a list of what it cannot hold."""
    document = create_app(Settings(db=":memory:", embedder="hashing")).openapi()
    asked = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            for name in lists_of(document, content.get("application/json", {}).get("schema", {})):
                answer = http.request(method, path.replace("{", "").replace("}", ""), json={name: MANY})
                assert answer.status_code == 422 and len(answer.content) < SMALL, (method, path, name)
                asked += 1
    assert asked >= 15


def lists_of(document, schema):
    schema = document["components"]["schemas"][schema["$ref"].rsplit("/")[-1]] if "$ref" in schema else schema
    for name, found in schema.get("properties", {}).items():
        if any(kind.get("type") == "array" for kind in (found, *found.get("anyOf", ()))):
            yield name


# -- the models themselves

MODULES = (botwire, kronvex_models, memstore, native_models, zerolatency_models)
MODELS = {
    f"{module.__name__.rpartition('.')[2]}.{model.__name__}": model
    for module in MODULES
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Bounded) and model is not Bounded
}


def parts(schema):
    """Everything in a schema of pydantic's core."""
    if isinstance(schema, dict):
        yield schema
        yield from chain.from_iterable(map(parts, schema.values()))
    elif isinstance(schema, list | tuple):
        yield from chain.from_iterable(map(parts, schema))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_list_has_an_end_and_tells_one_error(model):
    for part in parts(model.__pydantic_core_schema__):
        if part.get("type") == "list":
            assert part["max_length"] <= 1_000
            # Without a schema of their own nothing can be wrong with the items.
            assert part.get("fail_fast") or part["items_schema"]["type"] == "any"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_members_are_counted_before_they_are_looked_at(model):
    with pytest.raises(ValidationError) as caught:
        model.model_validate({f"m{i}": 1 for i in range(MOST_MEMBERS + 1)})
    (error,) = caught.value.errors()
    assert (error["type"], error["loc"]) == ("too_many_members", ())


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"a": "x" * 65_528}, True),
        ({"a": "x" * 65_529}, False),
        ({"a": "é" * 65_528}, True),
        ({"a": [1] * 32_764}, True),  # 65,535 characters
        ({"a": [1] * 32_765}, False),
        ({"a": [[1] * 20_000, {"b": [1] * 20_000}]}, False),
        ({"a": MANY * 100}, False),
        ({"a" * 65_530: 1}, True),
        ({"a" * 65_531: 1}, False),
        ({}, True),
    ],
    ids=range(10),
)
def test_metadata_is_measured_as_it_will_be_kept(given, fits):
    assert (len(json.dumps(given, ensure_ascii=False, separators=(",", ":"))) <= 65_536) is fits
    metadata = TypeAdapter(Metadata)
    if fits:
        assert metadata.validate_python(given) == given
    else:
        with pytest.raises(ValidationError, match="more than the limit of 65,536 characters"):
            metadata.validate_python(given)


@pytest.mark.parametrize(
    ("body", "argument"),
    [
        ({"items": ["fine", {"content": 5}]}, "items[1].content"),
        ({"items": ["fine", {"content": " "}]}, "items[1].content"),
        ({"items": ["fine", {"content": "x", "tags": ["a", 5]}]}, "items[1].tags[1]"),
        ({"items": ["fine", {"content": "x", "tags": ["a", " "]}]}, "items[1].tags[1]"),
        ({"items": 5}, "items"),
        ([], "body"),
    ],
    ids=range(6),
)
def test_a_nested_argument_has_one_name_whoever_refuses_it(http, body, argument):
    told = http.post(f"{NS}/memories/batch", json=body).json()
    assert told["argument"] == argument and told["detail"].startswith(f"{argument}: ")
