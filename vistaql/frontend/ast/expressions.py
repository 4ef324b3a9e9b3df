"""Names, literals, and what has a value for a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from vistaql.errors import Span

NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class Syntax:
    """An element of the text."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Name(Syntax):
    """An identifier as it was meant, without its quotes; names are compared ignoring case."""

    text: str


@dataclass(frozen=True)
class Expression(Syntax):
    """What has a value for a row."""


@dataclass(frozen=True)
class Literal(Expression):
    """A string, number, boolean or NULL."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Date(Expression):
    """DATE '2024-01-31'; the text between the quotes."""

    text: str


@dataclass(frozen=True)
class Quantity(Expression):
    """A size or a duration as it was written: 8GB, 90s."""

    text: str


@dataclass(frozen=True)
class Parameter(Expression):
    """:name, bound when the statement runs."""

    name: str


@dataclass(frozen=True)
class Column(Expression):
    """price, or products.price; the last part names the column."""

    parts: tuple[Name, ...]


class Operator(Enum):
    """Infix operators, by their spelling."""

    OR = "OR"
    AND = "AND"
    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MODULO = "%"


@dataclass(frozen=True)
class Binary(Expression):
    """Two values under an operator; `a OR b OR c` nests to the left."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Not(Expression):
    """NOT operand."""

    operand: Expression


@dataclass(frozen=True)
class Negative(Expression):
    """-operand, where the operand is not a number literal (that is a negative Literal)."""

    operand: Expression


@dataclass(frozen=True)
class IsNull(Expression):
    """operand IS [NOT] NULL."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True)
class In(Expression):
    """operand [NOT] IN (values)."""

    operand: Expression
    values: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like(Expression):
    """operand [NOT] LIKE | ILIKE pattern."""

    operand: Expression
    pattern: Expression
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True)
class Between(Expression):
    """operand [NOT] BETWEEN low AND high."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True)
class Call(Expression):
    """function(arguments), such as lower(brand)."""

    function: Name
    arguments: tuple[Expression, ...]
