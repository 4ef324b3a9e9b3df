"""Doing what the command line says, and reporting how it went."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vistaql import __version__
from vistaql.cli.arguments import HELP, Arguments, Command, understand
from vistaql.cli.script import program, script_of
from vistaql.errors import Code, VistaQLError
from vistaql.rendering.error import error_text
from vistaql.rendering.output import Format, written
from vistaql.rendering.style import printable, printable_lines, style_of
from vistaql.rendering.text import to_text
from vistaql.rendering.values import one_line
from vistaql.rendering.words import counted
from vistaql.stores.urls import is_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vistaql.cli.script import Script
    from vistaql.outcome import Outcome
    from vistaql.progress import Progress
    from vistaql.session import Session

DEMO_FOLDER = "vistaql-demo"
HOME, CATALOG = "home", "catalog.sqlite"
"""a folder that holds a home of its own, as the demo's does"""


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
    Code.NO_JAVA: Exit.ENVIRONMENT,
    Code.SPARK_START: Exit.ENVIRONMENT,
    Code.OUT_OF_SPACE: Exit.ENVIRONMENT,
    Code.CATALOG: Exit.ENVIRONMENT,
    Code.NOT_WRITABLE: Exit.ENVIRONMENT,
    Code.INTERRUPTED: Exit.INTERRUPTED,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code, and never a trace."""
    for stream in (sys.stdout, sys.stderr):
        # A character that the screen cannot show must not stop a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    arguments = Arguments(Command.HELP)
    try:
        arguments = understand(sys.argv[1:] if words is None else words)
        code = perform(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except KeyboardInterrupt:
        leave_interrupted()
    except VistaQLError as error:
        return report(error, arguments)
    except Exception as failure:  # noqa: BLE001, whatever happened, the user is told in words
        return report(internal(failure), arguments)
    return code


def perform(arguments: Arguments) -> Exit:
    """Do what was asked for; the exit code, where no error is raised."""
    match arguments.command:
        case Command.VERSION:
            print(f"vistaql {__version__}")
        case Command.HELP:
            print(HELP, end="")
        case Command.DEMO:
            show_demo(arguments)
        case Command.START:
            show_start(arguments)
        case Command.DOCTOR:
            return show_doctor(arguments)
        case Command.CHECK:
            check(arguments)
        case Command.SHELL:
            shell(arguments)
        case Command.RUN | Command.STATEMENTS:
            script = script_of(arguments)
            if script is not None:
                run(script, arguments)
            elif sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
                shell(arguments)
            else:
                print(HELP, end="")
    return Exit.OK


def shell(arguments: Arguments) -> None:
    """Talk to the person at the terminal, in a folder if one was given."""
    from vistaql.repl import start

    if arguments.target is not None:
        os.chdir(arguments.target)
        # A folder such as that of the demo brings its own home.
        if arguments.home is None and Path(HOME, CATALOG).is_file():
            arguments = replace(arguments, home=Path(HOME).absolute())
    from vistaql.catalog.home import home_folder

    chosen = arguments
    # A setting that does not exist is told at once.
    opened = session_for(chosen) if chosen.settings else None
    start(lambda: opened or session_for(chosen), home_folder(chosen.home), arguments.format, verbose=arguments.verbose)


def show_demo(arguments: Arguments) -> None:
    """Write the demo's folder, ask its question, and say what to try next."""
    from vistaql.demo.screen import show

    screen = style_of(sys.stdout, os.environ)
    show(Path(arguments.target or DEMO_FOLDER), sys.stdout, screen, program=program(), progress=progress())


def show_start(arguments: Arguments) -> None:
    """Look at a person's photos and table, write explore.vql, and run it."""
    from vistaql.start import Screen, Wishes, begin

    words = arguments.start
    assert words is not None
    for place in filter(is_url, (words.photos, words.table)):
        raise VistaQLError(
            Code.BAD_URL, "vistaql start looks at files of this machine.", hint=f"CREATE IMAGES photos FROM '{place}';"
        )
    wishes = Wishes(
        Path(words.photos), Path(words.table), words.label, words.cnn, Path(words.weights) if words.weights else None
    )
    asking = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty() and not words.yes
    screen = Screen(sys.stdout, style_of(sys.stdout, os.environ), answer_to if asking else None, program())
    with session_for(arguments) as session:
        begin(wishes, session, screen)


