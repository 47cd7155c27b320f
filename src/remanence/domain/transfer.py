"""Memories as lines of JSON and back, without loss. Pure: values in, values out.

An export is one JSON object a line, each with a single member that says what it is:

    {"remanence": {"format": 1, "tenant": "local", "model": {...} or null, "namespaces": 2, "exported_at": "..."}}
    {"memory": {"id": "...", "namespace": "...", "version": 1, "content": "...", ...}}     one for each version
    {"entry": {"namespace": "...", "key": "...", "value": ..., ...}}                       one for each key-value entry
    {"idempotency": {"namespace": "...", "key": "...", "id": "...", "fingerprint": "..."}} one for each key served
    {"decision": {"namespace": "...", "id": "...", "kind": "superseded", ...}}             one for each decision
    {"end": {"memories": 7, "entries": 1, "idempotency": 0, "decisions": 0}}               how many came before

Namespace by namespace; versions in the order they were recorded. Times are RFC 3339 in UTC with microseconds.
Vectors are not in it: the importing side makes its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, cast

from remanence.domain import validation
from remanence.domain.records import (
    TRUST,
    AddVersion,
    Change,
    ClaimIdempotencyKey,
    CloseVersion,
    Decision,
    DecisionKind,
    EmbeddingModel,
    Entry,
    MemoryRecord,
    Recalled,
)
from remanence.domain.text import content_digest
from remanence.errors import ConflictError, InvalidInputError

FORMAT = 2
"""Of what is written. Format 1, of 0.1, had no decisions."""
DECISION_KINDS: tuple[DecisionKind, ...] = ("superseded", "reinforced", "conflict", "consolidated")
MOST = 1_000_000_000  # no limit of its own: what could be stored can be read back


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: who wrote the file. `namespaces` says how many follow."""

    tenant: str
    model: EmbeddingModel | None
    namespaces: int
    exported_at: datetime
    format: int = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEntry:
    """A key-value entry and whose it is."""

    namespace: str
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptClaim:
    """An idempotency key that was served, and whose it is."""

    namespace: str
    claim: ClaimIdempotencyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A decision, and whose it is."""

    namespace: str
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last line: how many lines of each kind came before. A file without it was cut off."""

    memories: int = 0
    entries: int = 0
    idempotency: int = 0
    decisions: int = 0

    def after(self, line: Item) -> End:
        """The counts with one more line."""
        match line:
            case MemoryRecord():
                return replace(self, memories=self.memories + 1)
            case KeptEntry():
                return replace(self, entries=self.entries + 1)
            case KeptClaim():
                return replace(self, idempotency=self.idempotency + 1)
            case KeptDecision():
                return replace(self, decisions=self.decisions + 1)


Item = MemoryRecord | KeptEntry | KeptClaim | KeptDecision
Line = Header | Item | End


# -- values to dicts


