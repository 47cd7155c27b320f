"""Keys of a server: made, listed, revoked, rotated, and recognised. Only hashes of them are kept."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from remanence.domain import validation
from remanence.domain.callers import RIGHTS, Caller, Right
from remanence.domain.serving import Document
from remanence.errors import ConflictError, InvalidInputError, NotFoundError, UnauthenticatedError
from remanence.ports import Clock, Documents

OWNER: Final = ""
"""The tenant under which keys lie: no key can be for it, for names are never empty."""
KEY: Final = "key"
SECRET: Final = "key_secret"
USED: Final = "key_used"

SHORTEST, LONGEST = 20, 512
MOST_PATTERNS = 64
PAGE = 500
ATTEMPTS = 8
USE_NOTED_EVERY = timedelta(hours=1)
REFUSED = "this key is not valid: it is unknown, was revoked or has expired"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # what may follow `Bearer`, RFC 6750


@dataclass(frozen=True, slots=True)
class Secret:
    """The hash of one value of a key, and until when it is good; None: for as long as the key."""

    digest: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it is kept: who it is for, what it allows, and when it ends. For limits see `Caller`."""

    id: str
    tenant: str
    rights: tuple[Right, ...]
    created_at: datetime
    namespaces: tuple[str, ...] = ()
    name: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_at: datetime | None = None
    used_at: datetime | None = None
    rate: float | None = None
    burst: int | None = None
    memories: int | None = None
    bytes: int | None = None
    operations: int | None = None
    secrets: tuple[Secret, ...] = ()

    def state(self, now: datetime) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def is_good(self, value: str, now: datetime) -> bool:
        """Whether the value with this hash still opens: the key's state is `active`, and it is one of its values."""
        return self.state(now) == "active" and any(
            hmac.compare_digest(one.digest, value) and (one.until is None or one.until > now)
            for one in self.secrets
        )

    def caller(self, secret: Secret) -> Caller:
        """Who comes with this value of the key."""
        return Caller(
            tenant=self.tenant,
            rights=frozenset(self.rights),
            namespaces=self.namespaces,
            key_id=self.id,
            rate=self.rate,
            burst=self.burst,
            memories=self.memories,
            bytes=self.bytes,
            operations=self.operations,
            secret=secret.digest,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a value that somebody came with is: a key and the part of it that it matched, or nothing."""

    key: Key | None = None
    secret: Secret | None = None

    def caller(self, now: datetime) -> Caller:
        """UnauthenticatedError, always the same, for what is unknown, revoked or expired."""
        key, secret = self.key, self.secret
        if key is None or secret is None or not key.is_good(secret.digest, now):
            raise UnauthenticatedError(REFUSED)
        return key.caller(secret)


class KeyRing:
    """The keys of one store. Synchronous, like the store; raises StoreError for faults of the medium.

    A key is a document; another one, named by the hash of its value, leads to it. Values have 256 random bits, so one
    round of SHA-256 hides them as well as any slow hash would: nobody can try them all.
    """

    def __init__(self, documents: Documents, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._documents = documents
        self._clock = clock

    def create(
        self,
        tenant: str,
        rights: Right | Iterable[Right] = ("write",),
        *,
        namespaces: Iterable[str] = (),
        name: str | None = None,
        expires_at: datetime | None = None,
        rate: float | None = None,
        burst: int | None = None,
        memories: int | None = None,
        bytes: int | None = None,
        operations: int | None = None,
        value: str | None = None,
    ) -> tuple[Key, str]:
        """A new key and its value, which is nowhere kept. `value` brings one: 20 to 512 characters, made at random.

        `burst` is what a `rate` allows at once, by default one second's worth. ConflictError if the value was used
        before, InvalidInputError for what cannot be.
        """
        now = self._clock()
        key = Key(
            id=secrets.token_hex(6),
            tenant=validation.name("tenant", tenant),
            rights=_rights(rights),
            created_at=now,
            namespaces=_patterns(namespaces),
            name=validation.optional_text("name", name, limit=validation.MAX_NAME),
            expires_at=_future("expires_at", expires_at, now),
            rate=_rate(rate),
            burst=_burst(burst, rate),
            memories=_amount("memories", memories),
            bytes=_amount("bytes", bytes),
            operations=_amount("operations", operations),
        )
        chosen = _random(key.id) if value is None else _chosen(value)
        key = replace(key, secrets=(Secret(digest(chosen)),))
        self._point(key, now)
        self._documents.put_document(OWNER, KEY, key.id, _body(key), now=now, if_version=0)
        return key, chosen

    def list(self, tenant: str | None = None) -> list[Key]:
        """All keys, or those of a tenant, oldest first; also the revoked and expired ones."""
        used = {document.id: document for document in self._all(USED)}
        found = [_key(document, used.get(document.id)) for document in self._all(KEY)]
        return sorted(
            (key for key in found if tenant is None or key.tenant == tenant),
            key=lambda key: (key.created_at, key.id),
        )

    def get(self, id: str, *, tenant: str | None = None) -> Key:
        """NotFoundError if there is none, or it is another tenant's."""
        return self._get(id, tenant)[0]

    def any(self) -> bool:
        """Whether a key was ever made. Revoked ones count: what was locked once does not fall open."""
        return bool(self._documents.documents(OWNER, KEY, limit=1))

    def revoke(self, id: str, *, tenant: str | None = None) -> Key:
        """End a key for good, with every value it has. Its record stays."""
        return self._change(
            id, tenant, lambda key, now: key if key.revoked_at is not None else replace(key, revoked_at=now)
        )

    def rotate(
        self, id: str, *, grace: timedelta | None = None, value: str | None = None, tenant: str | None = None
    ) -> tuple[Key, str]:
        """A new value for a key. The old one ends at once, or is good for the `grace` more.

        ConflictError for a key that was revoked or has expired.
        """
        span = timedelta(0) if grace is None else validation.duration("grace", grace)
        chosen = _random(id) if value is None else _chosen(value)
        new = Secret(digest(chosen))

        def rotated(key: Key, now: datetime) -> Key:
            if (state := key.state(now)) != "active":
                raise ConflictError(f"key {id} is {state}; create another one")
            kept = [
                replace(old, until=end if old.until is None else min(old.until, end))
                for old in key.secrets
                if (end := _later(now, span)) > now and (old.until is None or old.until > now)
            ]
            changed = replace(key, rotated_at=now, secrets=(new, *kept))
            self._point(changed, now)
            return changed

        return self._change(id, tenant, rotated), chosen

    # -- recognising

    def look_up(self, value: str) -> Known:
        """What a value is. The same two reads, and the same comparison, whatever comes."""
        wanted = digest(value)
        pointer = self._documents.document(OWNER, SECRET, wanted)
        id = "" if pointer is None else str(pointer.body["key"])
        document = self._documents.document(OWNER, KEY, id)
        key = None if document is None else _key(document)
        held = (Secret("0" * len(wanted)),) if key is None else key.secrets
        # Every one is compared, and none in a time that tells how much of it was right.
        matching = [one for one in held if hmac.compare_digest(one.digest, wanted)]
        return Known(key, matching[0]) if key is not None and matching else Known()

    def authenticate(self, value: str, now: datetime) -> Caller:
        """Who comes with this value. UnauthenticatedError for one that is unknown, revoked or expired."""
        return self.look_up(value).caller(now)

    def note_use(self, id: str, now: datetime) -> None:
        """Keep that the key was used, to the hour."""
        noted = self._documents.document(OWNER, USED, id)
        if noted is None or now - noted.updated_at >= USE_NOTED_EVERY:
            self._documents.put_document(OWNER, USED, id, {}, now=now)

    # -- documents

    def _all(self, kind: str) -> Iterator[Document]:
        after: str | None = None
        while True:
            page = self._documents.documents(OWNER, kind, limit=PAGE, after=after)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _get(self, id: str, tenant: str | None) -> tuple[Key, Document]:
        document = self._documents.document(OWNER, KEY, id)
        key = None if document is None else _key(document, self._documents.document(OWNER, USED, id))
        if document is None or key is None or (tenant is not None and key.tenant != tenant):
            raise NotFoundError(f"there is no key {id!r}; `remanence keys list` shows them")
        return key, document

    def _change(self, id: str, tenant: str | None, change: Callable[[Key, datetime], Key]) -> Key:
        for attempt in range(ATTEMPTS):
            key, document = self._get(id, tenant)
            now = self._clock()
            changed = change(key, now)
            if changed is key:
                return key
            try:
                self._documents.put_document(
                    OWNER, KEY, id, _body(changed), now=now, if_version=document.version
                )
            except ConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return changed
        raise AssertionError  # pragma: no cover (the last attempt raised)

    def _point(self, key: Key, now: datetime) -> None:
        """Let the newest value lead to its key. What it leads to decides, so this may come first."""
        wanted = key.secrets[0].digest
        there = self._documents.document(OWNER, SECRET, wanted)
        if there is not None:
            holder = str(there.body["key"])
            if holder == key.id:
                return  # a second attempt
            if self._documents.document(OWNER, KEY, holder) is not None:
                raise ConflictError("this value was used for a key before; choose another one")
        self._documents.put_document(
            OWNER,
            SECRET,
            wanted,
            {"key": key.id},
            now=now,
            if_version=0 if there is None else there.version,
        )


def digest(value: str) -> str:
    """What is kept of a value: its SHA-256."""
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def _random(id: str) -> str:
    """256 random bits behind the id, by which people recognise it."""
    return f"rm_{id}_{secrets.token_urlsafe(32)}"


def _chosen(value: object) -> str:
    # Never shown in an error: it may be a real key with a typing mistake.
    if not isinstance(value, str):
        raise InvalidInputError("value", f"must be str, not {type(value).__name__}")
    if not SHORTEST <= len(value) <= LONGEST:
        raise InvalidInputError(
            "value", f"has {len(value):,} characters; a key has from {SHORTEST} to {LONGEST}"
        )
    if not _TOKEN.fullmatch(value):
        raise InvalidInputError(
            "value", "may have letters, digits and . _ ~ + / - only, and = at the end, to fit into a header"
        )
    if len(set(value)) < SHORTEST // 2:
        raise InvalidInputError("value", "repeats few characters, so it can be guessed; make one at random")
    return value


def _rights(rights: object) -> tuple[Right, ...]:
    found = validation.strings("rights", rights)
    if not found or set(found) - set(RIGHTS):
        raise InvalidInputError("rights", f"must be of {', '.join(RIGHTS)}, not {', '.join(found) or 'none'}")
    return tuple(right for right in RIGHTS if right in found)


def _patterns(patterns: object) -> tuple[str, ...]:
    return validation.strings("namespaces", patterns, most=MOST_PATTERNS, limit=validation.MAX_NAME)


def _amount(argument: str, value: object) -> int | None:
    return None if value is None else validation.count(argument, value, most=10**15)


def _rate(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1e-6 <= value <= 1e6:
        raise InvalidInputError("rate", f"must be calls a second, from 0.000001 to 1000000, not {value!r}")
    return float(value)


def _burst(burst: object, rate: float | None) -> int | None:
    if rate is None:
        if burst is not None:
            raise InvalidInputError("burst", "says what a rate allows at once; give a rate too")
        return None
    return max(1, math.ceil(rate)) if burst is None else validation.count("burst", burst, most=10**9)


def _future(argument: str, value: object, now: datetime) -> datetime | None:
    moment = validation.optional_moment(argument, value)
    if moment is not None and moment <= now:
        raise InvalidInputError(argument, "is in the past")
    return moment


def _later(now: datetime, span: timedelta) -> datetime:
    return validation.LATEST if span > validation.LATEST - now else now + span


def _moment(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


_PLAIN = ("name", "rate", "burst", "memories", "bytes", "operations")
_TIMES = ("created_at", "expires_at", "revoked_at", "rotated_at")


def _body(key: Key) -> Mapping[str, Any]:
    return {
        "tenant": key.tenant,
        "rights": list(key.rights),
        "namespaces": list(key.namespaces),
        "secrets": [[one.digest, _text(one.until)] for one in key.secrets],
        **{name: getattr(key, name) for name in _PLAIN},
        **{name: _text(getattr(key, name)) for name in _TIMES},
    }


def _key(document: Document, used: Document | None = None) -> Key:
    body: Mapping[str, Any] = document.body
    times: dict[str, Any] = {name: _moment(body[name]) for name in _TIMES}
    return Key(
        id=document.id,
        tenant=body["tenant"],
        rights=tuple(body["rights"]),
        namespaces=tuple(body["namespaces"]),
        secrets=tuple(Secret(one, _moment(until)) for one, until in body["secrets"]),
        used_at=None if used is None else used.updated_at,
        **{name: body[name] for name in _PLAIN},
        **times,
    )
