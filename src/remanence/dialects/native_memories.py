"""The native API of memories: remember, recall, read, change, forget."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path
from fastapi import Query as QueryString
from starlette.responses import Response

from remanence.dialects import native_answers as answers
from remanence.dialects import native_models as models
from remanence.dialects.access import AccessDep
from remanence.dialects.rendering import json_response
from remanence.domain import wire
from remanence.domain.validation import MAX_KEY, MAX_LIMIT, MAX_NAME
from remanence.errors import InvalidInputError

router = APIRouter(prefix="/v1/namespaces/{ns:segment}")

Ns = Annotated[
    str,
    Path(
        description="The namespace; percent-encoded, so that it may hold a slash.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_NAME},
    ),
]
Id = Annotated[
    str, Path(description="The memory's id.", json_schema_extra={"minLength": 1, "maxLength": MAX_KEY})
]


def _repeatable(key: str | None, sent: str | None) -> dict[str, Any]:
    """The idempotency key, which may stand in the header or in the body."""
    if sent is None:
        return {}
    try:
        named = sent.encode("latin-1").decode()  # bytes of a header are shown as Latin-1
    except UnicodeDecodeError:
        named = sent
    if key is not None and key != named:
        raise InvalidInputError(
            "idempotency_key", "is one in the header Idempotency-Key, another in the body"
        )
    return {"idempotency_key": named}


def _asked(body: models.Recall) -> dict[str, Any]:
    """A recall's arguments."""
    arguments = body.given()
    if arguments.get("profile") is not None:
        arguments["profile"] = wire.profile(arguments["profile"])
    return arguments


@router.get(
    "",
    operation_id="stats",
    summary="Counts of a namespace",
    tags=["memories"],
    response_model=answers.Stats,
)
async def stats(ns: Ns, access: AccessDep) -> Response:
    """How much it holds; zeros for one that was never written to."""
    return json_response(wire.stats_to_dict(await access.reading(ns).stats()))


@router.get(
    "/sessions",
    operation_id="list_sessions",
    summary="Sessions of a namespace",
    tags=["memories"],
    response_model=answers.Sessions,
)
async def list_sessions(ns: Ns, access: AccessDep) -> Response:
    """Each session that has visible memories, and how many; sorted."""
    found = await access.reading(ns).sessions()
    return json_response(
        {"sessions": [{"session_id": session, "count": count} for session, count in found.items()]}
    )


@router.get(
    "/count",
    operation_id="count",
    summary="Count memories",
    tags=["memories"],
    response_model=answers.Count,
)
async def count(ns: Ns, query: Annotated[models.FilterQuery, QueryString()], access: AccessDep) -> Response:
    """How many a list with the same filter has in all its pages."""
    return json_response({"count": await access.reading(ns).count(**query.given())})


# -- remembering


@router.post(
    "/memories",
    operation_id="remember",
    summary="Keep a memory",
    tags=["memories"],
    status_code=201,
    response_model=answers.Remembered,
    response_description="A new memory; `Location` is where it is.",
    responses={
        200: {"model": answers.Remembered, "description": "It was known, or the idempotency key was served."}
    },
)
async def remember(
    ns: Ns,
    body: models.Remember,
    access: AccessDep,
    idempotency_key: Annotated[
        str | None, Header(description="A retry with the same key stores nothing twice.")
    ] = None,
) -> Response:
    """When this answers, it is on the disk. What is already known is reinforced instead of stored twice."""
    sent = _repeatable(body.idempotency_key, idempotency_key)
    done = await access.writing(ns).remember(**{**body.given(), **sent})
    answer = wire.remembered_to_dict(done)
    if done.action in ("reinforced", "replayed"):
        return json_response(answer)
    where = f"/v1/namespaces/{wire.segment(ns)}/memories/{wire.segment(done.id)}"
    return json_response(answer, 201, {"Location": where})


@router.post(
    "/memories/batch",
    operation_id="remember_many",
    summary="Keep many memories at once",
    tags=["memories"],
    response_model=answers.Results,
)
async def remember_many(ns: Ns, body: models.Batch, access: AccessDep) -> Response:
    """In one transaction: all of them, or none. An item is a text or `remember`'s arguments."""
    results = await access.writing(ns, memories=len(body.items)).remember_many(
        [item.given() for item in body.items]
    )
    return json_response({"results": [wire.remembered_to_dict(done) for done in results]})


# -- recalling


@router.post(
    "/recall",
    operation_id="recall",
    summary="Find what fits a query",
    tags=["recall"],
    response_model=answers.Hits,
)
async def recall(ns: Ns, body: models.Recall, access: AccessDep) -> Response:
    """The memories that fit best, best first, with scores, their reasons, and how sure it is."""
    memory = access.reading(ns, also=body.namespaces)
    return json_response(wire.hits_to_dict(await memory.recall(**_asked(body))))


@router.post(
    "/context",
    operation_id="context",
    summary="A block of memories for a prompt",
    tags=["recall"],
    response_model=answers.Block,
)
async def context(ns: Ns, body: models.Context, access: AccessDep) -> Response:
    """What is recalled for the query, fenced and never over `max_tokens`; `hits` are the memories it shows."""
    block = await access.reading(ns, also=body.namespaces).context(**_asked(body))
    return json_response(wire.block_to_dict(block))


