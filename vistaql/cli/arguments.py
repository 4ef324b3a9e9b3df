"""What the words after `vistaql` mean."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vistaql.errors import Code, VistaQLError, did_you_mean, nearest
from vistaql.rendering.output import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """\
VistaQL tells which layer of a CNN serves your prediction task best.

  vistaql [DIR]               the shell; DIR is a folder to stand in
  vistaql demo [DIR]          a first answer on real data, in DIR (vistaql-demo)
  vistaql start PHOTOS TABLE  a first look at your own photos and table
  vistaql doctor              what this machine has and lacks
  vistaql run FILE.vql        run a script; - reads it from standard input
  vistaql -c "STATEMENTS"     run statements
  vistaql check FILE.vql      look for errors without running anything
  ... | vistaql               run the statements that come through a pipe

  --home DIR                  the folder of the catalog (else VISTAQL_HOME)
  --format FORMAT             table (default), json, csv or markdown
  --param NAME=VALUE          what :NAME stands for; may be given several times
  --set NAME=VALUE            a setting such as plan=lazy; several times as well
  --verbose                   show the trace of an internal error
  --version, --help

With start: --label COLUMN  what to predict     --cnn NAME  which CNN
            --weights FILE  its weights         --yes       ask nothing

Exit codes: 0 done, 1 a statement failed, 2 wrong use, 3 this machine lacks
something (weights, TensorFlow, room), 130 interrupted. More: docs/cli.md
"""
Value = str | int | float | None
SEE_HELP = "vistaql --help"
START_FORM = "vistaql start PHOTOS TABLE [--label COLUMN] [--cnn NAME] [--weights FILE] [--yes]"
START_OPTIONS = ("label", "cnn", "weights")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


class Command(Enum):
    """What to do; STATEMENTS come from -c or through a pipe, and are typed into the SHELL where neither is there."""

    RUN = "run"
    CHECK = "check"
    DEMO = "demo"
    SHELL = "shell"
    START = "start"
    DOCTOR = "doctor"
    STATEMENTS = "statements"
    HELP = "help"
    VERSION = "version"


@dataclass(frozen=True)
class StartWords:
    """What `vistaql start` was given; None is left to be found out."""

    photos: str
    table: str
    label: str | None = None
    cnn: str | None = None
    weights: str | None = None
    yes: bool = False


@dataclass(frozen=True)
class Arguments:
    """The command line, understood. `target` is the file or folder; `text` holds the statements of -c."""

    command: Command
    target: str | None = None
    text: str | None = None
    home: Path | None = None
    format: Format = Format.TABLE
    parameters: tuple[tuple[str, Value], ...] = ()
    settings: tuple[tuple[str, Value], ...] = ()
    verbose: bool = False
    start: StartWords | None = None


class Parser(argparse.ArgumentParser):
    """A parser that raises USAGE instead of leaving the program."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found."""
        raise VistaQLError(Code.USAGE, f"{message[:1].upper()}{message[1:]}.", hint=self.way_out(message))

    def way_out(self, message: str) -> str:
        """The option that was meant, as far as the message tells."""
        if message.startswith("argument -c"):
            return 'vistaql -c "SHOW TABLES"'
        word = message.rpartition(": ")[2].split(" ")[0]
        known = [name for action in self._actions for name in action.option_strings]
        close = nearest(word, known) if word.startswith("--") else None
        return f"Did you mean {close}? {SEE_HELP}" if close else SEE_HELP


def understand(words: Sequence[str]) -> Arguments:
    """Read the words after the name of the program; options may stand anywhere. Raises USAGE."""
    parser = Parser(prog="vistaql", add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-c", dest="text", metavar="STATEMENTS")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--format", choices=[one.value for one in Format], default=Format.TABLE.value)
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    for name in START_OPTIONS:
        parser.add_argument(f"--{name}")
    for flag in ("--yes", "--verbose", "--version", "--help", "-h"):
        parser.add_argument(flag, action="store_true")
    found = parser.parse_intermixed_args(words)
    if found.version or found.help or found.h:
        return Arguments(Command.VERSION if found.version else Command.HELP)
    command, target = command_of(found.words, found.text)
    return Arguments(
        command,
        target,
        found.text,
        found.home,
        Format(found.format),
        tuple(parameter(item) for item in found.param),
        tuple(named_value(item, "--set") for item in found.set),
        found.verbose,
        start_words(found, command),
    )


