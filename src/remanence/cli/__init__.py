"""The command line. One module per group of commands; each parses, calls one use case and renders its result."""

import os
import sys


def main() -> None:
    """Run `remanence` with the arguments of this process."""
    _prepare_streams()
    from remanence.cli.app import app  # deferred: importing the package loads nothing

    try:
        app(prog_name="remanence")
    except SystemExit as end:
        if end.code != 130:
            raise
        # Interrupted: do not wait for a thread that may be blocked in a read. What was written is on the disk.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(130)


def _prepare_streams() -> None:
    """Output that the encoding of a stream cannot show is escaped; a closed stream swallows it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
