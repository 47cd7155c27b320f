"""stats, namespaces: what is in a database."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from remanence.cli import render
from remanence.cli.frame import frame_of, opened_backend
from remanence.domain.records import EmbeddingModel, NamespaceStats, Scope
from remanence.domain.transfer import time_text
from remanence.domain.validation import name
from remanence.settings import Settings


def stats(
    ctx: typer.Context,
    namespace: Annotated[str | None, typer.Argument(help="Only this one.", show_default=False)] = None,
) -> None:
    """Count what is remembered, in one namespace or in each.

    With the size of the file and the model of its vectors.

    --json: {"db": PATH, "bytes": N, "tenant": NAME, "model": {"name": NAME, "dimension": N} or null,
    "namespaces": [{"namespace": NAME, "memories": N, "versions": N, "keys": N, "by_type": {TYPE: N, ...},
    "oldest": TIME or null, "newest": TIME or null}, ...]}
    """
    frame = frame_of(ctx)
    settings = frame.settings()
    with opened_backend(settings) as backend:
        store, now = backend.store, backend.clock()
        names = [name("namespace", namespace)] if namespace is not None else store.namespaces(settings.tenant)
        counted = [store.stats(Scope(tenant=settings.tenant, namespace=n), now=now) for n in names]
        model = store.model()
    size = file_bytes(settings)
    if frame.json:
        render.print_json(
            {
                "db": settings.db if settings.path is None else str(settings.path),
                "bytes": size,
                "tenant": settings.tenant,
                "model": model_dict(model),
                "namespaces": [_as_dict(one) for one in counted],
            }
        )
        return
    made = render.table(
        "Namespace", "Memories", "Versions", "Keys", "Newest", numbers=("Memories", "Versions", "Keys")
    )
    for one in counted:
        made.add_row(
            render.cell(one.namespace),
            f"{one.memories:,}",
            f"{one.versions:,}",
            f"{one.keys:,}",
            render.local(one.newest),
        )
    render.print_table(made)
    if namespace is not None:
        by_type = render.table("Type", "Memories", numbers=("Memories",))
        for kind, count in sorted(counted[0].by_type.items(), key=lambda pair: (-pair[1], pair[0])):
            by_type.add_row(render.cell(kind), f"{count:,}")
        render.print_table(by_type)
    render.say(f"{settings.path or ':memory:'}: {megabytes(size)}, vectors of {model_text(model)}")


def namespaces(ctx: typer.Context) -> None:
    """List the namespaces that hold anything, sorted.

    --json: {"namespaces": [NAME, ...]}
    """
    frame = frame_of(ctx)
    settings = frame.settings()
    with opened_backend(settings) as backend:
        found = backend.store.namespaces(settings.tenant)
    if frame.json:
        render.print_json({"namespaces": found})
    else:
        for one in found:
            render.say(one)


def _as_dict(one: NamespaceStats) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "memories": one.memories,
        "versions": one.versions,
        "keys": one.keys,
        "by_type": dict(sorted(one.by_type.items())),
        "oldest": time_text(one.oldest),
        "newest": time_text(one.newest),
    }


def file_bytes(settings: Settings) -> int:
    """The database with what waits in its log."""
    if settings.path is None:
        return 0
    parts = [settings.path, settings.path.with_name(settings.path.name + "-wal")]
    return sum(part.stat().st_size for part in parts if part.exists())


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def model_dict(model: EmbeddingModel | None) -> dict[str, Any] | None:
    return None if model is None else {"name": model.name, "dimension": model.dimension}


def model_text(model: EmbeddingModel | None) -> str:
    return "no model yet" if model is None else f"{model.name} ({model.dimension} dimensions)"
