"""The use cases of taking memories out as lines and in again, for the command line and for servers.

The format is `domain.transfer`'s. Both directions work in constant memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from remanence.backend import Backend, index_entry
from remanence.domain import transfer, validation
from remanence.domain.records import AddVersion, Change, CloseVersion, Decide, MemoryRecord, Scope
from remanence.domain.transfer import End, Header, KeptClaim, KeptDecision, KeptEntry
from remanence.errors import ConflictError, InvalidInputError, NotFoundError
from remanence.ports import Exportable

BATCH = 1_000  # lines in one transaction
LONGEST_LINE = 1 << 27  # bytes; longer than any memory or value can be
ATTEMPTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did so far. `read` are lines of each kind in the file; the rest is what was new here."""

    read: End = End()  # noqa: RUF009 (frozen)
    memories: int = 0
    closed: int = 0
    entries: int = 0
    bytes: int = 0


def export(backend: Backend, tenant: str, namespaces: Sequence[str] = ()) -> Iterator[bytes]:
    """The lines of an export: of these namespaces, or of all the tenant's. Use it up, or close it, on one thread.

    The memories of a namespace are exported as they are at one moment, its key-value entries and its idempotency keys
    each at a later one. NotFoundError for a namespace that holds nothing.
    """
    store = _exportable(backend)
    backend.uses.flush(backend.store)
    present = backend.store.namespaces(validation.name("tenant", tenant))
    chosen = [validation.name("namespace", name) for name in dict.fromkeys(namespaces)] or present
    for missing in sorted(set(chosen) - set(present)):
        raise NotFoundError(f"namespace {missing!r} of tenant {tenant!r} holds nothing to export")

    def lines() -> Iterator[bytes]:
        now = backend.clock()
        yield transfer.encode(
            Header(tenant=tenant, model=backend.store.model(), namespaces=len(chosen), exported_at=now)
        )
        end = End()
        for namespace in chosen:
            scope = Scope(tenant=tenant, namespace=namespace)
            for item in _items(store, scope, backend):
                end = end.after(item)
                yield transfer.encode(item)
        yield transfer.encode(end)

    return lines()


