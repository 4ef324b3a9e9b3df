"""The command line: statements in, outcomes out, and an exit code that says how it went."""

from vistaql.cli.command import main
from vistaql.cli.leave import enter

__all__ = ["enter", "main"]
