"""Whether an expression can have a value: texts are not compared with numbers, and not multiplied."""

from __future__ import annotations

from collections.abc import Callable

from vistaql.errors import Code, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.printer import to_text
from vistaql.stores.quoting import Scalar
from vistaql.stores.tables import ColumnType

Kind = ColumnType | None
"""of an expression; INTEGER counts as NUMBER, and None is a string in quotes, NULL, or not known"""

COMPARED = frozenset("= <> < <= > >=".split())
JOINED = frozenset({"AND", "OR"})
OF_NUMBERS = frozenset("abs ceil floor round sqrt ln log10 exp".split())
OF_TIMES = frozenset("year month day".split())
WORDS = {
    ColumnType.TEXT: "text",
    ColumnType.NUMBER: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.TIME: "a time",
}


class Kinds:
    """The kinds of columns and parameters, by functions that look them up."""

    def __init__(
        self, column: Callable[[ast.Column], ColumnType], parameter: Callable[[ast.Parameter], Scalar]
    ) -> None:
        self.column = column
        self.parameter = parameter

    def of(self, expression: ast.Expression) -> Kind:
        """The kind of an expression.

        Raises BAD_EXPRESSION at an operation that has no value for the kinds of its operands.
        """
        match expression:
            case ast.Column() | ast.Literal() | ast.Parameter() | ast.Date():
                return self.leaf(expression)
            case ast.Binary(ast.Operator.EQ, ast.Column() as left, ast.Column() as right):
                # Keys are compared as text where one of them is.
                self.of(left)
                self.of(right)
                return ColumnType.BOOLEAN
            case ast.Binary(operator, left, right) if operator.value in COMPARED:
                return self.compared(expression, left, (right,))
            case ast.Binary(operator, left, right) if operator.value in JOINED:
                self.condition(left)
                return self.condition(right)
            case ast.Binary(operator, left, right):
                kinds = {self.number(left, operator.value), self.number(right, operator.value)}
                return None if ColumnType.TIME in kinds else ColumnType.NUMBER
            case ast.Negative(operand):
                return self.number(operand, "-")
            case ast.Not(operand):
                return self.condition(operand)
            case ast.In(operand, values):
                return self.compared(expression, operand, values)
            case ast.Between(operand, low, high):
                return self.compared(expression, operand, (low, high))
            case ast.Like(operand):
                return self.like(operand)
            case ast.IsNull(operand):
                self.of(operand)
                return ColumnType.BOOLEAN
            case ast.Call(function, arguments):
                return self.call(function.text.casefold(), arguments)
        return None

    def leaf(self, expression: ast.Column | ast.Literal | ast.Parameter | ast.Date) -> Kind:
        """The kind of what is not made of other expressions."""
        match expression:
            case ast.Column():
                return plain(self.column(expression))
            case ast.Literal(value):
                return kind_of_value(value)
            case ast.Parameter():
                return kind_of_value(self.parameter(expression))
            case ast.Date():
                return ColumnType.TIME

    def condition(self, expression: ast.Expression) -> Kind:
        """What stands in WHERE, ON, AND, OR and NOT: it is true or false."""
        kind = self.of(expression)
        if kind in (ColumnType.TEXT, ColumnType.TIME):
            raise mistake(expression, f"{holds(expression, kind)}; a condition is true or false.", "Compare it: = '..'")
        return ColumnType.BOOLEAN

    def compared(self, whole: ast.Expression, operand: ast.Expression, values: tuple[ast.Expression, ...]) -> Kind:
        """A comparison of an operand with each of the values."""
        kind = self.of(operand)
        for value in values:
            self.refuse_different(whole, (operand, kind), (value, self.of(value)))
        return ColumnType.BOOLEAN

    def refuse_different(
        self, whole: ast.Expression, left: tuple[ast.Expression, Kind], right: tuple[ast.Expression, Kind]
    ) -> None:
        """Raise BAD_EXPRESSION where two sides are of kinds that are never equal."""
        kinds = {left[1], right[1]}
        if len(kinds) == 2 and None not in kinds and kinds != {ColumnType.NUMBER, ColumnType.BOOLEAN}:
            message = f"{holds(*left)}, and {holds(*right)}: they cannot be compared."
            numbers = [to_text(item) for item, kind in (left, right) if number_literal(item) and kind]
            way = (
                f"Write '{numbers[0]}' in quotes, or name a column of numbers" if numbers else "Compare like with like"
            )
            raise mistake(whole, message, f"{way}.")
        for (text, _), (_, kind) in ((left, right), (right, left)):
            if kind is ColumnType.NUMBER and isinstance(text, ast.Literal) and not is_number(text.value):
                raise mistake(whole, f"{to_text(text)} is no number.", "Write a number without quotes.")

    def number(self, expression: ast.Expression, operator: str) -> Kind:
        """An operand of arithmetic."""
        kind = self.of(expression)
        if kind in (ColumnType.TEXT, ColumnType.BOOLEAN):
            raise mistake(
                expression, f"{holds(expression, kind)}; {operator} takes numbers.", "Name a column of numbers."
            )
        return kind

    def like(self, operand: ast.Expression) -> Kind:
        """A comparison with a pattern."""
        kind = self.of(operand)
        if kind not in (ColumnType.TEXT, None):
            raise mistake(operand, f"{holds(operand, kind)}; LIKE compares texts.", "Write = or < for other values.")
        return ColumnType.BOOLEAN

    def call(self, function: str, arguments: tuple[ast.Expression, ...]) -> Kind:
        """The kind of a function's value."""
        kinds = [self.of(argument) for argument in arguments]
        wanted = ColumnType.NUMBER if function in OF_NUMBERS else ColumnType.TIME if function in OF_TIMES else None
        for argument, kind in zip(arguments, kinds, strict=True):
            if wanted is not None and kind not in (wanted, None):
                raise mistake(
                    argument, f"{holds(argument, kind)}; {function} takes {WORDS[wanted]}.", "Name another column."
                )
        if function == "coalesce":
            return next((kind for kind in kinds if kind), None)
        return ColumnType.NUMBER if wanted or function == "length" else ColumnType.TEXT


def plain(kind: ColumnType) -> Kind:
    """A column's type as a kind."""
    return ColumnType.NUMBER if kind is ColumnType.INTEGER else kind if kind in WORDS else None


def kind_of_value(value: Scalar) -> Kind:
    """The kind of a literal; a string takes that of what it is compared with.

    >>> kind_of_value(3), kind_of_value(True), kind_of_value("3")
    (<ColumnType.NUMBER: 'number'>, <ColumnType.BOOLEAN: 'boolean'>, None)
    """
    if isinstance(value, bool):
        return ColumnType.BOOLEAN
    return ColumnType.NUMBER if isinstance(value, int | float) else None


def number_literal(expression: ast.Expression) -> bool:
    """Whether an expression is a number as it stands."""
    return isinstance(expression, ast.Literal) and kind_of_value(expression.value) is ColumnType.NUMBER


def is_number(value: Scalar) -> bool:
    """Whether a value can be read as a number; NULL can.

    >>> is_number("1.5"), is_number(None), is_number("many")
    (True, True, False)
    """
    try:
        return value is None or float(value) is not None
    except ValueError:
        return False


def holds(expression: ast.Expression, kind: Kind) -> str:
    """An expression and its kind in words."""
    return f"{to_text(expression)} is {WORDS[kind] if kind else 'a value'}"


def mistake(expression: ast.Expression, message: str, hint: str) -> VistaQLError:
    """The error at an expression."""
    return VistaQLError(Code.BAD_EXPRESSION, message, span=expression.span, hint=hint)
