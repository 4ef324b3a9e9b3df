"""Names, values and expressions as text."""

from __future__ import annotations

import re
from enum import IntEnum

from vistaql.frontend import ast

# Keywords that are read as keywords although a name may stand in their place.
KEYWORDS_BESIDE_NAMES = frozenset(
    {"ALL", "FALSE", "IF", "LAST", "LAYER", "LAYERS", "LIKE", "NONE", "NOT", "NULL", "TRUE"}
)

# The last four are read as i, s and k where case is ignored, and so could spell a keyword.
PLAIN_NAME = re.compile("[^\\W\\d\u0130\u0131\u017f\u212a][^\\W\u0130\u0131\u017f\u212a]*")


class Grip(IntEnum):
    """How firmly an operator holds its values; a looser one inside a firmer one needs parentheses."""

    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    SUM = 5
    PRODUCT = 6
    SIGN = 7
    ATOM = 8


GRIPS = {
    ast.Operator.OR: Grip.OR,
    ast.Operator.AND: Grip.AND,
    ast.Operator.ADD: Grip.SUM,
    ast.Operator.SUBTRACT: Grip.SUM,
    ast.Operator.MULTIPLY: Grip.PRODUCT,
    ast.Operator.DIVIDE: Grip.PRODUCT,
    ast.Operator.MODULO: Grip.PRODUCT,
}


def name_text(name: ast.Name) -> str:
    """The name, in double quotes if it would not be read as a name without them.

    >>> name_text(ast.Name("fc6")), name_text(ast.Name("block/add:0")), name_text(ast.Name("none"))
    ('fc6', '"block/add:0"', '"none"')
    """
    plain = PLAIN_NAME.fullmatch(name.text) and name.text.upper() not in KEYWORDS_BESIDE_NAMES
    return name.text if plain else '"' + name.text.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """The text as a string literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def expression_text(expression: ast.Expression) -> str:
    """The expression, with parentheses only where it would be read differently without.

    >>> from vistaql.frontend.parser import parse_expression
    >>> expression_text(parse_expression("((a) or (b)) and (1+2) * 3 <> -(c)"))
    '(a OR b) AND (1 + 2) * 3 <> -c'
    """
    return _text(expression)


def _text(expression: ast.Expression, needed: Grip = Grip.OR) -> str:
    text, grip = _text_and_grip(expression)
    return text if grip >= needed else f"({text})"


def _text_and_grip(expression: ast.Expression) -> tuple[str, Grip]:
    match expression:
        case ast.Binary(operator, left, right):
            grip = GRIPS.get(operator, Grip.COMPARISON)
            # a = b = c is no expression, and a - (b - c) is not a - b - c.
            left_grip = Grip.SUM if grip is Grip.COMPARISON else grip
            return f"{_text(left, left_grip)} {operator.value} {_text(right, Grip(grip + 1))}", grip
        case ast.Not(operand):
            return f"NOT {_text(operand, Grip.NOT)}", Grip.NOT
        case ast.Negative(operand):
            text = _text(operand, Grip.SIGN)
            # Two signs side by side would begin a comment.
            return (f"-({text})" if text.startswith("-") else f"-{text}"), Grip.SIGN
        case ast.Literal(bool() | None | str()) | ast.Date() | ast.Quantity() | ast.Parameter() | ast.Column():
            return value_text(expression), Grip.ATOM
        case ast.Literal():
            text = value_text(expression)
            return text, Grip.SIGN if text.startswith("-") else Grip.ATOM
        case ast.Call(function, arguments):
            return f"{name_text(function)}({_list(arguments)})", Grip.ATOM
        case _:
            return _predicate_text(expression), Grip.COMPARISON


def _predicate_text(expression: ast.Expression) -> str:
    match expression:
        case ast.IsNull(operand, negated):
            return f"{_text(operand, Grip.SUM)} IS {_not(negated)}NULL"
        case ast.In(operand, values, negated):
            return f"{_text(operand, Grip.SUM)} {_not(negated)}IN ({_list(values)})"
        case ast.Like(operand, pattern, negated, ignore_case):
            word = "ILIKE" if ignore_case else "LIKE"
            return f"{_text(operand, Grip.SUM)} {_not(negated)}{word} {_text(pattern, Grip.SUM)}"
        case ast.Between(operand, low, high, negated):
            bounds = f"{_text(low, Grip.SUM)} AND {_text(high, Grip.SUM)}"
            return f"{_text(operand, Grip.SUM)} {_not(negated)}BETWEEN {bounds}"
    raise TypeError(expression)


def _not(negated: bool) -> str:  # noqa: FBT001 - a field of the AST
    return "NOT " if negated else ""


def _list(expressions: tuple[ast.Expression, ...]) -> str:
    return ", ".join(_text(expression) for expression in expressions)


def value_text(value: ast.Expression) -> str:
    """A literal, a parameter or a column."""
    match value:
        case ast.Literal(bool() as truth):
            return "TRUE" if truth else "FALSE"
        case ast.Literal(None):
            return "NULL"
        case ast.Literal(str() as text):
            return quoted(text)
        case ast.Literal(number):
            return repr(number)
        case ast.Date(text):
            return f"DATE {quoted(text)}"
        case ast.Quantity(text):
            return text
        case ast.Parameter(name):
            return f":{name}"
        case ast.Column(parts):
            return ".".join(map(name_text, parts))
    raise TypeError(value)