def time_text(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds, ending in Z."""
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def record_to_dict(record: MemoryRecord) -> dict[str, Any]:
    """Every field of a version, in the order they are declared, times as text."""
    named = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: time_text(value)
        if isinstance(value, datetime)
        else list(cast("tuple[str, ...]", value))
        if isinstance(value, tuple)
        else value
        for name, value in named.items()
    }


def hit_to_dict(hit: Recalled) -> dict[str, Any]:
    """A record's fields with its `score`, `confidence`, `newer`, `stale`, `conflicts`, `why` and `evidence`."""
    return {
        "score": hit.score,
        "confidence": hit.confidence,
        "newer": hit.newer,
        "stale": list(hit.stale),
        "conflicts": list(hit.conflicts),
        **record_to_dict(hit.record),
        "why": dict(hit.why),
        "evidence": dict(hit.evidence),
    }


def decision_to_dict(decision: Decision) -> dict[str, Any]:
    """Every field of a decision, times as text."""
    return {
        "id": decision.id,
        "kind": decision.kind,
        "at": time_text(decision.at),
        "subject": decision.subject,
        "others": list(decision.others),
        "reason": decision.reason,
        "evidence": dict(decision.evidence),
        "confidence": decision.confidence,
        "undone_at": time_text(decision.undone_at),
    }


def entry_to_dict(entry: Entry) -> dict[str, Any]:
    """A key-value entry with its value as JSON, not as text."""
    return {
        "key": entry.key,
        "value": json.loads(entry.value),
        "version": entry.version,
        "updated_at": time_text(entry.updated_at),
        "expires_at": time_text(entry.expires_at),
    }


def encode(line: Line) -> bytes:
    """One line of an export, with its newline."""
    match line:
        case Header():
            model = line.model and {"name": line.model.name, "dimension": line.model.dimension}
            named = {
                "remanence": {
                    "format": line.format,
                    "tenant": line.tenant,
                    "model": model,
                    "namespaces": line.namespaces,
                    "exported_at": time_text(line.exported_at),
                }
            }
        case MemoryRecord():
            named = {"memory": record_to_dict(line)}
        case KeptEntry():
            named = {"entry": {"namespace": line.namespace, **entry_to_dict(line.entry)}}
        case KeptClaim():
            claim = line.claim
            named = {
                "idempotency": {
                    "namespace": line.namespace,
                    "key": claim.key,
                    "id": claim.id,
                    "fingerprint": claim.fingerprint.hex(),
                }
            }
        case KeptDecision():
            named = {"decision": {"namespace": line.namespace, **decision_to_dict(line.decision)}}
        case End():
            named = {"end": {field.name: getattr(line, field.name) for field in fields(line)}}
    return json.dumps(named, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# -- lines to values


def decode(line: bytes, *, max_content: int = MOST) -> Line:
    """The value a line stands for. InvalidInputError says what is wrong with it."""
    try:
        parsed: object = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise InvalidInputError("line", f"is not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("line", "is not a whole JSON value") from error
    if not isinstance(parsed, dict) or len(cast("dict[object, object]", parsed)) != 1:
        raise InvalidInputError("line", "is not a line of a Remanence export")
    ((kind, value),) = cast("dict[str, object]", parsed).items()
    if not isinstance(value, dict):
        raise InvalidInputError("line", "is not a line of a Remanence export")
    members = _Members(kind, cast("dict[str, object]", value))
    match kind:
        case "remanence":
            found: Line = _header(members)
        case "memory":
            found = _record(members, max_content)
        case "entry":
            found = _entry(members)
        case "idempotency":
            found = _claim(members)
        case "decision":
            found = _decision(members)
        case "end":
            counted = {
                field.name: members.whole(field.name) for field in fields(End) if field.name != "decisions"
            }
            found = End(**counted, decisions=members.whole("decisions", absent=0))
        case _:
            raise InvalidInputError(
                "line", f"is of an unknown kind {kind!r}; a newer release may have written it"
            )
    members.finish()
    return found


def _header(members: _Members) -> Header:
    written = members.whole("format", least=1)
    if written > FORMAT:
        raise InvalidInputError(
            "format", f"{written} is newer than {FORMAT}, which this release reads: pip install -U remanence"
        )
    model = members.take("model")
    named = None if model is None else _Members("model", cast("dict[str, object]", _object("model", model)))
    return Header(
        tenant=members.text("tenant"),
        model=None
        if named is None
        else EmbeddingModel(name=named.text("name"), dimension=named.whole("dimension", least=1)),
        namespaces=members.whole("namespaces"),
        exported_at=members.time("exported_at"),
    )


def _record(members: _Members, max_content: int) -> MemoryRecord:
    return MemoryRecord(
        namespace=members.text("namespace", limit=validation.MAX_NAME),
        id=members.text("id", limit=validation.MAX_KEY),
        version=members.whole("version", least=1),
        content=members.text("content", limit=max_content),
        type=members.text("type"),
        tags=validation.strings("tags", members.take("tags"), most=MOST, limit=MOST),
        metadata=json.loads(
            validation.json_text("metadata", _object("metadata", members.take("metadata")), limit=MOST)
        ),
        session_id=members.optional_text("session_id"),
        source=members.optional_text("source"),
        importance=validation.fraction("importance", members.take("importance")),
        pinned=validation.flag("pinned", members.take("pinned")),
        key=members.optional_text("key"),
        created_at=members.time("created_at"),
        recorded_at=members.time("recorded_at"),
        retracted_at=members.optional_time("retracted_at"),
        valid_from=members.optional_time("valid_from"),
        valid_to=members.optional_time("valid_to"),
        expires_at=members.optional_time("expires_at"),
        superseded_by=members.optional_text("superseded_by"),
        reason=members.optional_text("reason"),
        # Exports of earlier releases do not have these.
        origin=validation.one_of("origin", members.take("origin", "user"), TRUST),
        trust=validation.fraction("trust", members.take("trust", 1.0)),
        derived_from=validation.strings(
            "derived_from", members.take("derived_from", ()), most=MOST, limit=MOST
        ),
        depends_on=validation.strings("depends_on", members.take("depends_on", ()), most=MOST, limit=MOST),
        quarantine=members.optional_text("quarantine", absent=True),
        access_count=members.whole("access_count"),
        last_recalled_at=members.optional_time("last_recalled_at"),
        reinforced_count=members.whole("reinforced_count"),
    )


def _entry(members: _Members) -> KeptEntry:
    return KeptEntry(
        namespace=members.text("namespace", limit=validation.MAX_NAME),
        entry=Entry(
            key=members.text("key", limit=validation.MAX_KEY),
            value=validation.json_text("value", members.take("value"), limit=MOST),
            version=members.whole("version", least=1),
            updated_at=members.time("updated_at"),
            expires_at=members.optional_time("expires_at"),
        ),
    )


def _claim(members: _Members) -> KeptClaim:
    try:
        fingerprint = bytes.fromhex(members.text("fingerprint"))
    except ValueError as error:
        raise InvalidInputError("fingerprint", "is not hexadecimal") from error
    return KeptClaim(
        namespace=members.text("namespace", limit=validation.MAX_NAME),
        claim=ClaimIdempotencyKey(key=members.text("key"), fingerprint=fingerprint, id=members.text("id")),
    )


def _decision(members: _Members) -> KeptDecision:
    return KeptDecision(
        namespace=members.text("namespace", limit=validation.MAX_NAME),
        decision=Decision(
            id=members.text("id", limit=validation.MAX_KEY),
            kind=validation.one_of("kind", members.take("kind"), DECISION_KINDS),
            at=members.time("at"),
            subject=members.text("subject", limit=validation.MAX_KEY),
            others=validation.strings("others", members.take("others"), most=MOST, limit=MOST),
            reason=members.text("reason"),
            evidence=json.loads(
                validation.json_text("evidence", _object("evidence", members.take("evidence")), limit=MOST)
            ),
            confidence=validation.fraction("confidence", members.take("confidence")),
            undone_at=members.optional_time("undone_at"),
        ),
    )


class _Members:
    """The members of one line, taken one by one, so that a missing or an unknown one is named."""

    def __init__(self, kind: str, members: dict[str, object]) -> None:
        self._kind = kind
        self._left = dict(members)

    def take(self, name: str, default: object = ...) -> object:
        found = self._left.pop(name, default)
        if found is ...:
            raise InvalidInputError(name, f"is missing from {self._kind!r}")
        return found

    def finish(self) -> None:
        if self._left:
            raise InvalidInputError(
                next(iter(self._left)), f"is unknown in {self._kind!r}; a newer release may have written it"
            )

    def text(self, name: str, *, limit: int = MOST) -> str:
        return validation.text(name, self.take(name), limit=limit)

    def optional_text(self, name: str, *, absent: bool = False) -> str | None:
        return validation.optional_text(name, self.take(name, None if absent else ...), limit=MOST)

    def whole(self, name: str, *, least: int = 0, absent: int | None = None) -> int:
        value = self.take(name, ... if absent is None else absent)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            raise InvalidInputError(name, f"must be a whole number from {least}, not {value!r:.40}")
        return value

    def time(self, name: str) -> datetime:
        value = self.take(name)
        if not isinstance(value, str):
            raise InvalidInputError(name, f"must be a time as text, not {type(value).__name__}")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidInputError(name, f"is not an RFC 3339 time: {value!r:.40}") from error
        return validation.moment(name, moment)

    def optional_time(self, name: str) -> datetime | None:
        if self._left.get(name, ...) is None:
            self.take(name)
            return None
        return self.time(name)


def _object(name: str, value: object) -> object:
    if not isinstance(value, dict):
        raise InvalidInputError(name, f"must be an object, not {type(value).__name__}")
    return cast("object", value)


# -- what an import changes


def plan_import(
    records: Sequence[MemoryRecord], present: Mapping[str, Sequence[MemoryRecord]]
) -> list[Change]:
    """What is new in `records`, in their order (index entries still missing), seen what is `present` by id.

    A version that is here already is left alone; one that is still open here and closed in the file is closed.
    ConflictError if a version here is another one than in the file: then two histories of one memory have parted.
    """
    known = {(record.id, record.version): record for versions in present.values() for record in versions}
    changes: list[Change] = []
    for record in records:
        here = known.get((record.id, record.version))
        if here is None:
            ended = record.retracted_at is not None or record.superseded_by is not None
            holds = not ended and record.quarantine is None
            changes.append(
                AddVersion(record=record, entry=None, digest=content_digest(record) if holds else None)
            )
            known[record.id, record.version] = record
        elif _open(here) != _open(record):
            raise ConflictError(
                f"version {record.version} of memory {record.id} in namespace {record.namespace!r} is another "
                "one here; import into an empty namespace, or forget it first"
            )
        elif here.retracted_at is None and record.retracted_at is not None:
            changes.append(
                CloseVersion(
                    id=record.id,
                    version=record.version,
                    at=record.retracted_at,
                    superseded_by=record.superseded_by,
                    reason=record.reason,
                )
            )
            known[record.id, record.version] = record
    return changes


def _open(record: MemoryRecord) -> MemoryRecord:
    """The version as it was before anything closed or counted it."""
    return replace(
        record,
        retracted_at=None,
        superseded_by=None,
        reason=None,
        access_count=0,
        last_recalled_at=None,
        reinforced_count=0,
    )