def start_words(found: argparse.Namespace, command: Command) -> StartWords | None:
    """What belongs to `start`; None for other commands. Raises USAGE where its options stand with them."""
    given = [name for name in (*START_OPTIONS, "yes") if getattr(found, name)]
    if command is not Command.START:
        if given:
            message = f"--{given[0]} belongs to 'vistaql start'."
            raise VistaQLError(Code.USAGE, message, hint=START_FORM)
        return None
    if len(found.words) != 3:
        given_names = " ".join(found.words[1:]) or "nothing"
        message = f"'vistaql start' takes a folder of photos and a table, and was given {given_names}."
        raise VistaQLError(Code.USAGE, message, hint=START_FORM)
    _, photos, table = found.words
    return StartWords(photos, table, found.label, found.cnn, found.weights, found.yes)


def command_of(words: Sequence[str], text: str | None) -> tuple[Command, str | None]:
    """The command and the file or folder it takes. Raises USAGE where they do not fit together."""
    if text is not None and words:
        raise VistaQLError(Code.USAGE, f"-c takes statements, and nothing beside them: '{words[0]}'.", hint=SEE_HELP)
    if not words:
        return Command.STATEMENTS, None
    commands = {one.value: one for one in (Command.RUN, Command.CHECK, Command.DEMO, Command.START, Command.DOCTOR)}
    command = commands.get(words[0])
    if command is None and len(words) == 1 and Path(words[0]).is_dir():
        return Command.SHELL, words[0]
    if command is None:
        raise VistaQLError(Code.USAGE, f"There is no command '{words[0]}'.", hint=hint_for(words[0], commands))
    if command is Command.START:
        return command, None
    targets = words[1:]
    if command is Command.DOCTOR:
        if targets:
            raise VistaQLError(Code.USAGE, f"'vistaql doctor' takes no name: '{targets[0]}'.", hint="vistaql doctor")
        return command, None
    if len(targets) > 1:
        message = f"'vistaql {command.value}' takes one name, not {len(targets)}."
        raise VistaQLError(Code.USAGE, message, hint=SEE_HELP)
    if not targets and command is not Command.DEMO:
        message = f"'vistaql {command.value}' needs the name of a script."
        raise VistaQLError(Code.USAGE, message, hint=f"vistaql {command.value} FILE.vql")
    return command, targets[0] if targets else None


def hint_for(word: str, commands: dict[str, Command]) -> str:
    """What was probably meant by a word that is no command.

    >>> hint_for("jobs.vql", {}), hint_for("SHOW TABLES", {})
    ('vistaql run jobs.vql', 'vistaql -c "SHOW TABLES"')
    """
    if word.endswith(".vql"):
        return f"vistaql run {word}"
    if " " in word:
        return f'vistaql -c "{word}"'
    return did_you_mean(word, commands, "commands")


def parameter(item: str) -> tuple[str, Value]:
    """Split NAME=VALUE, where NAME can follow a colon in a script. Raises USAGE."""
    name, value = named_value(item, "--param")
    if not name.isidentifier():
        message = f"A parameter has a name of letters, digits and _, not '{name}'."
        raise VistaQLError(Code.USAGE, message, hint=f"--param name={item.partition('=')[2]}")
    return name, value


def named_value(item: str, option: str) -> tuple[str, Value]:
    """Split NAME=VALUE. Raises USAGE where it is not that."""
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise VistaQLError(Code.USAGE, f"{option} takes NAME=VALUE, not '{item}'.", hint=f"{option} name=value")
    return name, literal(value)


def literal(text: str) -> Value:
    """A number, true, false or null where the text is one; otherwise the text, with or without quotes.

    >>> literal("5"), literal("0.25"), literal("true"), literal("007"), literal("'5'"), literal("4GB")
    (5, 0.25, True, '007', '5', '4GB')
    """
    found = NUMBER.fullmatch(text)
    if found:
        return float(text) if found[2] else int(text)
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return WORDS.get(text.lower(), text)
