"""The command line as a process of its own, which ends as soon as it has said everything."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

from vistaql.cli.command import main


def enter() -> NoReturn:
    """Run the command line and end the process with its exit code.

    Taking TensorFlow apart module by module takes 1.4 s and frees memory that the system takes back anyway. Handlers
    run in reverse, so this one comes after those that end Spark or remove temporary files.
    """
    codes = [1]
    atexit.register(lambda: leave(codes[0]))
    codes[0] = main()
    sys.exit(codes[0])


def leave(code: int) -> NoReturn:
    """End this process now."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
