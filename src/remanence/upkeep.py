"""What is done to a whole store rather than to one namespace."""

from __future__ import annotations

from collections.abc import Callable

from remanence.backend import Backend
from remanence.errors import ConflictError
from remanence.ports import Reembeddable


async def reembed(backend: Backend, *, progress: Callable[[int, int], None] | None, batch: int) -> int:
    """Replace every vector of the store by the backend's embedder's, `batch` at a time; returns how many.

    What was staged before an interruption is kept. The old vectors serve until all new ones are swapped in at once.
    """
    store, model = backend.store, backend.embedder.model
    if not isinstance(store, Reembeddable):
        raise ConflictError(f"{type(store).__name__} cannot replace its vectors")
    run = backend.write
    if await run(store.model) == model:
        await run(store.reembed_pending, model, 1)  # drops what one to another model left unfinished
        return 0
    done, total = await run(store.reembed_progress, model)
    while await run(store.model) != model:  # another process may end it
        pending = await run(store.reembed_pending, model, batch)
        if not pending:
            done, total = await run(store.reembed_progress, model)
            await run(store.reembed_finish, model)
            continue
        if progress is not None:
            progress(done, max(done, total))
        vectors = await backend.embed([content for _, content in pending])
        staged = [(handle, v.tobytes()) for (handle, _), v in zip(pending, vectors, strict=True)]
        await run(store.reembed_stage, model, staged)
        done += len(pending)
    backend.model_agreed = False
    if progress is not None:
        progress(done, done)
    return done
