"""The tree of commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from remanence import __version__
from remanence.cli import (
    consolidating,
    exchange,
    forgetting,
    keys,
    keyvalue,
    memories,
    overview,
    records,
    serve,
    truth,
    upkeep,
)
from remanence.cli.frame import Command, Group, frame_of

SECTIONS = {
    "Memories": {
        "remember": memories.remember,
        "recall": memories.recall,
        "context": memories.context,
        "list": records.list_,
        "show": records.show,
        "history": records.history,
        "retract": records.retract,
        "restore": records.restore,
        "forget": forgetting.forget,
        "extract": truth.extract,
        "end-session": consolidating.end_session,
    },
    "Truth": {
        "conflicts": truth.conflicts,
        "decisions": truth.decisions,
        "undo": truth.undo,
        "quarantine": truth.quarantine,
        "release": truth.release,
        "feedback": truth.feedback,
    },
    "Overview": {"stats": overview.stats, "namespaces": overview.namespaces},
    "Server": {"serve": serve.serve},
    "Care": {
        "export": exchange.export,
        "import": exchange.import_,
        "consolidate": consolidating.consolidate,
        "reembed": upkeep.reembed,
        "doctor": upkeep.doctor,
        "compact": forgetting.compact,
        "verify-forgotten": forgetting.verify_forgotten,
    },
}


class Root(Group):
    """`remanence` itself: its help lists the commands by section."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections = {**{title: list(names) for title, names in SECTIONS.items()}, "Values": ["kv"]}
        sections["Server"].append("keys")
        for title, names in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(80)) for name in names])


app = typer.Typer(
    cls=Root,
    name="remanence",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"remanence {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Memory for agents that stays when the session ends.

    The global options may stand before or after a command. Results go to standard output, the rest to standard error.
    Exit codes: 0 done, 1 refused or failed ("error[code]: message"), 2 wrong usage, 130 interrupted.
    """
    frame_of(ctx)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


for commands in SECTIONS.values():
    for name, function in commands.items():
        app.command(name=name, cls=Command)(function)
app.add_typer(keyvalue.app, name="kv", help="Plain values by key, beside the memories.")
app.add_typer(keys.app, name="keys", help="Who may use the server, and how much.")
