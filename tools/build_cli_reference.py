"""Writes docs/cli.md from the `--help` of every command.

python tools/build_cli_reference.py
"""

from __future__ import annotations

import os
from pathlib import Path

import typer
from typer.models import CommandInfo
from typer.testing import CliRunner

from remanence.cli.app import SECTIONS, app
from remanence.cli.keys import app as keys
from remanence.cli.keyvalue import app as kv

TARGET = Path(__file__).parent.parent / "docs" / "cli.md"

HEAD = """# Command line

Generated from `remanence --help` by `tools/build_cli_reference.py`; a test keeps it current.

`remanence` works on one database: `--db`, else `REMANENCE_DB`, else `memory.db` in the platform's data directory.
Every setting of [settings.md](settings.md) applies. `--json` prints one JSON value on standard output and nothing
else; errors then come as `{"error": {"code": ..., "message": ..., "argument": ...}}` on standard error. `MEMORY`
below stands for the members that `remanence show --json` prints. A time without a zone is local; `7d` is seven days
ago. Commands that only read refuse a path where no database is.

Shell completion: `remanence --install-completion`, or `--show-completion` to look at it first.
"""


def helped(*command: str) -> str:
    """What `--help` prints, as it would in a terminal of 100 columns."""
    result = CliRunner().invoke(
        app, [*command, "--help"], prog_name="remanence", terminal_width=100, max_content_width=100
    )
    assert result.exit_code == 0, result.output
    return "\n".join(line.rstrip() for line in result.stdout.rstrip().splitlines())


def reference() -> str:
    """The page."""
    parts = [HEAD, block("remanence")]
    for title, commands in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts.extend(block(f"remanence {name}", name) for name in commands)
    for title, name, group in (("Keys", "keys", keys), ("Values", "kv", kv)):
        parts.append(f"## {title}\n")
        parts.append(block(f"remanence {name}", name))
        parts.extend(block(f"remanence {name} {one.name}", name, str(one.name)) for one in named(group))
    return "\n".join(parts)


def named(group: typer.Typer) -> list[CommandInfo]:
    for command in group.registered_commands:
        command.name = command.name or command.callback.__name__
    return group.registered_commands


def block(title: str, *command: str) -> str:
    return f"### `{title}`\n\n```text\n{helped(*command)}\n```\n"


if __name__ == "__main__":
    os.environ.pop("COLUMNS", None)
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"wrote {TARGET.relative_to(Path.cwd()) if TARGET.is_relative_to(Path.cwd()) else TARGET.name}")
