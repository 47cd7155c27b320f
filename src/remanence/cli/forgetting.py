"""forget, verify-forgotten, compact: erasing for good, and the proof of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remanence.cli import progress, render, values
from remanence.cli.frame import frame_of, opened_backend, opened_memory, refuse_server, require_database
from remanence.domain.validation import MAX_LIMIT
from remanence.domain.wire import receipt_to_dict
from remanence.errors import InvalidInputError, RemanenceError, StoreUnavailableError

if TYPE_CHECKING:
    from remanence.domain.records import Receipt
    from remanence.verifying import Verification

PENDING = {
    "log": "another process reads an old state of the file, so that its log could not be emptied yet; it will be after "
    "a later write, or with: remanence verify-forgotten",
    "search": "the file is too large to be searched in passing; search it with: remanence verify-forgotten",
}


def forget(
    ctx: typer.Context,
    namespace: values.Namespace,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="These memories.", show_default=False)
    ] = None,
    type: values.Types = None,
    tag: values.Tags = None,
    session: values.Session = None,
    source: values.Source = None,
    since: values.Since = None,
    until: values.Until = None,
    everything: Annotated[bool, typer.Option("--everything", help="All memories of the namespace.")] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--namespace", help="The namespace with all that is in it: values, channels, jobs, its name."
        ),
    ] = False,
    receipt_file: Annotated[
        Path | None,
        typer.Option(
            "--receipt", metavar="FILE", help="Write the receipt, for verify-forgotten.", dir_okay=False
        ),
    ] = None,
    yes: values.Yes = False,
) -> None:
    """Erase memories for good: by id, by filter, or everything.

    Their history goes too; `retract` keeps it. So does what was made out of them alone. Asks first; --yes is needed
    with --json or without a terminal. The receipt recognises what was erased without holding it.

    --json: {RECEIPT}: forgotten (the ids), versions, derived, restored, values, channels, jobs, spooled, pending, and
    id, at, tenant, namespace, ids, traces
    """
    frame = frame_of(ctx)
    filtered = any((type, tag, session, source, since, until))
    if sum((bool(ids), filtered, everything, whole)) != 1:
        raise typer.BadParameter(
            "name what to forget: IDs, or filters, or --everything, or --namespace; one of them",
            param_hint="ID",
        )
    if not yes and (frame.json or not sys.stdin.isatty()):
        raise typer.BadParameter(
            "nobody can be asked here; add --yes to erase without asking", param_hint="--yes"
        )
    with opened_memory(frame.settings(), namespace) as memory:
        if not yes:
            found = ids or memory.list(
                types=type or (),
                tags=tag or (),
                session_id=session,
                source=source,
                since=since,
                until=until,
                limit=MAX_LIMIT,
            )
            count = f"{len(found):,}{'' if len(found) < MAX_LIMIT else ' or more'}"
            besides = " and all else in it" if whole else ""
            question = f"Erase {count} memories of {render.plain(namespace)!r}{besides} for good, with their history?"
            typer.confirm(question, abort=True, err=True)
        if receipt_file is not None:
            _reserve(receipt_file)  # what is forgotten cannot be fingerprinted again
        if whole:
            receipt = memory.forget_namespace()
        else:
            receipt = memory.forget(
                ids[0] if ids and len(ids) == 1 else ids or (),
                types=type or (),
                tags=tag or (),
                session_id=session,
                source=source,
                since=since,
                until=until,
                everything=everything,
            )
    if receipt_file is not None:
        _write(receipt_file, receipt)
    if frame.json:
        render.print_json({"forgotten": list(receipt.ids), **receipt_to_dict(receipt)})
        return
    _tell(receipt, ids or ())


def _reserve(file: Path) -> None:
    """Make the file, empty, so that a receipt can be kept; another one's is never written over."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise InvalidInputError("receipt", f"{file} is there already; nothing was forgotten") from None
    except OSError as error:
        raise InvalidInputError(
            "receipt", f"cannot write {file}: {error.strerror}; nothing was forgotten"
        ) from error


def _write(file: Path, receipt: Receipt) -> None:
    told = json.dumps(receipt_to_dict(receipt), indent=1) + "\n"
    try:
        # Whoever has it can find out whether a text they guess was erased.
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write(told)
    except OSError as error:
        raise StoreUnavailableError(
            f"it is forgotten, but the receipt could not be written to {file}: {error.strerror}"
        ) from error


