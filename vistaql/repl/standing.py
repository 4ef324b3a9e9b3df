"""Where the parser stands after a piece of text: what may follow, and what a name would be there.

An LALR parser is in one state at a time, and the symbols that led to it are the grammar's own account of what
has been read. Completion and highlighting ask that account, and so know exactly as much as the grammar does.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lark import Token
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_analysis import Shift

from vistaql.errors import VistaQLError
from vistaql.frontend.parse_table import language

if TYPE_CHECKING:
    from lark.parsers.lalr_interactive_parser import InteractiveParser

# What a name turns into by itself, before it plays a part.
TRANSPARENT = frozenset({"name", "column_name", "column"})
SQL_WORDS = ("SELECT", "SUMMARIZE")


@dataclass(frozen=True)
class Standing:
    """What may follow (terminals), what has been read (symbols of the grammar), and what a name here would become.

    `roles` are rules of the grammar, such as `learner_call`; no name may follow where there are none.
    """

    accepted: frozenset[str]
    symbols: tuple[str, ...]
    roles: frozenset[str]

    def after(self, *symbols: str) -> bool:
        """Whether these are the last symbols that were read."""
        return self.symbols[-len(symbols) :] == symbols

    @property
    def opened_by(self) -> tuple[str, ...]:
        """The symbols before the innermost parenthesis that is open; nothing where none is."""
        for place in range(len(self.symbols) - 1, -1, -1):
            if self.symbols[place] == "LPAR":
                return self.symbols[:place]
        return ()


def standing(text: str) -> Standing | None:
    """Where the parser stands after a text; None where the text is wrong already."""
    reader = reader_of(text)
    try:
        for _ in tokens_of(reader):
            pass
    except (UnexpectedInput, VistaQLError):
        return None
    stack: list[int] = reader.parser_state.state_stack
    accepted: set[str] = reader.accepts()  # type: ignore[no-untyped-call] # lark leaves it without types
    roles = frozenset(roles_of_name(reader)) if "NAME" in accepted else frozenset[str]()
    return Standing(frozenset(accepted), tuple(symbols()[state] for state in stack[1:]), roles)


def reader_of(text: str) -> InteractiveParser:
    """A parser at the beginning of a text that builds nothing, so that half a statement does no harm."""
    reader = language().parse_interactive(text, start="script")
    conf = copy(reader.parser_state.parse_conf)
    conf.callbacks = {}
    reader.parser_state.parse_conf = conf
    return reader


def tokens_of(reader: InteractiveParser) -> Iterator[Token]:
    """The tokens of the text, each with the meaning it has in its place: a keyword only where it is one."""
    yield from reader.iter_parse()


def keyword(terminal: str) -> str:
    """How a terminal is typed, where it is a word; otherwise nothing.

    >>> keyword("LAYERS"), keyword("NAME"), keyword("SQL")
    ('LAYERS', '', '')
    """
    return keywords().get(terminal, "")


@cache
def keywords() -> dict[str, str]:
    """The words of the language by their terminals."""
    patterns = ((terminal.name, str(terminal.pattern.value)) for terminal in language().terminals)
    return {name: value.upper() for name, value in patterns if value.isalpha()}


@cache
def symbols() -> dict[int, str]:
    """For each state of the parser the symbol that leads into it, of which an LALR parser has one."""
    found = {}
    for actions in states().values():
        for symbol, (action, state) in actions.items():
            if action is Shift:
                found[state] = symbol
    return found


def states() -> dict[int, dict[str, tuple[Any, Any]]]:
    """The parser's table: for each state and symbol what is done."""
    conf = language().parse_interactive("", start="script").parser_state.parse_conf
    return conf.states


def roles_of_name(reader: InteractiveParser) -> set[str]:
    """The rules that a name here would complete, found by letting the parser read one."""
    after = reader.parser_state.copy(deepcopy_values=False)
    after.feed_token(Token("NAME", "name"))
    table = states()
    found: set[str] = set()
    waiting, seen = [tuple(after.state_stack)], set()
    while waiting:
        stack = waiting.pop()
        if stack in seen:
            continue
        seen.add(stack)
        rules = {rule for action, rule in table[stack[-1]].values() if action is not Shift}
        for rule in rules:
            below = stack[: len(stack) - len(rule.expansion)]
            origin = str(rule.origin.name)
            if origin in TRANSPARENT:
                waiting.append((*below, table[below[-1]][origin][1]))
            else:
                found.add(origin)
        if not rules:
            found.add("new_name")
    return found