def _items(store: Exportable, scope: Scope, backend: Backend) -> Iterator[transfer.Item]:
    yield from store.export_versions(scope)
    for entry in store.export_entries(scope, now=backend.clock()):
        yield KeptEntry(namespace=scope.namespace, entry=entry)
    for claim in store.export_claims(scope):
        yield KeptClaim(namespace=scope.namespace, claim=claim)
    for decision in store.export_decisions(scope):
        yield KeptDecision(namespace=scope.namespace, decision=decision)


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, none of them read further than any line of an export can reach."""
    while line := stream.readline(LONGEST_LINE + 1):
        yield line


async def import_(
    backend: Backend,
    tenant: str,
    lines: Iterable[bytes],
    *,
    namespace: str | None = None,
    progress: Callable[[Imported], None] | None = None,
) -> Imported:
    """Add what an export holds and is not here yet, in transactions of about 1,000 lines; again adds nothing.

    Texts are embedded anew. `namespace` renames the only namespace of the file. InvalidInputError names the line
    and the reason where a file is foreign, damaged or cut off, ConflictError a memory that is another one here; what
    came before stays, and a second run with the whole file goes on.
    """
    store = _exportable(backend)
    validation.name("tenant", tenant)
    if namespace is not None:
        validation.name("namespace", namespace)
    reader = _Reader(iter(lines), namespace, backend.max_content)
    done = Imported()
    while batch := await backend.run(reader.batch):
        scope = Scope(tenant=tenant, namespace=batch[0].namespace)
        memories = closed = entries = 0
        match batch[0]:
            case MemoryRecord():
                records = [item for item in batch if isinstance(item, MemoryRecord)]
                memories, closed = await _import_records(backend, store, scope, records)
            case KeptEntry():
                kept = [item.entry for item in batch if isinstance(item, KeptEntry)]
                entries = await backend.write(partial(store.import_entries, scope, kept, now=backend.clock()))
            case KeptClaim():
                claims = [item.claim for item in batch if isinstance(item, KeptClaim)]
                await backend.write(store.import_versions, scope, claims, backend.embedder.model)
            case KeptDecision():
                made = [Decide(decision=item.decision) for item in batch if isinstance(item, KeptDecision)]
                await backend.write(store.import_versions, scope, made, backend.embedder.model)
        done = Imported(
            read=reader.read,
            memories=done.memories + memories,
            closed=done.closed + closed,
            entries=done.entries + entries,
            bytes=reader.bytes,
        )
        if progress is not None:
            progress(done)
    return replace(done, read=reader.read, bytes=reader.bytes)


async def _import_records(
    backend: Backend, store: Exportable, scope: Scope, records: Sequence[MemoryRecord]
) -> tuple[int, int]:
    """Versions added and versions closed; decided anew if somebody wrote in between."""

    def look() -> list[Change]:
        backend.agree_on_model()
        known = backend.store.get(scope, list({record.id: None for record in records}))
        present = {record.id: backend.store.versions(scope, id=record.id) for record in known}
        return transfer.plan_import(records, present)

    for attempt in itertools.count(1):
        changes = await backend.run(look)
        if not changes:
            return 0, 0
        indexed = await _indexed(backend, changes)
        closed = sum(isinstance(change, CloseVersion) for change in changes)
        try:
            added = await backend.write(store.import_versions, scope, indexed, backend.embedder.model)
        except ConflictError:
            if attempt == ATTEMPTS:
                raise
        else:
            return added, closed
    raise AssertionError("unreachable")


async def _indexed(backend: Backend, changes: Sequence[Change]) -> list[Change]:
    """The changes with what makes their versions findable."""
    texts = dict.fromkeys(
        change.record.content
        for change in changes
        if isinstance(change, AddVersion) and change.record.ever_visible
    )
    if not texts:
        return list(changes)
    vectors = await backend.embed(list(texts))
    by_text = dict(zip(texts, vectors, strict=True))

    def work() -> list[Change]:
        return [
            replace(change, entry=index_entry(change.record, by_text[change.record.content]))
            if isinstance(change, AddVersion) and change.record.ever_visible
            else change
            for change in changes
        ]

    return await backend.run(work)


class _Reader:
    """Lines as batches of one kind and one namespace. A fault is raised after what came before was given out."""

    def __init__(self, lines: Iterator[bytes], namespace: str | None, max_content: int) -> None:
        self._lines = lines
        self._namespace = namespace
        self._max_content = max_content
        self._number = 0
        self._header: Header | None = None
        self._ended = False
        self._held: transfer.Item | None = None
        self._fault: InvalidInputError | None = None
        self.read = End()
        self.bytes = 0

    def batch(self) -> list[transfer.Item]:
        """Up to BATCH lines that go into one transaction; empty at the end of a whole file."""
        batch: list[transfer.Item] = []
        while len(batch) < BATCH:
            try:
                item = self._held or self._next()
            except InvalidInputError as fault:
                self._fault = fault
                if batch:
                    return batch
                raise
            self._held = None
            if item is None:
                return batch
            if batch and (type(item) is not type(batch[0]) or item.namespace != batch[0].namespace):
                self._held = item
                return batch
            batch.append(item)
        return batch

    def _next(self) -> transfer.Item | None:
        if self._fault is not None:
            raise self._fault
        line = next(self._lines, b"")
        self._number += 1
        self.bytes += len(line)
        if not line:
            if not self._ended:
                raise self._refused(
                    "the file is empty"
                    if self._number == 1
                    else "the file ends without its last line: it was cut off"
                )
            return None
        if len(line) > LONGEST_LINE:
            raise self._refused("is longer than any line of an export")
        try:
            value = transfer.decode(line, max_content=self._max_content)
        except InvalidInputError as error:
            if self._header is None:
                raise self._refused(f"is not the first line of a Remanence export ({error})") from error
            cut = "" if line.endswith(b"\n") else "; the file was cut off here"
            raise self._refused(f"{error}{cut}") from error
        return self._item(value)

    def _item(self, value: transfer.Line) -> transfer.Item | None:
        if self._ended:
            raise self._refused("comes after the end of the export")
        if self._header is None:
            if not isinstance(value, Header):
                raise self._refused("is not the first line of a Remanence export")
            if self._namespace is not None and value.namespaces != 1:
                raise self._refused(
                    f"says that {value.namespaces} namespaces follow; only one alone can get another name"
                )
            self._header = value
            return self._next()
        match value:
            case Header():
                raise self._refused("begins a second export; import one file at a time")
            case End():
                if value != self.read:
                    raise self._refused(
                        f"counts {_counts(value)}, but {_counts(self.read)} came: lines are missing"
                    )
                self._ended = True
                return self._next()
            case _:
                item = value if self._namespace is None else replace(value, namespace=self._namespace)
        self.read = self.read.after(item)
        return item

    def _refused(self, why: str) -> InvalidInputError:
        return InvalidInputError(f"line {self._number}", why)


def _counts(end: End) -> str:
    return (
        f"{end.memories} memories, {end.entries} entries, {end.idempotency} idempotency keys and "
        f"{end.decisions} decisions"
    )


def _exportable(backend: Backend) -> Exportable:
    if not isinstance(backend.store, Exportable):
        raise ConflictError(f"{type(backend.store).__name__} cannot be exported or imported")
    return backend.store
