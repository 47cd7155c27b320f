"""Proof that what was forgotten is gone: by id, by every arm of recall, and byte by byte in every file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from remanence.domain import receipts, text, validation
from remanence.domain.records import Filter, Receipt, Scope
from remanence.domain.traces import Finder, fingerprints, forms
from remanence.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from remanence.settings import Settings, load

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.domain.records import SearchRequest

SHOWN: Final = 10  # places that are told of one file
DEPTH: Final = 100  # hits of a search in which a forgotten memory is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Something that is left: in which file, table or search, how often, and where first (bytes from the beginning)."""

    where: str
    count: int
    offsets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a search for the forgotten came to. `remains` are empty when nothing is left.

    `bytes` were searched in `files`, for `stretches` of text and vectors. `shared` of them stand in what was not
    forgotten, so that they prove nothing; `short` memories were too short to be recognised; `sampled`: not everything
    forgotten was looked for byte by byte. `log_held`: somebody reads an old state of the file.
    """

    remains: tuple[Remains, ...]
    files: tuple[str, ...]
    bytes: int
    stretches: int
    shared: int
    short: int
    sampled: bool
    log_held: bool

    @property
    def clean(self) -> bool:
        return not self.remains and not self.log_held


def verify_forgotten(
    receipt: Receipt,
    db: str | Path,
    *,
    text: str | None = None,
    spool: str | Path | None = None,
    settings: Settings | None = None,
    progress: Callable[[int, int], object] = lambda done, of: None,
) -> Verification:
    """Look for what a receipt says was forgotten, and for a `text` if you still have it.

    In every table and index of the file `db`, by every arm and profile of recall, and byte by byte in the file, its
    log, whatever else stands beside it, and a `spool`. Empties the log first, which may finish what was pending.
    NotFoundError if there is no such file; StoreError where it cannot be read.
    """
    path = Path(db)
    if not path.is_file():
        raise NotFoundError(f"there is no database at {path}")
    if text is not None:
        validation.text("text", text, limit=validation.MAX_CONTENT)
    if receipt.traces is None and text is None and receipt.ids:
        raise InvalidInputError(
            "receipt", "has no traces: it was made by a memory that is not kept in a file"
        )
    from remanence.bootstrap import open_backend

    chosen = replace(settings if settings is not None else load(), db=str(path), url="")
    backend = open_backend(chosen)
    try:
        return _verify(receipt, backend, path, text, None if spool is None else Path(spool), progress)
    finally:
        backend.release()


def _verify(
    receipt: Receipt,
    backend: Backend,
    path: Path,
    told: str | None,
    spool: Path | None,
    progress: Callable[[int, int], object],
) -> Verification:
    from remanence.stores.sqlite.proving import scan
    from remanence.stores.sqlite.store import SQLiteStore

    store = backend.store
    if not isinstance(store, SQLiteStore):
        raise StoreUnavailableError(f"{path} is not a file of this store")
    ids = (*receipt.ids, *receipt.derived)
    log_held = not store.empty_log()
    remains = [Remains(where=where, count=count) for where, count in store.rows_left(ids)]
    remains += _recalled(receipt, ids, backend, told)
    finders = [Finder(receipt.traces)] if receipt.traces is not None else []
    if told is not None:
        finders.append(Finder(fingerprints([forms(told)], secrets.token_bytes(16))))
    files = [found for found in sorted(path.parent.glob(path.name + "*")) if found.is_file()]
    if spool is not None:
        files += [found for found in sorted(spool.parent.glob(spool.name + "*")) if found.is_file()]
    total = sum(file.stat().st_size for file in files) * len(finders)
    done = shared = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, max(total, done))

    for finder in finders:
        found = {file: scan(file, finder, advance) for file in files}
        seen = {digest for places in found.values() for digest in places}
        living = store.standing_stretches(finder, seen) if seen else set[bytes]()
        shared += len(living)
        for file, places in found.items():
            offsets = sorted({at for digest, those in places.items() if digest not in living for at in those})
            if offsets:
                remains.append(Remains(where=str(file), count=len(offsets), offsets=tuple(offsets[:SHOWN])))
    traces = receipt.traces
    return Verification(
        remains=tuple(remains),
        files=tuple(str(file) for file in files),
        bytes=sum(file.stat().st_size for file in files if file.exists()),
        stretches=sum(finder.count for finder in finders),
        shared=shared,
        short=0 if traces is None else traces.short,
        sampled=traces is not None and traces.sampled,
        log_held=log_held,
    )


def _recalled(
    receipt: Receipt, ids: tuple[str, ...], backend: Backend, told: str | None
) -> Iterator[Remains]:
    """What any arm of recall still gives of these memories."""
    store, gone, at = backend.store, frozenset(ids), backend.clock()
    names = [receipt.namespace] if receipt.namespace is not None else store.namespaces(receipt.tenant)
    scopes = [Scope(tenant=receipt.tenant or "local", namespace=name) for name in names]
    for scope in scopes:
        if found := store.get(scope, ids):
            yield Remains(where="memories by id", count=len(found))
        after: str | None = None
        while page := store.list(scope, Filter(), at=at, limit=1_000, after=after):
            if seen := [record for record in page if record.id in gone]:
                yield Remains(where="memories by time", count=len(seen))
            after = page[-1].id
    if told is None or not scopes:
        return
    for arm, request in _requests(backend, told):
        if seen := [hit for hit in store.search(scopes, request) if hit.id in gone]:
            yield Remains(where=arm, count=len(seen))


def _requests(backend: Backend, told: str) -> Iterator[tuple[str, SearchRequest]]:
    """A search for the text by words, by meaning and by both, in every profile."""
    import numpy as np

    from remanence.domain.ranking import PROFILES
    from remanence.domain.records import SearchRequest

    vector = None
    if backend.store.model() in (None, backend.embedder.model) and backend.embeds_queries_here:
        vector = np.asarray(backend.embed_query_here(told).vector, np.float32)
    terms = text.query_terms(told)
    for name, profile in PROFILES.items():
        for arm, words, meaning in (("words", terms, None), ("meaning", (), vector), ("both", terms, vector)):
            if meaning is None and arm != "words":
                continue
            yield (
                f"recall by {arm}, profile {name}",
                SearchRequest(
                    terms=words,
                    vector=meaning,
                    model=backend.embedder.model,
                    at=backend.clock(),
                    limit=DEPTH,
                    profile=profile,
                ),
            )


def read_receipt(file: str | Path) -> Receipt:
    """A receipt that `forget` wrote. InvalidInputError if it is none."""
    import json

    try:
        return receipts.from_dict(json.loads(Path(file).read_text(encoding="utf-8")))
    except OSError as error:
        raise NotFoundError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInputError("receipt", f"{file} is no receipt: {error}") from error
