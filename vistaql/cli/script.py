"""Where the statements come from, and how this program is called."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError, nearest

if TYPE_CHECKING:
    from vistaql.cli.arguments import Arguments

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Script:
    """Statements, and the folder that their paths start from."""

    text: str
    folder: Path


def script_of(arguments: Arguments) -> Script | None:
    """The statements of -c, of a file, or of a pipe; None where none of them gives any.

    Raises FILE_NOT_FOUND or UNREADABLE_FILE.
    """
    if arguments.text is not None:
        return Script(arguments.text, Path.cwd())
    if arguments.target is not None and arguments.target != STANDARD_INPUT:
        path = Path(arguments.target)
        return Script(read_file(path), path.resolve().parent)
    if arguments.target is None and (sys.stdin is None or sys.stdin.isatty()):
        return None
    text = decoded(sys.stdin.buffer.read(), "Standard input")
    return Script(text, Path.cwd()) if text.strip() or arguments.target else None


def read_file(path: Path) -> str:
    """The text of a script."""
    try:
        return decoded(path.read_bytes(), str(path))
    except FileNotFoundError as failure:
        raise VistaQLError(Code.FILE_NOT_FOUND, f"There is no file {path}.", hint=hint_near(path)) from failure
    except OSError as failure:
        message = f"{path} cannot be read: {failure.strerror or failure}."
        raise VistaQLError(Code.UNREADABLE_FILE, message, hint="vistaql run FILE.vql") from failure


def decoded(content: bytes, name: str) -> str:
    """Text from bytes of UTF-8, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = content[: failure.start].count(b"\n") + 1
        message = f"{name} is not UTF-8: line {line} holds the byte {content[failure.start]:#04x}."
        raise VistaQLError(Code.UNREADABLE_FILE, message, hint="Save it as UTF-8.") from failure


def hint_near(path: Path) -> str | None:
    """The scripts beside a file that is not there."""
    try:
        beside = sorted(one.name for one in path.parent.iterdir() if one.suffix == ".vql")
    except OSError:
        return f"There is no folder {path.parent}."
    close = nearest(path.name, beside)
    if close:
        return f"Did you mean {path.parent / close}?"
    return f"The scripts in {path.parent.resolve()} are: {', '.join(beside[:10])}." if beside else None


def program() -> str:
    """What to type to call this program again, from the folder the user stands in."""
    called = sys.argv[0]
    if os.path.basename(called) == "__main__.py":  # noqa: PTH119, a path may be no more than a name here
        return f"{shlex.quote(sys.executable)} -m vistaql"
    found = shutil.which("vistaql")
    if found and os.path.realpath(found) == os.path.realpath(called):
        return "vistaql"
    return shlex.quote(called)
