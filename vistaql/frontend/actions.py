"""Kinds of action: how the children of a grammar rule become an element of the AST.

The parser calls an action for every rule that is complete, innermost first, so that no tree of the text
is built. Its children come in the order of the text: tokens, and what inner actions returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lark import Token

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend import ast

Children = Sequence[Any]
Action = Callable[[Children], object]

# What the user wrote or chose. Every other token is a keyword or a sign, which the rule itself stands for.
VALUE_TOKENS = frozenset({"NAME", "QUOTED_NAME", "STRING", "QUANTITY", "NUMBER", "PARAMETER", "SQL"})

TWICE_HINTS = {"WHERE": "Join the conditions with AND.", "TRAIN": "List the learners after one TRAIN: TRAIN a, b."}


@dataclass(frozen=True)
class Plain:
    """A value that is no element of the AST, such as a whole number, with its place."""

    value: Any
    span: Span


@dataclass(frozen=True)
class Part:
    """The value of one field of the element around it, for pieces that come in any order or not at all.

    `word` is the keyword that it began with.
    """

    field: str
    value: Any
    word: str
    span: Span


def span_of(children: Children) -> Span:
    """From the first character of the children to the last."""
    return _span(children[0]).to(_span(children[-1])) if children else ast.NOWHERE


def _span(child: Any) -> Span:
    if isinstance(child, Token):
        return Span(child.start_pos or 0, child.end_pos or 0)
    assert isinstance(child, ast.Syntax | Part | Plain), child
    return child.span


def values(children: Children) -> list[Any]:
    """The children without keywords, signs and parts."""
    return [
        child.value if isinstance(child, Plain) else child
        for child in children
        if not (isinstance(child, Part) or (isinstance(child, Token) and child.type not in VALUE_TOKENS))
    ]


def parts(children: Children) -> dict[str, Any]:
    """The fields that parts fill, raising CLAUSE_TWICE where two parts fill the same."""
    found: dict[str, Part] = {}
    for child in children:
        if isinstance(child, Part):
            if child.field in found:
                raise _twice(found[child.field], child)
            found[child.field] = child
    return {field: part.value for field, part in found.items()}


def _twice(first: Part, second: Part) -> VistaQLError:
    if first.word == second.word:
        message = f"{second.word} stands twice in one statement."
    else:
        message = f"{second.word} says again what {first.word} has said."
    return VistaQLError(Code.CLAUSE_TWICE, message, second.span, TWICE_HINTS.get(second.word, "Keep one of the two."))


def node(build: Callable[..., ast.Syntax], **fixed: object) -> Action:
    """Fill the class: values in the order of its fields, parts by name."""
    return lambda children: build(*values(children), **fixed, **parts(children), span=span_of(children))


def head_and_rest(build: Callable[..., ast.Syntax]) -> Action:
    """Fill a class of two fields: the first value, then all others as a tuple. Parts fill further fields."""

    def act(children: Children) -> ast.Syntax:
        head, *rest = values(children)
        return build(head, tuple(rest), **parts(children), span=span_of(children))

    return act


def list_of(build: Callable[..., ast.Syntax]) -> Action:
    """Fill a class of one field with all values as a tuple."""
    return lambda children: build(tuple(values(children)), span=span_of(children))


def tuple_of(children: Children) -> Plain:
    """All values as a tuple."""
    return Plain(tuple(values(children)), span_of(children))


def part(field: str) -> Action:
    """Name the field that the value fills."""
    return lambda children: Part(field, values(children)[0], _word(children), span_of(children))


def part_tuple(field: str) -> Action:
    """Name the field that the values fill as a tuple."""
    return lambda children: Part(field, tuple(values(children)), _word(children), span_of(children))


def flag(field: str) -> Action:
    """Make the field true where the rule's keywords stand at all."""
    return lambda children: Part(field, True, _words(children), span_of(children))


def choice(meanings: Mapping[str, object]) -> Action:
    """Look up what the rule's keywords, in capitals, mean."""
    return lambda children: Plain(meanings[_words(children)], span_of(children))


def part_choice(field: str, meanings: Mapping[str, object]) -> Action:
    """Fill the field with what the rule's keywords mean."""
    return lambda children: Part(field, meanings[_words(children)], _words(children), span_of(children))


def by_value(members: Iterable[Enum]) -> dict[str, Enum]:
    """The members of an Enum under their values in capitals."""
    return {str(member.value).upper(): member for member in members}


def _word(children: Children) -> str:
    return str(children[0]).upper() if isinstance(children[0], Token) else ""


def _words(children: Children) -> str:
    return " ".join(str(child).upper() for child in children)
