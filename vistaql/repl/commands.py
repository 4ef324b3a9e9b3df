"""Dot commands: shorthand for statements, and the few things that concern the shell itself."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.rendering.output import Format
from vistaql.stores.quoting import literal

# What people type to leave, or for help, in the shells they come from.
LEAVING = frozenset({"exit", "quit", "\\q", ".exit", ".quit", ":q"})
HELPING = frozenset({"?", "help", "\\?", ".help"})


@dataclass(frozen=True)
class Command:
    """A dot command; `statement` is what it stands for, with {} for its argument, or None where the shell does it."""

    name: str
    meaning: str
    statement: str | None = None
    takes: str = ""


COMMANDS = (
    Command(".tables", "the tables", "SHOW TABLES;"),
    Command(".images", "the image sets", "SHOW IMAGES;"),
    Command(".cnns", "the CNNs", "SHOW CNNS;"),
    Command(".layers", "the exploration points of a CNN", "SHOW LAYERS OF {};", "CNN"),
    Command(".results", "the answers that are kept", "SHOW RESULTS;"),
    Command(".learners", "the learners and their arguments", "SHOW LEARNERS;"),
    Command(".settings", "the settings", "SHOW SETTINGS;"),
    Command(".errors", "images that could not be used", "SHOW ERRORS;"),
    Command(".schema", "the columns of a table, or facts of another object", "DESCRIBE {};", "NAME"),
    Command(".read", "run a script", "SOURCE {};", "FILE"),
    Command(".explain", "the plan of the last query", "EXPLAIN;"),
    Command(".mode", "how outcomes are written", None, " | ".join(form.value for form in Format)),
    Command(".output", "write outcomes to a file; without a name to the screen again", None, "[FILE]"),
    Command(".once", "write the next outcome to a file", None, "FILE"),
    Command(".timer", "say how long statements take", None, "on | off"),
    Command(".cd", "stand in another folder", None, "DIR"),
    Command(".help", "these commands", None),
    Command(".exit", "leave", None),
)


def rewritten(line: str) -> str | None:
    """The statement that a dot command stands for; None where the shell itself does it. Raises USAGE.

    >>> rewritten(".tables"), rewritten(".layers vgg16"), rewritten(".mode csv")
    ('SHOW TABLES;', 'SHOW LAYERS OF vgg16;', None)
    """
    command, argument = command_of(line)
    if command.statement is None:
        return None
    if "{}" not in command.statement:
        if argument:
            raise VistaQLError(Code.USAGE, f"{command.name} takes nothing beside it.", hint=command.name)
        return command.statement
    if not argument:
        raise VistaQLError(Code.USAGE, f"{command.name} needs a name.", hint=f"{command.name} {command.takes}")
    if command.takes == "FILE":
        return command.statement.format(literal(unquoted(argument)))
    return command.statement.format(argument)


def command_of(line: str) -> tuple[Command, str]:
    """The command of a line, and what follows its name. Raises USAGE for one that does not exist."""
    name, _, rest = line.strip().rstrip(";").partition(" ")
    known = {command.name: command for command in COMMANDS} | {".quit": COMMANDS[-1]}
    if name not in known:
        raise VistaQLError(Code.USAGE, f"There is no command '{name}'.", hint=did_you_mean(name, known, "commands"))
    return known[name], rest.strip()


def unquoted(argument: str) -> str:
    """A file as it is meant, with or without single quotes around it.

    >>> unquoted("'a b.csv'"), unquoted("a.csv")
    ('a b.csv', 'a.csv')
    """
    if len(argument) > 1 and argument[0] == argument[-1] == "'":
        return argument[1:-1].replace("''", "'")
    return argument


def help_lines() -> tuple[str, ...]:
    """All commands, a line each."""
    width = max(len(f"{command.name} {command.takes}") for command in COMMANDS)
    lines = [f"{f'{command.name} {command.takes}':<{width}}  {command.meaning}" for command in COMMANDS]
    return (
        "Statements end with a semicolon and may span lines. Tab completes, the arrows go through what was typed,",
        "Ctrl-R searches it, Ctrl-C stops a statement. HELP; lists the statements.",
        "",
        *lines,
    )
