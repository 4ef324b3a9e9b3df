"""Names of columns, and expressions over them as SQL.

A column of a source is called `alias.column` everywhere below, one identifier, so that it stays unique after joins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.kinds import Kinds
from vistaql.frontend.printer import to_text
from vistaql.logical.nodes import Predicate
from vistaql.stores.quoting import Scalar, identifier, literal
from vistaql.stores.tables import ColumnInfo, ColumnType, text_of

# Functions that mean the same in every engine.
FUNCTIONS = frozenset(
    "abs ceil floor round sqrt ln log10 exp lower upper trim length substring concat coalesce year month day".split()
)

ParameterValue = Scalar


@dataclass(frozen=True)
class Source:
    """An image set or a table under the name it has in this query."""

    alias: str
    columns: tuple[ColumnInfo, ...]
    is_images: bool

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name, case ignored."""
        return next((column for column in self.columns if column.name.casefold() == name.casefold()), None)

    def qualified(self, column: str) -> str:
        """The name of a column after the scan."""
        return f"{self.alias}.{column}"


@dataclass(frozen=True)
class Scope:
    """What can be named in an expression: the sources so far, and the values of parameters."""

    sources: tuple[Source, ...]
    parameters: Mapping[str, ParameterValue]
    same: tuple[tuple[str, str], ...] = ()
    """pairs of qualified columns made equal by USING: naming either is not ambiguous"""

    def resolve(self, column: ast.Column) -> tuple[Source, ColumnInfo]:
        """The one column meant. A table's column comes before an image set's of the same name."""
        *qualifier, last = column.parts
        sources = self._qualified(qualifier) if qualifier else self.sources
        found = [(source, info) for source in sources if (info := source.column(last.text))]
        tables = [pair for pair in found if not pair[0].is_images]
        best = tables or found
        if not best:
            known = [info.name for source in sources for info in source.columns]
            where = " or ".join(f"'{source.alias}'" for source in sources)
            raise VistaQLError(
                Code.UNKNOWN_COLUMN,
                f"There is no column '{last.text}' in {where}.",
                span=column.span,
                hint=did_you_mean(last.text, known, "columns"),
            )
        if len(best) > 1 and not self._are_same(best):
            options = " or ".join(source.qualified(info.name) for source, info in best)
            raise VistaQLError(
                Code.AMBIGUOUS_COLUMN,
                f"'{last.text}' is a column of {len(best)} sources.",
                span=column.span,
                hint=f"Write {options}.",
            )
        return best[0]

    def _qualified(self, qualifier: list[ast.Name]) -> tuple[Source, ...]:
        name = qualifier[0]
        found = tuple(source for source in self.sources if source.alias.casefold() == name.text.casefold())
        if len(qualifier) > 1 or not found:
            raise VistaQLError(
                Code.UNKNOWN_COLUMN,
                f"There is no source '{'.'.join(part.text for part in qualifier)}' in this query.",
                span=name.span.to(qualifier[-1].span),
                hint=did_you_mean(name.text, [source.alias for source in self.sources], "sources"),
            )
        return found

    def _are_same(self, found: list[tuple[Source, ColumnInfo]]) -> bool:
        first, *others = [source.qualified(info.name) for source, info in found]
        return all((first, other) in self.same or (other, first) in self.same for other in others)

    def condition(self, expression: ast.Expression) -> Predicate:
        """An expression that is true or false, as SQL."""
        found = self.predicate(expression)
        self._kinds().condition(expression)
        return found

    def predicate(self, expression: ast.Expression) -> Predicate:
        """An expression as SQL, with the columns it reads."""
        columns: dict[str, None] = {}
        sql = self._sql(expression, columns)
        self._kinds().of(expression)
        return Predicate(sql, tuple(columns), to_text(expression), (expression.span.start, expression.span.end))

    def _kinds(self) -> Kinds:
        return Kinds(lambda column: self.resolve(column)[1].type, lambda name: bound(name, self.parameters))

    def _sql(self, expression: ast.Expression, columns: dict[str, None]) -> str:
        def sql(inner: ast.Expression) -> str:
            return self._sql(inner, columns)

        match expression:
            case ast.Column():
                source, info = self.resolve(expression)
                columns[source.qualified(info.name)] = None
                return identifier(source.qualified(info.name))
            case ast.Literal(value):
                return literal(value)
            case ast.Parameter():
                return literal(bound(expression, self.parameters))
            case ast.Date(text):
                return f"DATE '{checked_date(text, expression.span)}'"
            case ast.Binary(ast.Operator.EQ, ast.Column() as left, ast.Column() as right):
                sides = self.resolve(left), self.resolve(right)
                columns.update(dict.fromkeys(source.qualified(info.name) for source, info in sides))
                return f"({equality(*sides)})"
            case ast.Binary(operator, left, right):
                return f"({sql(left)} {operator.value} {sql(right)})"
            case ast.Not(operand):
                return f"(NOT {sql(operand)})"
            case ast.Negative(operand):
                return f"(- {sql(operand)})"
            case ast.IsNull(operand, negated):
                return f"({sql(operand)} IS {'NOT ' if negated else ''}NULL)"
            case ast.In(operand, values, negated):
                return f"({sql(operand)} {'NOT ' if negated else ''}IN ({', '.join(map(sql, values))}))"
            case ast.Like(operand, pattern, negated, ignore_case):
                word = ("NOT " if negated else "") + ("ILIKE" if ignore_case else "LIKE")
                return f"({sql(operand)} {word} {sql(pattern)})"
            case ast.Between(operand, low, high, negated):
                return f"({sql(operand)} {'NOT ' if negated else ''}BETWEEN {sql(low)} AND {sql(high)})"
            case ast.Call(function, arguments):
                return f"{checked_function(function)}({', '.join(map(sql, arguments))})"
            case _:
                raise no_value(expression.span)


