"""What all commands have in common: the global options, how errors are told, how a memory is opened."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from remanence.errors import InvalidInputError, NotFoundError, RemanenceError, StoreUnavailableError
from remanence.settings import Settings, load

if TYPE_CHECKING:
    from remanence.backend import Backend
    from remanence.bootstrap import Memory


@dataclass(slots=True)
class Frame:
    """The global options of one invocation, given before or after the command."""

    db: str | None = None
    tenant: str | None = None
    json: bool = False

    def settings(self, **arguments: Any) -> Settings:
        """Options, then environment, then the file, then defaults. A file that is named goes before any server."""
        return load(db=self.db, tenant=self.tenant, url="" if self.db else None, **arguments)


def frame_of(ctx: typer.Context) -> Frame:
    return ctx.ensure_object(Frame)


def _note(ctx: typer.Context, param: Any, value: Any) -> None:
    if value:
        setattr(ctx.ensure_object(Frame), str(param.name), value)


def _common_options() -> list[TyperOption]:
    return [
        TyperOption(
            param_decls=["--db"],
            metavar="PATH",
            help="The database; default: REMANENCE_DB, else memory.db in the platform's data directory.",
            expose_value=False,
            callback=_note,
        ),
        TyperOption(
            param_decls=["--tenant"],
            metavar="NAME",
            help="Owner of the data; default: REMANENCE_TENANT, else local.",
            expose_value=False,
            callback=_note,
        ),
        TyperOption(
            param_decls=["--json"],
            is_flag=True,
            default=False,
            type=bool,
            help="Print one JSON value, and errors as JSON.",
            expose_value=False,
            callback=_note,
        ),
    ]


class Command(TyperCommand):
    """A command that takes the global options besides its own."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **attributes: Any) -> None:
        own = params or []
        for param in own:
            if param.param_type_name == "argument" and param.metavar is None:
                param.metavar = param.name.upper()
        super().__init__(name, params=[*own, *_common_options()], **attributes)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as manuals write them: NAMED, [OPTIONAL], and ... for several."""
        pieces = ["[OPTIONS]"]
        for param in self.params:
            if param.param_type_name == "argument":
                name = f"{param.metavar} ..." if param.nargs == -1 else str(param.metavar)
                pieces.append(name if param.required else f"[{name}]")
        return pieces


class Group(TyperGroup):
    """A group that takes the global options, and tells errors in one line."""

    def __init__(self, *, params: list[Any] | None = None, **attributes: Any) -> None:
        super().__init__(params=[*_common_options(), *(params or [])], **attributes)

    def invoke(self, ctx: Any) -> Any:
        if ctx.parent is not None:
            return super().invoke(ctx)
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except RemanenceError as error:
            _tell(error, as_json=frame_of(ctx).json)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(130) from error
        except BrokenPipeError as error:
            # Whoever read our output has left; nothing may be written to it at exit either.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from error
        return result


def _tell(error: RemanenceError, *, as_json: bool) -> None:
    if as_json:
        argument = error.argument if isinstance(error, InvalidInputError) else None
        told = {"error": {"code": error.code, "message": str(error), "argument": argument}}
        typer.echo(json.dumps(told), err=True)
    else:
        typer.echo(f"error[{error.code}]: {' '.join(str(error).split())}", err=True)


# -- opening


@contextlib.contextmanager
def opened_memory(
    settings: Settings, namespace: str, *, reads: Sequence[str] = (), create: bool = False
) -> Generator[Memory]:
    """The memory of a namespace, in a file or on a server. Without `create`, NotFoundError where no file is yet."""
    from remanence.bootstrap import Memory

    if not create and not settings.url:
        require_database(settings)
    with Memory(namespace, settings=settings, reads=reads) as memory:
        yield memory


@contextlib.contextmanager
def opened_backend(settings: Settings, *, create: bool = False) -> Generator[Backend]:
    """What lies behind all memories of a database."""
    from remanence.bootstrap import open_backend

    refuse_server(settings)
    if not create:
        require_database(settings)
    backend = open_backend(settings)
    try:
        yield backend
    except KeyboardInterrupt:
        raise  # without waiting for its threads: one may be blocked in a read
    except BaseException:
        backend.release()
        raise
    else:
        backend.release()


def refuse_server(settings: Settings) -> None:
    """A command about a whole file must not take another file for the server that the settings name."""
    if settings.url:
        raise InvalidInputError(
            "url", "this command works on a file and not through a server; name the file with --db"
        )


def require_database(settings: Settings) -> None:
    """A command that only reads must not leave an empty database behind a mistyped path."""
    path = settings.path
    try:
        missing = path is not None and not path.exists()
    except OSError as error:
        raise StoreUnavailableError(f"cannot open {path}: {error.strerror}") from error
    if missing:
        raise NotFoundError(
            f"there is no database at {path}; `remanence remember` makes one, --db names another"
        )
