"""From text to AST."""

from __future__ import annotations

from itertools import islice
from typing import Any

from lark.exceptions import UnexpectedInput

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.parse_table import language
from vistaql.frontend.source import refuse_odd_characters, statement_spans
from vistaql.frontend.syntax_error import syntax_error

# What walks an expression calls itself once a level, and Python allows some 1,000 calls inside each other.
DEEPEST = 100
MOST_ERRORS = 20
# Statements that are looked at behind one that is wrong; a text of a million statements must not take minutes.
MOST_TRIED = 200


def parse(text: str) -> ast.Script:
    """All statements of a script.

    Raises VistaQLError, mostly SYNTAX, with the span of what is wrong and the text attached; `others` are the errors
    of the statements behind it.

    >>> parse("SHOW TABLES; HELP set").statements
    (Show(listing=<Listing.TABLES: 'TABLES'>), Help(topic=(Name(text='set'),)))
    """
    try:
        script = _parse(text, "script")
    except VistaQLError as error:
        error.others = errors_behind(text, error.span.start if error.span else len(text))
        raise
    assert isinstance(script, ast.Script)
    return script


def errors_behind(text: str, place: int) -> tuple[VistaQLError, ...]:
    """The errors of the statements that begin behind a place, one each."""
    found: list[VistaQLError] = []
    behind = (span for span in statement_spans(text) if span.start > place)
    for span in islice(behind, MOST_TRIED):
        try:
            _parse(text[span.start : span.end], "script")
        except VistaQLError as error:
            if error.span:
                error.span = Span(error.span.start + span.start, error.span.end + span.start)
            error.source = text
            found.append(error)
        if len(found) == MOST_ERRORS:
            break
    return tuple(found)


def parse_expression(text: str) -> ast.Expression:
    """An expression on its own.

    >>> parse_expression("price")
    Column(parts=(Name(text='price'),))
    """
    expression = _parse(text, "expression")
    assert isinstance(expression, ast.Expression)
    return expression


def _parse(text: str, start: str) -> Any:
    try:
        refuse_odd_characters(text)
        try:
            found: Any = language().parse(text, start=start)
        except UnexpectedInput as error:
            raise syntax_error(language(), text, start, error) from None
        refuse_depth(found)
    except VistaQLError as error:
        raise error.in_source(text) from None
    return found


def refuse_depth(root: ast.Syntax) -> None:
    """Raise TOO_DEEP where elements lie more than DEEPEST inside each other."""
    waiting: list[tuple[object, int]] = [(root, 0)]
    while waiting:
        element, depth = waiting.pop()
        if isinstance(element, tuple):
            waiting.extend((child, depth) for child in element)
        elif isinstance(element, ast.Syntax):
            if depth > DEEPEST:
                message = f"The expression has more than {DEEPEST} operations inside each other."
                hint = "For many values of one column write column IN (a, b, ..)."
                raise VistaQLError(Code.TOO_DEEP, message, element.span, hint)
            waiting.extend((child, depth + 1) for child in vars(element).values())
