"""reembed, doctor: care for a whole database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remanence.cli import progress, render
from remanence.cli.frame import frame_of, opened_backend, refuse_server, require_database
from remanence.cli.overview import file_bytes, megabytes, model_dict, model_text
from remanence.errors import NotFoundError, RemanenceError, StoreError
from remanence.settings import Settings

if TYPE_CHECKING:
    from remanence.ports import Store

SHOWN = 100  # inconsistencies of one kind of check; a damaged file may have millions


def reembed(
    ctx: typer.Context,
    embedder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="minilm, openai or hashing; default: as configured."),
    ] = None,
    batch: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Texts at a time.")] = 256,
) -> None:
    """Make all vectors anew with the configured embedder.

    Of every namespace and tenant. It may be stopped at any time; run again, it goes on where it was. Until it ends
    the old vectors serve; then other processes that use the old model are refused and told so. Where the vectors are
    of that model already, this only indexes anew what an earlier version wrote; recalls do so too, in the background.

    --json: {"replaced": N, "renewed": N, "model": {"name": NAME, "dimension": N}, "before": {...} or null}
    """
    from remanence.engine import AsyncEngine
    from remanence.sync import BlockingEngine

    frame = frame_of(ctx)
    settings = frame.settings(embedder=embedder)
    with opened_backend(settings) as backend:
        memory = BlockingEngine(AsyncEngine("reembed", backend, tenant=settings.tenant))
        before, model = backend.store.model(), backend.embedder.model
        renewed = waiting_for_upgrade(backend.store)
        with memory, progress.bar("reembed", None, shown=progress.wanted(False)) as advance:
            replaced = memory.reembed(progress=advance, batch=batch)
    if frame.json:
        render.print_json(
            {
                "replaced": replaced,
                "renewed": renewed,
                "model": model_dict(model),
                "before": model_dict(before),
            }
        )
        return
    if before == model and renewed:
        render.say(f"indexed {renewed:,} memory versions of an earlier release anew; the vectors stay")
        return
    if before == model:
        render.say(f"nothing to do: the vectors are of {model_text(model)} already")
        return
    render.say(f"replaced {replaced:,} vectors: {model_text(before)} -> {model_text(model)}")
    if embedder is not None and embedder != frame.settings().embedder:
        render.note(f"from now on set REMANENCE_EMBEDDER={embedder}")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist."""

    name: str
    detail: str
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


def doctor(ctx: typer.Context) -> None:
    """Check that the parts of the database agree.

    Rows, vectors, postings, counts, the file, the model of the vectors and the files of the built-in model.
    Says how many memories of an earlier release still wait to be indexed anew, which is no inconsistency. Changes
    nothing in a damaged, foreign or newer file. Exit 1 with a sentence for each inconsistency.

    --json: {"ok": BOOL, "checks": [{"check": NAME, "ok": BOOL, "detail": TEXT, "problems": [SENTENCE, ...]}, ...]}
    """
    frame = frame_of(ctx)
    checks = list(_checks(frame.settings()))
    ok = all(check.ok for check in checks)
    if frame.json:
        render.print_json({"ok": ok, "checks": [_as_dict(check) for check in checks]})
    else:
        for check in checks:
            render.say(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
            for problem in check.problems:
                render.say(f"      {problem}")
    if not ok:
        raise typer.Exit(1)


def _as_dict(check: Check) -> dict[str, Any]:
    return {"check": check.name, "ok": check.ok, "detail": check.detail, "problems": list(check.problems)}


def _checks(settings: Settings) -> Iterator[Check]:
    yield from _database(settings)
    yield shipped_model(Path(__file__).parent.parent / "embedders" / "model")


def _database(settings: Settings) -> Iterator[Check]:
    from remanence.bootstrap import open_store, shared_embedder
    from remanence.ports import Checkable

    refuse_server(settings)
    where = str(settings.path or ":memory:")
    try:
        require_database(settings)
        if settings.path is not None and settings.path.is_file() and not settings.path.stat().st_size:
            raise NotFoundError(f"{where} is an empty file")  # opening would make a database of it
        store = open_store(settings)
    except RemanenceError as error:
        yield Check("database", where, (str(error),))
        return
    try:
        yield Check("database", f"{where}, {megabytes(file_bytes(settings))}")
        problems = list(_inconsistencies(store.check())) if isinstance(store, Checkable) else []
        yield Check(
            "contents",
            "rows, vectors, postings, counts and file" + ("" if problems else " agree"),
            tuple(problems),
        )
        try:
            if waiting := waiting_for_upgrade(store):
                yield Check(
                    "upgrade",
                    f"{waiting:,} memory versions are indexed as by an earlier release; the next recalls index them "
                    "anew in the background, remanence reembed at once",
                )
            stored, ours = store.model(), shared_embedder(settings).model
        except RemanenceError as error:
            yield Check("embedder", settings.embedder, (str(error),))
            return
        differs = (
            f"the vectors are of {model_text(stored)}, the configured embedder is {model_text(ours)}; "
            "run: remanence reembed"
        )
        yield Check("embedder", model_text(ours), () if stored in (None, ours) else (differs,))
    finally:
        store.close()


def waiting_for_upgrade(store: Store) -> int:
    """How many versions are still indexed as an earlier release did. Raises StoreError."""
    from remanence.ports import Upgradable

    return store.outdated_count() if isinstance(store, Upgradable) else 0


def _inconsistencies(sentences: Iterator[str]) -> Iterator[str]:
    """The first of them, and how many more; a fault of the file while looking is one too."""
    try:
        yield from islice(sentences, SHOWN)
        if more := sum(1 for _ in sentences):
            yield f"and {more:,} more"
    except StoreError as error:
        yield str(error)


def shipped_model(directory: Path) -> Check:
    """Whether the files of the built-in model are those that were released, by their SHA-256."""
    manifest = directory / "model.json"
    if not manifest.exists():
        return Check(
            "built-in model", "not installed", ("the model's files are missing; reinstall remanence",)
        )
    try:
        released = json.loads(manifest.read_text(encoding="utf-8"))
        expected: dict[str, str] = released["sha256"]
        problems = tuple(
            f"{name} is not the released one (its SHA-256 differs); reinstall remanence"
            for name, digest in expected.items()
            if _sha256(directory / name) != digest
        )
        return Check("built-in model", str(released["name"]), problems)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Check("built-in model", str(directory), (f"cannot be read ({error}); reinstall remanence",))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