def bound(parameter: ast.Parameter, parameters: Mapping[str, ParameterValue]) -> ParameterValue:
    """The value given for :name."""
    if parameter.name not in parameters:
        given = ", ".join(f":{name}" for name in sorted(parameters)) or "none"
        raise VistaQLError(
            Code.MISSING_PARAMETER,
            f"The parameter :{parameter.name} has no value; given: {given}.",
            span=parameter.span,
            hint=f"Give it with --param {parameter.name}=VALUE, or in Python sql(text, {parameter.name}=value).",
        )
    return parameters[parameter.name]


def no_value(span: Span) -> VistaQLError:
    """8GB and 90s are for settings."""
    return VistaQLError(
        Code.BAD_EXPRESSION,
        "A size or a duration has no place in an expression.",
        span=span,
        hint="Write a number without a unit.",
    )


def checked_date(text: str, span: Span) -> str:
    """A date of the calendar, as it was written."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise VistaQLError(
            Code.BAD_LITERAL, f"'{text}' is not a date.", span=span, hint="Write DATE '2024-01-31'."
        ) from None
    return text


def checked_function(function: ast.Name) -> str:
    """The name of a function that every engine has."""
    if function.text.casefold() not in FUNCTIONS:
        raise VistaQLError(
            Code.BAD_EXPRESSION,
            f"There is no function '{function.text}'.",
            span=function.span,
            hint=did_you_mean(function.text, FUNCTIONS, "functions"),
        )
    return function.text.lower()


def equality(left: tuple[Source, ColumnInfo], right: tuple[Source, ColumnInfo]) -> str:
    """Two columns are equal; as text, where one side is text and the other is not."""
    qualified = [replace(info, name=source.qualified(info.name)) for source, info in (left, right)]
    same = left[1].type is right[1].type
    names = [identifier(info.name) if same or info.type is ColumnType.TEXT else text_of(info) for info in qualified]
    return f"{names[0]} = {names[1]}"
