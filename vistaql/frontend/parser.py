"""From text to AST."""

from __future__ import annotations

from typing import Any

from lark.exceptions import UnexpectedInput

from vistaql.errors import Code, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.parse_table import language
from vistaql.frontend.source import refuse_odd_characters
from vistaql.frontend.syntax_error import syntax_error

# What walks an expression calls itself once a level, and Python allows some 1,000 calls inside each other.
DEEPEST = 100


def parse(text: str) -> ast.Script:
    """All statements of a script.

    Raises VistaQLError, mostly SYNTAX, with the span of what is wrong and the text attached.

    >>> parse("SHOW TABLES; HELP set").statements
    (Show(listing=<Listing.TABLES: 'TABLES'>), Help(topic=(Name(text='set'),)))
    """
    script = _parse(text, "script")
    assert isinstance(script, ast.Script)
    return script


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
