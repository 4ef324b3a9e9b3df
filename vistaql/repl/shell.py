"""The loop: read a statement, run it, write what came of it, and be ready for the next, whatever happened."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from vistaql import __version__
from vistaql.catalog.catalog import Catalog, Kind
from vistaql.errors import Code, VistaQLError
from vistaql.outcome import Exploration
from vistaql.progress import Silent
from vistaql.rendering.error import error_text
from vistaql.rendering.output import Format
from vistaql.rendering.plan_progress import PlanProgress
from vistaql.rendering.style import Style, printable, style_of
from vistaql.rendering.terminal import TerminalProgress
from vistaql.rendering.words import counted
from vistaql.repl.commands import HELPING, LEAVING, command_of, help_lines, rewritten, unquoted
from vistaql.repl.interrupts import end_everything, stoppable
from vistaql.repl.target import Target
from vistaql.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistaql.progress import Progress
    from vistaql.repl.background import Opening
    from vistaql.repl.place import Files, World
    from vistaql.session import Session

STOPPED = "Stopped. What the statements before it did is kept; this one changed nothing."


@dataclass
class Shell:
    """A session with someone who types. It is opened beside the prompt, which need not wait for it."""

    opening: Opening
    target: Target = field(default_factory=Target)
    timing: bool = True
    verbose: bool = False
    files: Files | None = None

    @property
    def session(self) -> Session:
        """The session, which the first key or statement waits for."""
        return self.opening.session()

    def world(self) -> World:
        """What a statement can name now."""
        from vistaql.names import KnownNames
        from vistaql.repl.place import Files, World

        self.files = self.files or Files()
        names = KnownNames(self.session.catalog, self.session.registered)
        return World(names, self.session.catalog, self.session.settings, self.files)

    def handle(self, text: str) -> bool:
        """Do what was typed; whether the shell goes on. Failures are told, and change nothing."""
        bare = text.strip().rstrip(";").strip().lower()
        if bare in LEAVING:
            return False
        try:
            if bare in HELPING:
                self.say("\n".join(help_lines()))
            elif text.strip().startswith("."):
                self.command(text.strip())
            elif text.strip():
                self.statements(text)
        except VistaQLError as error:
            self.tell(error)
        except KeyboardInterrupt:
            self.say(STOPPED)
        except Exception as failure:  # noqa: BLE001, a defect ends one statement, not the session
            self.tell(defect(failure))
        return True

    def command(self, line: str) -> None:
        """Do a dot command, or run the statement that it stands for, which is shown."""
        statement = rewritten(line)
        if statement is not None:
            self.say(self.style.faint(statement))
            self.statements(statement)
            return
        command, argument = command_of(line)
        match command.name:
            case ".help":
                self.say("\n".join(help_lines()))
            case ".mode":
                self.target = replace(self.target, form=one_of(argument, command.takes))
            case ".output":
                self.target = self.target.to_file(unquoted(argument), once=False)
            case ".once":
                self.target = self.target.to_file(unquoted(argument), once=True)
            case ".timer":
                self.timing = on_or_off(argument)
            case ".cd":
                change_folder(unquoted(argument))

    def statements(self, text: str) -> None:
        """Run statements, and write each outcome as soon as it is there."""
        with stoppable(self.say):
            started = perf_counter()
            for _, outcome in self.session.run(text):
                if outcome is not None:
                    self.target = self.target.write(outcome, self.style)
                # An answer to EXPLORE says itself how long it took.
                if self.timing and not isinstance(outcome, Exploration):
                    self.say(self.style.faint(f"({format_duration(perf_counter() - started)})"))
                started = perf_counter()

    @property
    def style(self) -> Style:
        """What the screen can show now; its width may change."""
        return style_of(sys.stdout, os.environ)

    def say(self, line: str) -> None:
        """Write to the screen, whatever outcomes are written to."""
        print(line, flush=True)

    def tell(self, error: VistaQLError) -> None:
        """Write an error to the screen: standard error is held while TensorFlow loads."""
        self.say(error_text(error, self.style))
        if self.verbose and error.__cause__ is not None:
            import traceback

            self.say("".join(traceback.format_exception(error.__cause__)))


def start(
    open_session: Callable[[], Session], home: Path, form: Format = Format.TABLE, *, verbose: bool = False
) -> None:
    """Talk to the person at the terminal until they leave; ends the program.

    Raises what opening the catalog raises.
    """
    from vistaql.repl.background import BackgroundLoading, Opening
    from vistaql.repl.prompt import prompt_session

    style = style_of(sys.stdout, os.environ)
    shell = Shell(Opening(lambda: watched(open_session(), style)), Target(form), verbose=verbose)
    shell.say(banner(home, style.width))
    prompt = prompt_session(home, shell.world)
    loading = BackgroundLoading()
    prompt.default_buffer.on_text_changed += loading.touch
    prompt.app.after_render += shell.opening.begin
    loading.begin()
    while True:
        try:
            loading.touch()
            if not shell.handle(prompt.prompt()):
                break
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
    loading.stop()
    shell.opening.close()
    # TensorFlow may be loading, or a batch be in its last seconds; nobody waits for either.
    end_everything(0)


def watched(session: Session, style: Style) -> Session:
    """The session with the progress of a shell."""
    session.progress = shell_progress(style)
    return session


def banner(home: Path, width: int | None = None) -> str:
    """One line: the version, what is in the home, and two ways on."""
    with Catalog.open(home) as catalog:
        tables, images = (len(catalog.names(kind)) for kind in (Kind.TABLE, Kind.IMAGES))
    start = f"VistaQL {__version__}: {counted(tables, 'table')}, {counted(images, 'image set')} in "
    end = ". Tab completes, ? helps, exit leaves."
    place = shortened(home)
    room = max((width or 1000) - len(start) - len(end) - 1, 8)
    return start + (place if len(place) <= room else f"..{place[2 - room :]}") + end


def shortened(path: Path) -> str:
    """A path with ~ for the home of the user."""
    try:
        return printable(f"~/{path.relative_to(Path.home())}")
    except ValueError:
        return printable(str(path))


def shell_progress(style: Style) -> Progress:
    """The tree of the plan, on a descriptor of its own: standard error is held while TensorFlow loads."""
    if style.width is None:
        return Silent()
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=sys.stdout.encoding, errors="backslashreplace")
    return PlanProgress(stream, style) if style.colour or style.unicode else TerminalProgress(stream, style)


def one_of(word: str, choices: str) -> Format:
    """The mode of that name. Raises USAGE."""
    for form in Format:
        if form.value == word.lower():
            return form
    raise VistaQLError(Code.USAGE, f"There is no mode '{word}'.", hint=f".mode {choices}")


def on_or_off(word: str) -> bool:
    """Whether something is on. Raises USAGE."""
    if word.lower() not in ("on", "off"):
        raise VistaQLError(Code.USAGE, f"'{word}' is neither on nor off.", hint=".timer on")
    return word.lower() == "on"


def change_folder(folder: str) -> None:
    """Stand in another folder. Raises FILE_NOT_FOUND."""
    try:
        os.chdir(Path(folder or "~").expanduser())
    except OSError as failure:
        message = f"'{folder}' is no folder to stand in: {failure.strerror}."
        raise VistaQLError(Code.FILE_NOT_FOUND, message, hint=f"The current folder is {Path.cwd()}.") from failure


def defect(failure: Exception) -> VistaQLError:
    """What a user is told of a defect in this program."""
    message = f"This is a defect of VistaQL: {type(failure).__name__}: {failure}"
    error = VistaQLError(
        Code.INTERNAL, message, hint="Report it with the statement; vistaql --verbose shows the trace."
    )
    error.__cause__ = failure
    return error
