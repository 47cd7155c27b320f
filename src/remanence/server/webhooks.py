"""Events sent to addresses that asked for them: signed, in order, again until they are taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
import ssl
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from remanence.dialects.access import AccessDep
from remanence.dialects.bodies import Bounded
from remanence.dialects.native_answers import Deleted
from remanence.dialects.rendering import json_response
from remanence.domain import validation
from remanence.domain.serving import Document, Event, Job
from remanence.domain.transfer import time_text
from remanence.errors import ConflictError, InvalidInputError, NotFoundError, ServerError
from remanence.jobs import (
    _RETURNED,  # pyright: ignore[reportPrivateUsage]
    GiveUpError,
    LeaseLostError,
    RetryError,
    Work,
    queue_of,
    wake,
)
from remanence.keys import OWNER, KeyRing
from remanence.ports import Documents
from remanence.server.events import event_to_dict, event_types, log_of
from remanence.server.places import Places

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.domain.records import Json

WEBHOOK = "webhook"
TENANT = "webhook_tenant"  # documents of the server itself that say which tenants have webhooks
MOST_WEBHOOKS = 100  # of one tenant
SHORTEST_SECRET, LONGEST_SECRET = 16, 512
MAX_URL = 2_000
TIMEOUT_SECONDS = 10.0  # of a delivery, with looking up the name
CONNECT_SECONDS = 4.0
MOST_ADDRESSES = 3
AT_ONCE = 200  # events looked through at once
PASSED_OVER = 1_000  # events that are for nobody, after which that is noted
ATTEMPTS = 8
# Receivers may be slow, and some tenants' all of them. Of each process:
DELIVERIES_AT_ONCE = 32
DELIVERIES_OF_TENANT = 2
MOST_HELD = 256  # deliveries under way, or waiting for their turn
COME_AGAIN = timedelta(seconds=5)  # for those of a tenant that has more than its share of these
LOOK_UPS_AT_ONCE = 64  # of names; one may take longer than its delivery
_GONE = 410

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def sign(secret: str, at: int, body: bytes) -> str:
    """The value of `Remanence-Signature`: the time in Unix seconds, and the HMAC-SHA256 of `time.body`."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


# -- what is kept


class Webhooks:
    """The webhooks of a store, each a document of its tenant. Synchronous, like the store."""

    def __init__(self, backend: Backend) -> None:
        if not isinstance(backend.store, Documents):
            raise ServerError(f"the store {type(backend.store).__name__} keeps no documents")
        self._backend = backend
        self._documents: Documents = backend.store
        self._events = log_of(backend)
        self._queue = queue_of(backend)
        # By webhook: up to which event none was for it. A note of this process, which spares writes and reads.
        self._passed: dict[str, int] = {}

    def create(
        self,
        tenant: str,
        url: str,
        types: frozenset[str],
        namespaces: tuple[str, ...],
        secret: str,
        *,
        private: bool,
    ) -> Document:
        """Tell that address of what happens from now on.

        `private`: while the server is in local mode it may be one that only this machine reaches.
        """
        now = self._backend.clock()
        if len(self.list(tenant)) >= MOST_WEBHOOKS:
            raise ConflictError(f"there are {MOST_WEBHOOKS} webhooks already; delete one")
        self._documents.put_document(OWNER, TENANT, tenant, {}, now=now)
        body = {
            "url": url,
            "types": sorted(types),
            "namespaces": list(namespaces),
            "secret": secret,
            "private": private,
            "cursor": self._events.event_range(tenant)[1],
            "job": None,
            "off": None,
        }
        return self._documents.put_document(
            tenant, WEBHOOK, self._backend.new_id(), body, now=now, if_version=0
        )

    def list(self, tenant: str) -> list[Document]:
        return self._documents.documents(tenant, WEBHOOK, limit=MOST_WEBHOOKS)

    def get(self, tenant: str, id: str) -> Document | None:
        return self._documents.document(tenant, WEBHOOK, id)

    def delete(self, tenant: str, id: str) -> bool:
        return self._documents.delete_document(tenant, WEBHOOK, id)

    def switch_off(self, tenant: str, id: str, why: str) -> None:
        """Send nothing more there."""
        for _ in range(ATTEMPTS):
            document = self.get(tenant, id)
            if document is None or document.body["off"]:
                return
            try:
                self._change(tenant, document, off=why)
            except ConflictError:
                continue
            return

    def _change(self, tenant: str, document: Document, **changed: Json) -> None:
        self._documents.put_document(
            tenant,
            WEBHOOK,
            document.id,
            {**document.body, **changed},
            now=self._backend.clock(),
            if_version=document.version,
        )

    # -- from events to jobs

    def advance_all(self) -> tuple[int, bool]:
        """Make a job of the next event for each webhook that has none under way. How many; whether webhooks exist."""
        made, after, any_webhook = 0, None, False
        while page := self._documents.documents(OWNER, TENANT, limit=AT_ONCE, after=after):
            for tenant in page:
                found = self.list(tenant.id)
                any_webhook = any_webhook or bool(found)
                newest = self._events.event_range(tenant.id)[1] if found else 0
                made += sum(self._advance(tenant.id, document, newest) for document in found)
            after = page[-1].id
        return made, any_webhook

    def advance(self, tenant: str, id: str, *, ended: str) -> bool:
        """The same for one webhook, whose job `ended` is as good as done."""
        document = self.get(tenant, id)
        if document is None or document.body["job"] != ended:
            return False
        return self._advance(tenant, document, self._events.event_range(tenant)[1], ended=ended)

    def _advance(self, tenant: str, document: Document, newest: int, *, ended: str | None = None) -> bool:
        """One event at a time and webhook: the next becomes a job when the one before was taken, or given up."""
        body = document.body
        cursor: int = body["cursor"]
        position = max(cursor, self._passed.get(document.id, 0))
        if body["off"] or position >= newest:
            return False
        under_way: str | None = body["job"]
        if under_way is not None and under_way != ended:
            job = self._queue.job(tenant, under_way)
            if job is not None and job.state in ("queued", "running"):
                return False
        event = None
        while event is None and (found := self._events.events(tenant, after=position, limit=AT_ONCE)):
            event = next((one for one in found if _is_for(one, body)), None)
            position = found[-1].number
        try:
            if event is not None:
                # The same event gives the same id: whoever is second adds nothing.
                job = _job_of(event, document, self._backend.clock())
                self._queue.enqueue([job])
                self._change(tenant, document, cursor=event.number, job=job.id)
                self._passed.pop(document.id, None)
            elif position - cursor > PASSED_OVER:
                self._change(tenant, document, cursor=position)
                self._passed.pop(document.id, None)
            else:
                self._passed[document.id] = position
        except ConflictError:
            return False  # another process was faster, or the webhook is gone
        return event is not None


