"""The project's own HTTP API: every verb of the engine under /v1/namespaces/{ns}."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from remanence import __version__
from remanence.dialects import native_answers as answers
from remanence.dialects import native_memories, native_truth, native_values
from remanence.dialects import native_models as models
from remanence.dialects.access import AccessDep
from remanence.dialects.rendering import json_response
from remanence.domain import wire
from remanence.domain.callers import RIGHTS

SHORT_TEXT = 10_000  # characters that are counted at once; a hand-over costs more

router = APIRouter(prefix="/v1")


@router.get(
    "",
    operation_id="who_am_i",
    summary="Who the key says you are",
    tags=["server"],
    response_model=answers.Identity,
)
async def who_am_i(access: AccessDep) -> Response:
    """The tenant that the key belongs to, and what it may do."""
    caller = access.caller
    return json_response(
        {
            "tenant": caller.tenant,
            "scopes": [right for right in RIGHTS if caller.may(right)],
            "namespaces": list(caller.namespaces),
            "version": __version__,
            "local": caller.key_id is None,
        }
    )


@router.get(
    "/namespaces",
    operation_id="list_namespaces",
    summary="Namespaces that hold anything",
    tags=["server"],
    response_model=answers.Namespaces,
)
async def list_namespaces(access: AccessDep) -> Response:
    """Those of the tenant that the key covers, sorted."""
    return json_response({"namespaces": await access.namespaces()})


@router.post(
    "/tokens",
    operation_id="count_tokens",
    summary="Count the tokens of a text",
    tags=["recall"],
    response_model=answers.TokenCount,
)
async def count_tokens(body: models.Tokens, access: AccessDep) -> Response:
    """As context blocks count them: estimated, or as the setting `tokenizer` says."""
    # Which namespace does not matter; a pattern is a name that the pattern itself covers.
    memory = access.reading(next(iter(access.caller.namespaces), "default"))
    if len(body.text) <= SHORT_TEXT:
        return json_response({"tokens": memory.count_tokens(body.text)})
    return json_response({"tokens": await run_in_threadpool(memory.count_tokens, body.text)})


@router.post(
    "/sweep",
    operation_id="sweep",
    summary="Erase what has expired",
    tags=["server"],
    response_model=answers.Swept,
)
async def sweep(access: AccessDep) -> Response:
    """In every namespace of the tenant; also happens by itself. Needs the scope `admin`."""
    access.admin()
    access.everywhere()
    return json_response({"swept": await access.erasing("default").sweep()})


@router.post(
    "/forget",
    operation_id="forget_tenant",
    summary="Forget everything",
    tags=["server"],
    response_model=answers.Receipt,
)
async def forget_tenant(body: models.ForgetTenant, access: AccessDep) -> Response:
    """Erases all the tenant has, in every namespace, for good. Keys stay. Needs the scope `admin`."""
    access.admin()
    access.everywhere()
    return json_response(wire.receipt_to_dict(await access.erasing("default").forget_tenant(body.confirm)))


router.routes.extend(
    [*native_memories.router.routes, *native_truth.router.routes, *native_values.router.routes]
)