# -- reading


@router.get(
    "/memories",
    operation_id="list_memories",
    summary="List memories",
    tags=["memories"],
    response_model=answers.Page,
)
async def list_memories(
    ns: Ns, query: Annotated[models.ListQuery, QueryString()], access: AccessDep
) -> Response:
    """Newest first. `types` and `tags` may be repeated; `next` is `after` of the next page."""
    limit, arguments = query.limit, query.given()
    if 0 < limit < MAX_LIMIT:
        arguments["limit"] = limit + 1  # one more tells whether there is a page after this one
    found = await access.reading(ns).list(**arguments)
    more = len(found) > limit or len(found) == MAX_LIMIT
    shown = found[:limit]
    return json_response(
        {
            "memories": [wire.record_to_dict(record) for record in shown],
            "next": shown[-1].id if more else None,
        }
    )


@router.get(
    "/memories/{id:segment}",
    operation_id="get_memory",
    summary="Read a memory",
    tags=["memories"],
    response_model=answers.Memory,
)
async def get_memory(ns: Ns, id: Id, access: AccessDep) -> Response:
    """As it is now; 404 says why it is no longer visible, if it was."""
    return json_response(wire.record_to_dict(await access.reading(ns).get(id)))


@router.get(
    "/memories/{id:segment}/history",
    operation_id="memory_history",
    summary="Every version of a memory",
    tags=["memories"],
    response_model=answers.Versions,
)
async def memory_history(ns: Ns, id: Id, access: AccessDep) -> Response:
    """Oldest first; if it has a key, with all others that ever held the key."""
    versions = await access.reading(ns).history(id)
    return json_response({"versions": [wire.record_to_dict(version) for version in versions]})


@router.get(
    "/history",
    operation_id="key_history",
    summary="Everything ever remembered under a key",
    tags=["memories"],
    response_model=answers.Versions,
)
async def key_history(
    ns: Ns, query: Annotated[models.HistoryQuery, QueryString()], access: AccessDep
) -> Response:
    """Oldest first; 404 if there never was anything."""
    versions = await access.reading(ns).history(key=query.key)
    return json_response({"versions": [wire.record_to_dict(version) for version in versions]})


# -- changing


@router.patch(
    "/memories/{id:segment}",
    operation_id="update_memory",
    summary="Change a memory",
    tags=["memories"],
    response_model=answers.Memory,
)
async def update_memory(ns: Ns, id: Id, body: models.Update, access: AccessDep) -> Response:
    """Records a new version with the members that were sent; null clears, and what is absent stays as it is."""
    return json_response(wire.record_to_dict(await access.writing(ns, memories=0).update(id, **body.given())))


@router.delete(
    "/memories/{id:segment}",
    operation_id="forget_memory",
    summary="Forget a memory",
    tags=["memories"],
    response_model=answers.Receipt,
)
async def forget_memory(ns: Ns, id: Id, access: AccessDep) -> Response:
    """Erases it for good, with every version."""
    return json_response(wire.receipt_to_dict(await access.erasing(ns).forget(id)))


@router.post(
    "/memories/{id:segment}/retract",
    operation_id="retract_memory",
    summary="Stop believing a memory",
    tags=["memories"],
    response_model=answers.Memory,
)
async def retract_memory(
    ns: Ns, id: Id, access: AccessDep, body: Annotated[models.Retract | None, Body()] = None
) -> Response:
    """It is no longer recalled, stays in its history, and can be restored. The body may be left out."""
    return json_response(
        wire.record_to_dict(await access.erasing(ns).retract(id, **(body.given() if body else {})))
    )


@router.post(
    "/memories/{id:segment}/restore",
    operation_id="restore_memory",
    summary="Believe a memory again",
    tags=["memories"],
    response_model=answers.Memory,
)
async def restore_memory(
    ns: Ns, id: Id, access: AccessDep, body: Annotated[models.Restore | None, Body()] = None
) -> Response:
    """One that was retracted or superseded, or an older version. The body may be left out."""
    return json_response(
        wire.record_to_dict(await access.writing(ns).restore(id, **(body.given() if body else {})))
    )


@router.post(
    "/forget",
    operation_id="forget",
    summary="Forget memories",
    tags=["memories"],
    response_model=answers.Receipt,
)
async def forget(ns: Ns, body: models.Forget, access: AccessDep) -> Response:
    """Erases them for good: by id, by filter, or everything in the namespace; exactly one of these."""
    return json_response(wire.receipt_to_dict(await access.erasing(ns).forget(**body.given())))


@router.delete(
    "",
    operation_id="forget_namespace",
    summary="Forget a namespace",
    tags=["memories"],
    response_model=answers.Receipt,
)
async def forget_namespace(ns: Ns, access: AccessDep) -> Response:
    """Erases all it has for good: memories, values, channels, jobs, and its name."""
    return json_response(wire.receipt_to_dict(await access.erasing(ns).forget_namespace()))
