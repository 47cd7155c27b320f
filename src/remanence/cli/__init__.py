"""The command line. One module per group of commands; each parses, calls one use case and renders its result."""


def main() -> None:
    """Run `remanence` with the arguments of this process."""
    from remanence.cli.app import app  # deferred: importing the package loads nothing

    app(prog_name="remanence")
