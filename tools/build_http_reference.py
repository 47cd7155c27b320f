"""Write docs/http.md: every route of the server's OpenAPI document, with its arguments and answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from remanence.server.app import create_app
from remanence.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "http.md"

HEAD = """\
# HTTP

Generated from the server's OpenAPI document by `tools/build_http_reference.py`; a test keeps it current. A running
server has the document at `/openapi.json`, and a page that shows it at `/docs`. Arguments in bold are required.

```sh
remanence serve &
TEAM=localhost:8420/v1/namespaces/team
curl $TEAM/memories -H 'Content-Type: application/json' -d '{"content": "PostgreSQL is our database."}'
curl $TEAM/recall -H 'Content-Type: application/json' -d '{"query": "Which database do we use?"}'
```

**Keys.** `Authorization: Bearer KEY`, `X-API-Key: KEY`, or the password of Basic authentication. The key alone says
whose data it is. Without any key made yet, a server that only this machine reaches needs none.

**Names.** Namespaces, ids, keys and channels are any text, percent-encoded in paths: `team%2Fx` is the namespace
`team/x`, `%2E%2E` is `..`.

**JSON.** Bodies are JSON in UTF-8 with `Content-Type: application/json`. The native API under `/v1/namespaces`
refuses members and parameters that it does not know, and values of another kind; the dialects of other clients
ignore what they do not know. An argument that is absent has the default that [library.md](library.md) tells; in a
`PATCH` it stays as it is. `null` is none.

**Times** are RFC 3339 with a zone (`2025-03-01T12:00:00Z`); one without is refused. Answers are in UTC with
microseconds. `ttl` is in seconds.

**Retries.** With the header `Idempotency-Key`, or `idempotency_key` in the body, a memory that is sent again is
answered and not stored again: `action` is then `replayed`. A key that comes with another text is a conflict.

**Errors** have one body in all dialects: `detail` is a sentence, `code` is stable (see [errors.md](errors.md)),
`request_id` is what the server's log has, and `argument` names what was refused. A request that was refused changed
nothing. Any route may answer them:

| status | when |
|---|---|
"""

KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
LAST = ("server", "operations", "pages")  # sections
METHODS = ("get", "post", "put", "patch", "delete")
Json = dict[str, Any]


def kind(schema: Json) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return f"[{schema['$ref'].rsplit('/', 1)[1]}](#objects)"
    if "const" in schema:
        return f"`{schema['const']}`".lower()
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(part) for part in schema["anyOf"]))
    match schema.get("type"):
        case "array":
            items = schema.get("items", {})
            return f"list of {kind(items)}"
        case "null":
            return "null"
        case "string" if schema.get("format") == "date-time":
            return "time"
        case list(names):
            return " or ".join(KINDS.get(name, name) for name in names)
        case str(name):
            return KINDS.get(name, name)
        case _:
            return "any JSON"


def number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


def limits(schema: Json) -> str:
    """The bounds of a value, as far as they are stated."""
    for part in [schema, *schema.get("anyOf", ())]:
        if "maxLength" in part:
            return f", at most {part['maxLength']:,.0f} characters"
        if "minimum" in part and "maximum" in part:
            return f", {number(part['minimum'])} to {number(part['maximum'])}"
        if "minimum" in part:
            return f", from {number(part['minimum'])}"
        if "exclusiveMinimum" in part:
            return f", above {number(part['exclusiveMinimum'])}"
        if "maxItems" in part:
            return f", at most {number(part['maxItems'])}"
    return ""


def described(schema: Json) -> str:
    for part in [schema, *schema.get("anyOf", ())]:
        if "description" in part:
            return " ".join(part["description"].split())
    return ""


def row(name: str, schema: Json, *, required: bool, said: str = "") -> str:
    default = schema.get("default")
    given = (
        ""
        if default in (None, [], "", {})
        else f"; `{default}`".replace("True", "true").replace("False", "false")
    )
    needed = "**" if required else ""
    told = said or described(schema)
    what = f"{kind(schema)}{limits(schema)}{given}. {told}".replace("|", "\\|").strip()
    return f"| {needed}`{name}`{needed} | {what} |"


def resolved(document: Json, schema: Json) -> Json:
    for part in [schema, *schema.get("anyOf", ())]:
        if "$ref" in part:
            return document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return schema


def operation_lines(document: Json, path: str, method: str, operation: Json) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", ""]
    text = " ".join(operation.get("description", "").split())
    lines += [" ".join(f"{part.rstrip('.')}." for part in (operation.get("summary", ""), text) if part), ""]
    parameters = [
        row(
            item["name"],
            item.get("schema", {}),
            required=item.get("required", False),
            said=item.get("description", ""),
        )
        for item in operation.get("parameters", ())
        if item["in"] != "path"
    ]
    if parameters:
        lines += ["| parameter | |", "|---|---|", *parameters, ""]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = resolved(document, content["schema"])
        members = schema.get("properties", {})
        if members:
            lines += ["| body | |", "|---|---|"]
            lines += [
                row(name, shape, required=name in schema.get("required", ()))
                for name, shape in members.items()
            ]
            lines.append("")
        else:
            lines += [f"Body: {media}, {kind(schema)}.", ""]
    answers: list[str] = []
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            shapes = [kind(content.get("schema", {})) for content in answer.get("content", {}).values()]
            said = answer.get("description", "")
            told = "" if said in ("", "Successful Response") else f" {said}"
            answers.append(f"{status} {' or '.join(shapes) or 'without a body'}.{told}".strip())
    lines += ["Answers " + "; ".join(answer.rstrip(".") for answer in answers) + ".", ""]
    return lines


def reference() -> str:
    """The page."""
    document = create_app(Settings(db=":memory:", embedder="hashing")).openapi()
    sections: dict[str, list[str]] = {}
    common: dict[str, str] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            tag = (operation.get("tags") or ["other"])[0]
            sections.setdefault(tag, []).extend(operation_lines(document, path, method, operation))
            for status, answer in operation["responses"].items():
                if not status.startswith("2"):
                    shared = resolved_answer(document, answer)
                    common.setdefault(status, shared.get("description", ""))
    lines = [HEAD.rstrip("\n")]
    lines += [f"| {status} | {why} |" for status, why in sorted(common.items())]
    lines.append("")
    for tag, body in sorted(sections.items(), key=lambda section: section[0] in LAST):
        lines += [f"## {tag.capitalize()}", "", *body]
    lines += ["## Objects", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        members = schema.get("properties", {})
        if name not in bodies(document) and members:
            lines += [f"**{name}**. {described(schema)}".strip(), "", "| member | |", "|---|---|"]
            lines += [row(member, shape, required=False) for member, shape in members.items()]
            lines.append("")
    return re.sub(r"[ \t]+\n", "\n", "\n".join(lines)).rstrip("\n") + "\n"


def resolved_answer(document: Json, answer: Json) -> Json:
    if "$ref" in answer:
        return document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    return answer


def bodies(document: Json) -> set[str]:
    """Schemas that are a request's body, whose members stand at the request."""
    found: set[str] = set()
    for item in document["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for part in [content["schema"], *content["schema"].get("anyOf", ())]:
                    if "$ref" in part:
                        found.add(part["$ref"].rsplit("/", 1)[1])
    return found


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