def _tell(receipt: Receipt, asked: list[str] | tuple[str, ...]) -> None:
    render.say(f"forgot {len(receipt.ids):,} memories with {receipt.versions:,} versions")
    for count, what in (
        (len(receipt.derived), "memories made out of them"),
        (receipt.values, "values by key"),
        (receipt.channels, "channels"),
        (receipt.jobs, "accepted jobs, or what they held of it"),
        (receipt.spooled, "memories that still waited for the server"),
    ):
        if count:
            render.note(f"also {count:,} {what}")
    if receipt.restored:
        render.note(f"{len(receipt.restored):,} that had been merged into them are believed again")
    if receipt.pending is not None:
        render.note(PENDING[receipt.pending])
    for id in asked:
        if id not in receipt.ids:
            render.note(f"there was no memory {id}")


def verify_forgotten(
    ctx: typer.Context,
    receipt: Annotated[Path, typer.Argument(help="A file that forget --receipt wrote.", show_default=False)],
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What was forgotten, to search for it too.")
    ] = None,
    spool: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A spool of this machine, to be searched too.")
    ] = None,
) -> None:
    """Prove that nothing is left of what was forgotten.

    Looks for its ids in every table, asks every arm of recall, and searches the file, its log and what stands beside
    it byte by byte, unused parts included. Exit 0: nothing is left. 1: something is, and where. 2: it could not be
    checked.

    --json: {"ok": BOOL, "remains": [{"where": PLACE, "count": N, "offsets": [N, ...]}, ...], "files": [PATH, ...],
    "bytes": N, "stretches": N, "shared": N, "short": N, "sampled": BOOL, "log_held": BOOL}
    """
    from remanence.verifying import read_receipt, verify_forgotten

    frame = frame_of(ctx)
    settings = frame.settings()
    try:
        refuse_server(settings)
        require_database(settings)
        if settings.path is None:
            raise InvalidInputError("db", "is memory alone; name a file")
        with progress.bar("search", None, unit="bytes", shown=progress.wanted(False)) as advance:
            found = verify_forgotten(
                read_receipt(receipt),
                settings.path,
                text=text,
                spool=spool,
                settings=settings,
                progress=advance,
            )
    except RemanenceError as error:
        _failed(error, as_json=frame.json)
        raise typer.Exit(2) from error
    if frame.json:
        render.print_json(
            {
                "ok": found.clean,
                "remains": [
                    {"where": one.where, "count": one.count, "offsets": list(one.offsets)}
                    for one in found.remains
                ],
                "files": list(found.files),
                "bytes": found.bytes,
                "stretches": found.stretches,
                "shared": found.shared,
                "short": found.short,
                "sampled": found.sampled,
                "log_held": found.log_held,
            }
        )
    else:
        _say(found)
    if not found.clean:
        raise typer.Exit(1)


def _failed(error: RemanenceError, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"code": error.code, "message": str(error)}}), err=True)
    else:
        typer.echo(f"error[{error.code}]: {' '.join(str(error).split())}", err=True)


def _say(found: Verification) -> None:
    for one in found.remains:
        places = f", at {', '.join(f'{at:,}' for at in one.offsets)}" if one.offsets else ""
        render.say(f"LEFT  {one.where}: {one.count:,}{places}")
    if found.log_held:
        render.say(
            "LEFT  another process reads an old state of the file, so that its log cannot be emptied; try again"
        )
    if found.clean:
        render.say(
            f"nothing is left: searched {found.bytes:,} bytes in {len(found.files)} files"
            f" for {found.stretches:,} stretches"
        )
    elif found.remains:
        render.note("rewrite the file with: remanence compact; what a table holds, forget once more")
    if found.shared:
        render.note(f"{found.shared:,} stretches stand in what was not forgotten too, and prove nothing")
    if found.short:
        render.note(f"{found.short:,} memories were too short to be recognised byte by byte")
    if found.sampled:
        render.note("there were too many to look for all of them byte by byte; a sample was")


def compact(ctx: typer.Context) -> None:
    """Rewrite the file: smaller, and with nothing in unused parts.

    It needs as much free disk again while it runs, and writers wait for it.

    --json: {"before": bytes, "after": bytes}
    """
    from remanence.ports import Compactable

    frame = frame_of(ctx)
    settings = frame.settings()
    with opened_backend(settings) as backend:
        if settings.path is None or not isinstance(backend.store, Compactable):
            raise InvalidInputError("db", "is not kept in a file that could be rewritten")
        before = settings.path.stat().st_size
        done = backend.store.compact()
        after = settings.path.stat().st_size
    if not done:
        raise StoreUnavailableError(
            "another process reads an old state of the file, which stays until it is done; then run this once more"
        )
    if frame.json:
        render.print_json({"before": before, "after": after})
    else:
        render.say(f"rewrote {settings.path}: {before:,} -> {after:,} bytes")
