"""The command line: statements in, outcomes out, and an exit code that says how it went."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vistaql import __version__
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.rendering.style import printable, style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vistaql.outcome import Outcome
    from vistaql.session import Session

HELP = """\
VistaQL tells which layer of a CNN serves your prediction task best.

  vistaql demo [DIR]            a first answer on real data, in DIR (vistaql-demo)
  vistaql run FILE.vql          run a script; - reads it from standard input
  vistaql -c "STATEMENTS"       run statements
  vistaql check FILE.vql        look for errors without running anything
  ... | vistaql                 run the statements that come through the pipe

  --home DIR                    the folder of the catalog (VISTAQL_HOME)
  --format FORMAT               table (default), json, csv or markdown
  --param NAME=VALUE            the value of :NAME; several are allowed
  --set NAME=VALUE              a setting, such as plan=lazy; several are allowed
  --verbose                     show the trace of an internal error
  --version, --help

Exit codes: 0 done, 1 a statement failed, 2 wrong use, 3 this machine lacks
something (weights, TensorFlow, room), 130 interrupted.
"""


class Exit(IntEnum):
    """What the exit code tells."""

    OK = 0
    FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


EXIT_OF = {
    Code.USAGE: Exit.USAGE,
    Code.NO_WEIGHTS: Exit.ENVIRONMENT,
    Code.DOWNLOAD_FAILED: Exit.ENVIRONMENT,
    Code.NO_TENSORFLOW: Exit.ENVIRONMENT,
    Code.OUT_OF_SPACE: Exit.ENVIRONMENT,
    Code.CATALOG: Exit.ENVIRONMENT,
    Code.INTERRUPTED: Exit.INTERRUPTED,
}


class Command(Enum):
    """What to do; STATEMENTS come from -c or through a pipe."""

    RUN = "run"
    CHECK = "check"
    DEMO = "demo"
    STATEMENTS = "-c"
    HELP = "--help"
    VERSION = "--version"


class Format(Enum):
    """How outcomes are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


@dataclass(frozen=True)
class Arguments:
    """The command line, understood. `text` holds the statements of -c, `target` the file or the folder."""

    command: Command
    target: str | None = None
    text: str | None = None
    home: Path | None = None
    format: Format = Format.TABLE
    parameters: tuple[tuple[str, object], ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    verbose: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code, and never a trace."""
    for stream in (sys.stdout, sys.stderr):
        # What a screen cannot show must not stop a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = perform(understand(given))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would flush standard output once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except KeyboardInterrupt:
        interrupted()
    except VistaQLError as error:
        return report(error, given)
    except Exception as failure:  # noqa: BLE001, a user is told what happened, whatever it was
        return report(internal(failure, given), given)
    return code
