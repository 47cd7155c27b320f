"""export, import: memories as lines of JSON, out and in."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from remanence.cli import progress, render
from remanence.cli.frame import frame_of, opened_backend
from remanence.domain.records import Scope
from remanence.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from remanence.backend import Backend


def export(
    ctx: typer.Context,
    namespaces: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAMESPACE", help="Only these; default: all.", show_default=False),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="Where to; - is standard output.")
    ] = "-",
) -> None:
    """Write everything that is remembered as JSON lines.

    Every version, key-value entry, idempotency key and decision. A header line says the format, the tenant and the
    model; an end line counts, so that a cut file is noticed. Vectors are not in it: `import` makes them anew. FILE is
    replaced only when the export is complete.

    --json, with -o FILE: {"file": PATH, "lines": N, "bytes": N}
    """
    from remanence import transfer

    frame = frame_of(ctx)
    settings = frame.settings()
    with opened_backend(settings) as backend:
        lines = transfer.export(backend, settings.tenant, namespaces or ())
        total = _versions(backend, settings.tenant, namespaces) if progress.wanted(output == "-") else None
        written = count = 0
        with _target(output) as stream, progress.bar("export", total, shown=total is not None) as advance:
            for line in lines:
                stream.write(line)
                written, count = written + len(line), count + 1
                advance(count)
    if output == "-":
        return
    if frame.json:
        render.print_json({"file": output, "lines": count, "bytes": written})
    else:
        render.say(f"wrote {count:,} lines ({written / 1e6:,.1f} MB) to {output}")


def _versions(backend: Backend, tenant: str, namespaces: list[str] | None) -> int:
    now = backend.clock()
    chosen = namespaces or backend.store.namespaces(tenant)
    counted = (backend.store.stats(Scope(tenant=tenant, namespace=name), now=now) for name in chosen)
    return sum(one.versions + one.keys for one in counted) + 2


@contextlib.contextmanager
def _target(output: str) -> Generator[BinaryIO]:
    """Standard output, or a file that takes its name only when it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise InvalidInputError("output", f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="An export; - reads standard input.", show_default=False)],
    namespace: Annotated[
        str | None, typer.Option(metavar="NAME", help="Rename the only namespace of the file.")
    ] = None,
) -> None:
    """Add what an export holds and is not here yet. Running it again adds nothing.

    Texts are embedded with the present model. A foreign, damaged or cut file is refused with the line and the
    reason; what came before that line stays, and a second run with the whole file goes on.

    --json: {"read": {"memories": N, "entries": N, "idempotency": N, "decisions": N}, "added": {"memories": N,
    "entries": N}, "closed": how many memories known here were ended by the file}; memories counts versions
    """
    from remanence import sync, transfer

    frame = frame_of(ctx)
    settings = frame.settings()
    with (
        _origin(file) as (stream, size),
        opened_backend(settings, create=True) as backend,
        progress.bar("import", size, unit="bytes", shown=progress.wanted(False)) as advance,
    ):
        done = sync.call(
            transfer.import_(
                backend,
                settings.tenant,
                _readable(file, transfer.read_lines(stream)),
                namespace=namespace,
                progress=lambda so_far: advance(so_far.bytes),
            )
        )
    read = done.read
    if frame.json:
        render.print_json(
            {
                "read": asdict(read),
                "added": {"memories": done.memories, "entries": done.entries},
                "closed": done.closed,
            }
        )
        return
    ended = f", ended {done.closed:,} here" if done.closed else ""
    render.say(
        f"added {done.memories:,} of {read.memories:,} memory versions and {done.entries:,} of {read.entries:,} "
        f"key-value entries{ended}"
    )


@contextlib.contextmanager
def _origin(file: str) -> Generator[tuple[BinaryIO, int | None]]:
    if file == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {file}") from None
    except OSError as error:
        raise InvalidInputError("file", f"cannot read {file}: {error.strerror}") from error
    with stream:
        yield stream, path.stat().st_size


def _readable(file: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except OSError as error:
        raise InvalidInputError("file", f"cannot read {file}: {error.strerror}") from error