def show_doctor(arguments: Arguments) -> Exit:
    """Examine this machine; ENVIRONMENT where something is missing."""
    from vistaql.catalog.home import home_folder
    from vistaql.doctor import State, examine, show

    findings = examine(home_folder(arguments.home))
    if arguments.format is Format.JSON:
        found = tuple(findings)
        well = all(finding.state is not State.FAULT for finding in found)
        print(one_line({"ok": well, "findings": [finding.to_json() for finding in found]}))
    else:
        well = show(findings, sys.stdout, style_of(sys.stdout, os.environ))
    return Exit.OK if well else Exit.ENVIRONMENT


def answer_to(question: str) -> str:
    """What the person at the terminal types; nothing at the end of the input."""
    print(printable(question), end="", flush=True)
    return sys.stdin.readline()


def check(arguments: Arguments) -> None:
    """Look for errors in a script without running it."""
    script = script_of(arguments)
    if script is not None:
        with session_for(arguments) as session:
            count = session.check(script.text, dict(arguments.parameters), script.folder)
        print(f"{arguments.target}: {counted(count, 'statement')}, no error found")


def run(script: Script, arguments: Arguments) -> None:
    """Run the statements one after the other, and write each outcome as soon as it is there."""
    written = False
    with session_for(arguments) as session:
        for _, outcome in session.run(script.text, dict(arguments.parameters), script.folder):
            if outcome is not None:
                written |= write(outcome, arguments.format, spaced=written)


def session_for(arguments: Arguments) -> Session:
    """A session on the home of the command line, with its settings, that talks to a terminal if there is one."""
    from vistaql.session import connect

    session = connect(arguments.home)
    session.progress = progress()
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        session.confirm = ask
    for name, value in arguments.settings:
        session.set(name, value)
    return session


def progress() -> Progress:
    """Something that draws on standard error where that is a terminal, and writes a line now and then elsewhere."""
    from vistaql.rendering.line_progress import LineProgress
    from vistaql.rendering.plan_progress import PlanProgress
    from vistaql.rendering.terminal import TerminalProgress

    if not sys.stderr.isatty():
        return LineProgress(sys.stderr)
    style = style_of(sys.stderr, os.environ)
    # Standard error itself is held while TensorFlow loads.
    stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors="backslashreplace")
    return PlanProgress(stream, style) if style.unicode or style.colour else TerminalProgress(stream, style)


def ask(question: str) -> bool:
    """Ask the person at the terminal; no answer is a no."""
    print(f"{printable(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def write(outcome: Outcome, form: Format, *, spaced: bool) -> bool:
    """Write one outcome to standard output; whether anything came out.

    As CSV, what has no rows goes to standard error, so that the output stays CSV.
    """
    from vistaql.outcome import Explanation
    from vistaql.rendering.html import write_page

    style = style_of(sys.stdout, os.environ)
    if form is Format.TABLE and sys.stdout.isatty() and isinstance(outcome, Explanation) and outcome.html:
        text = f"Wrote {write_page(outcome.html, Path.cwd()).name}: open it in a browser."
    else:
        text = written(outcome, form, style)
    if not text:
        print(to_text(outcome), file=sys.stderr)
        return False
    if form is Format.CSV and sys.stdout.isatty():
        text = printable_lines(text)
    between = "\n" if spaced and form is not Format.JSON else ""
    print(between + text, flush=True)
    return True


def report(error: VistaQLError, arguments: Arguments) -> Exit:
    """Write an error to standard error; gives the exit code it stands for."""
    sys.stdout.flush()
    as_json = arguments.format is Format.JSON
    in_json = [one_line(one.to_json()) for one in (error, *error.others)]
    text = "\n".join(in_json) if as_json else error_text(error, style_of(sys.stderr, os.environ))
    print(text, file=sys.stderr)
    if arguments.verbose:
        traceback.print_exception(error.__cause__ or error, file=sys.stderr)
    return EXIT_OF.get(error.code, Exit.FAILED)


def internal(failure: Exception) -> VistaQLError:
    """What a user is told of a defect in this program."""
    message = f"This is a defect of VistaQL: {type(failure).__name__}: {failure}"
    error = VistaQLError(
        Code.INTERNAL, message, hint="Run it again with --verbose, and report the trace with the statement."
    )
    error.__cause__ = failure
    return error


def leave_interrupted() -> NoReturn:
    """Say what an interrupt left, and end at once: threads that still compute are not waited for."""
    print("\nInterrupted. What the statements before this one did is kept; this one changed nothing.", file=sys.stderr)
    sys.stderr.flush()
    os._exit(Exit.INTERRUPTED)