def _is_for(event: Event, body: Mapping[str, Json]) -> bool:
    return (not body["types"] or event.type in body["types"]) and (
        not body["namespaces"] or event.namespace in body["namespaces"]
    )


def _job_of(event: Event, webhook: Document, now: datetime) -> Job:
    # A UUID version 7 of the event's time and number, so that it sorts among the others.
    stamp = int(event.at.timestamp() * 1000) & (1 << 48) - 1
    name = f"{webhook.id}/{event.number}".encode()
    rest = int.from_bytes(hashlib.blake2b(name, digest_size=8, person=b"webhook").digest()) >> 2
    value = stamp << 80 | 0x7 << 76 | (event.number & 0xFFF) << 64 | 0b10 << 62 | rest
    return Job(
        id=str(uuid.UUID(int=value)),
        tenant=event.tenant,
        kind=WEBHOOK,
        payload={"webhook": webhook.id, "event": event_to_dict(event)},
        created_at=now,
        due_at=now,
        namespace=event.namespace,
    )


# -- delivering


class Deliverer:
    """Does `webhook` jobs: sends an event, and has the next one become a job as soon as this one was taken.

    Tenants take turns. A delivery for which there is no room goes back to the queue, for another process or later.
    """

    def __init__(self, backend: Backend, *, most: int = MOST_HELD) -> None:
        self.webhooks = Webhooks(backend)
        self._backend = backend
        self._client: httpx.AsyncClient | None = None
        self._places = Places(at_once=DELIVERIES_AT_ONCE, each=DELIVERIES_OF_TENANT, most=most)
        self._names = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, "remanence-names")

    async def aclose(self) -> None:
        self._names.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            await self._client.aclose()

    async def __call__(self, work: Work) -> Mapping[str, Json]:
        tenant = work.job.tenant
        if not self._places.has_room(tenant):
            await self._give_back(work)
            raise LeaseLostError
        async with self._places.inside(tenant):
            return await self._deliver(work)

    async def _give_back(self, work: Work) -> None:
        """It counts as no attempt."""
        await work.keep(**{_RETURNED: int(work.payload.get(_RETURNED, 0)) + 1})
        now, queue = self._backend.clock(), queue_of(self._backend)
        await self._backend.write(
            lambda: queue.end_job(
                work.job, now=now, state="queued", error=work.job.error, due_at=now + COME_AGAIN
            )
        )

    def _known(self, tenant: str, id: str) -> tuple[Document | None, bool]:
        """The webhook, and whether it may lead to what only this machine reaches: in local mode, which may be over."""
        webhook = self.webhooks.get(tenant, id)
        store = self._backend.store
        private = webhook is not None and bool(webhook.body["private"])
        return webhook, private and isinstance(store, Documents) and not KeyRing(store).any()

    async def _deliver(self, work: Work) -> Mapping[str, Json]:
        tenant, id = work.job.tenant, str(work.payload["webhook"])
        webhook, private = await self._backend.run(self._known, tenant, id)
        if webhook is None or webhook.body["off"]:
            return {"skipped": "the webhook is gone" if webhook is None else "the webhook is switched off"}
        status = await self._send(work, webhook, private=private)
        if status == _GONE:
            why = "the receiver answered 410 Gone"
            await self._backend.write(self.webhooks.switch_off, tenant, id, why)
            raise GiveUpError(f"{why}; the webhook is switched off")
        if not 200 <= status < 300:
            raise RetryError(f"the receiver answered {status}")
        if await self._backend.write(lambda: self.webhooks.advance(tenant, id, ended=work.job.id)):
            wake(self._backend)
        return {"status": status}

    async def _send(self, work: Work, webhook: Document, *, private: bool) -> int:
        event = work.payload["event"]
        body = json.dumps(
            {**event, "webhook": webhook.id}, ensure_ascii=False, separators=(",", ":")
        ).encode()
        at = int(self._backend.clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "remanence-webhook",
            "Remanence-Signature": sign(webhook.body["secret"], at, body),
            "Remanence-Event-Id": str(event["id"]),
            "Remanence-Delivery": work.job.id,
        }
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                url = httpx.URL(webhook.body["url"])
                addresses = await resolve(url, private=private, names=self._names)
                return await self._post(url, addresses, body, headers)
        except TimeoutError:
            raise RetryError("the receiver did not answer in time") from None
        except (httpx.HTTPError, OSError) as error:
            raise RetryError(f"the receiver could not be reached: {type(error).__name__}") from None

    async def _post(
        self, url: httpx.URL, addresses: list[Address], body: bytes, headers: dict[str, str]
    ) -> int:
        """To the very address that was checked: a name could lead elsewhere a moment later."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=await asyncio.to_thread(ssl.create_default_context),
                timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,  # a proxy would look the name up again
                limits=httpx.Limits(
                    max_keepalive_connections=0
                ),  # a connection is to one name, not to an address
            )
        headers = {**headers, "Host": url.netloc.decode("ascii")}
        for left, address in reversed([*enumerate(reversed(addresses[:MOST_ADDRESSES]))]):
            request = self._client.build_request(
                "POST",
                url.copy_with(host=str(address)),
                content=body,
                headers=headers,
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            )
            try:
                answer = await self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if not left:
                    raise
            else:
                await answer.aclose()  # what it says besides its status is not read
                return answer.status_code
        raise RetryError("the name of the receiver has no address")


async def resolve(url: httpx.URL, *, private: bool, names: Executor | None = None) -> list[Address]:
    """The addresses of the receiver. GiveUpError if one of them is not public and `private` is False.

    Names are looked up on a thread of `names`: it may be held long after nobody waits any more.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode("ascii").strip("[]")
    found = await asyncio.get_running_loop().run_in_executor(
        names, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not private and not all(map(is_public, addresses)):
        raise GiveUpError("the receiver's address is not public, so nothing is sent there")
    return list(dict.fromkeys(addresses))


_INTERNET = ipaddress.IPv6Network(
    "2000::/3"
)  # all that was given out; whatever else there is leads elsewhere
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # to IPv4, by gateways
# Relays, and addresses for documentation, which not every release of Python knows.
_RESERVED = (ipaddress.IPv4Network("192.88.99.0/24"), ipaddress.IPv6Network("3fff::/20"))


def is_public(address: Address) -> bool:
    """Whether an address is of the Internet: not this machine's, not of a local network, nor one that hides such."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        hidden = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
        if hidden is None and address in _TRANSLATED:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if hidden is not None:
            return is_public(hidden)
        if address not in _INTERNET:
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address.version == network.version and address in network for network in _RESERVED)
    )


# -- the routes

router = APIRouter(prefix="/v1/webhooks", tags=["events"])

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


class NewWebhook(Bounded):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        description="http or https, without user and password; a public address, unless the server is in local mode.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_URL},
    )
    types: list[str] = Field([], description="Any of these events; none: all.", max_length=64, fail_fast=True)
    namespaces: list[str] = Field([], description="Only of these; none: all.", max_length=64, fail_fast=True)
    secret: str | None = Field(
        None,
        description="Signs what is sent; one is made, and shown once, if none is given.",
        json_schema_extra={"minLength": SHORTEST_SECRET, "maxLength": LONGEST_SECRET},
    )


class WebhookAnswer(BaseModel):
    id: str
    url: str
    types: list[str]
    namespaces: list[str]
    created_at: datetime
    sent: int = Field(description="Number of the last event that became a delivery.")
    off: str | None = Field(description="Why nothing is sent any more.")


class CreatedWebhook(WebhookAnswer):
    secret: str | None = Field(None, description="If the server made it: it is not shown again.")


class WebhooksAnswer(BaseModel):
    webhooks: list[WebhookAnswer]


def shown(document: Document) -> dict[str, Any]:
    """A webhook without its secret."""
    body = document.body
    return {
        "id": document.id,
        "url": body["url"],
        "types": body["types"],
        "namespaces": body["namespaces"],
        "created_at": time_text(document.created_at),
        "sent": body["cursor"],
        "off": body["off"],
    }


def _webhooks(request: Request, access: AccessDep) -> Webhooks:
    """Webhooks concern the tenant as a whole."""
    access.admin()
    access.everywhere()
    return Webhooks(request.app.state.services.backend)


Id = Annotated[
    str,
    Path(
        description="The webhook's id.", json_schema_extra={"minLength": 1, "maxLength": validation.MAX_KEY}
    ),
]


@router.post(
    "",
    operation_id="create_webhook",
    summary="Have events sent to an address",
    status_code=201,
    response_model=CreatedWebhook,
)
async def create(body: NewWebhook, request: Request, access: AccessDep) -> Response:
    """From now on, in order, each until it is taken. Needs the scope `admin` for all namespaces."""
    webhooks = _webhooks(request, access)
    local = access.caller.key_id is None
    url = checked_url(body.url, private=local)
    types = event_types("types", body.types)
    namespaces = validation.strings("namespaces", body.namespaces, limit=validation.MAX_NAME)
    secret = "whsec_" + secrets.token_urlsafe(32) if body.secret is None else _checked_secret(body.secret)
    made = await request.app.state.services.backend.write(
        lambda: webhooks.create(access.tenant, url, types, namespaces, secret, private=local)
    )
    once = {"secret": secret} if body.secret is None else {}
    return json_response({**shown(made), **once}, 201, {"Location": f"/v1/webhooks/{made.id}"})


@router.get("", operation_id="list_webhooks", summary="Webhooks", response_model=WebhooksAnswer)
async def list_webhooks(request: Request, access: AccessDep) -> Response:
    """All of the tenant, oldest first."""
    webhooks = _webhooks(request, access)
    found = await request.app.state.services.backend.run(webhooks.list, access.tenant)
    return json_response({"webhooks": [shown(document) for document in found]})


@router.get("/{id:segment}", operation_id="get_webhook", summary="One webhook", response_model=WebhookAnswer)
async def get(id: Id, request: Request, access: AccessDep) -> Response:
    webhooks = _webhooks(request, access)
    found = await request.app.state.services.backend.run(webhooks.get, access.tenant, _checked_id(id))
    if found is None:
        raise _unknown(id)
    return json_response(shown(found))


@router.delete(
    "/{id:segment}", operation_id="delete_webhook", summary="Send nothing more there", response_model=Deleted
)
async def delete(id: Id, request: Request, access: AccessDep) -> Response:
    """What was on its way may still arrive."""
    webhooks = _webhooks(request, access)
    if not await request.app.state.services.backend.write(webhooks.delete, access.tenant, _checked_id(id)):
        raise _unknown(id)
    return json_response({"deleted": True})


def _checked_id(id: str) -> str:
    return validation.text("id", id, limit=validation.MAX_KEY)


def _unknown(id: str) -> NotFoundError:
    return NotFoundError(f"there is no webhook {id!r}")


def checked_url(text: str, *, private: bool) -> str:
    """An address that can be sent to. InvalidInputError says what is wrong, and never repeats the address."""
    validation.text("url", text, limit=MAX_URL)
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").strip("[]")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise InvalidInputError("url", "is no URL") from None
    if url.scheme not in ("http", "https"):
        raise InvalidInputError("url", "must begin with https:// or http://")
    if url.userinfo:
        raise InvalidInputError(
            "url", "must have no user and password: it is shown to whoever lists webhooks"
        )
    if url.fragment:
        raise InvalidInputError("url", "must have no #fragment: nobody would see it")
    if url.port is not None and not 0 < url.port < 65536:
        raise InvalidInputError("url", "has no usable port")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if len(host) > 253 or not all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
            raise InvalidInputError("url", "has no usable host name") from None
    else:
        if not private and not is_public(address):
            raise InvalidInputError(
                "url", "is not a public address, which only a server in local mode sends to"
            )
    return str(url)


def _checked_secret(secret: str) -> str:
    # Never shown in an error.
    if (
        not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET
        or not secret.isascii()
        or not secret.isprintable()
    ):
        raise InvalidInputError(
            "secret", f"must be {SHORTEST_SECRET} to {LONGEST_SECRET} printable ASCII characters"
        )
    return secret
