"""What binding refuses of an expression, and DuckDB's opinion of the same."""

from __future__ import annotations

from itertools import product

import duckdb
import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.frontend.parser import parse_expression
from vistaql.frontend.scope import Scope, Source
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import ColumnInfo, ColumnType

COLUMNS = (
    ColumnInfo("title", ColumnType.TEXT, "VARCHAR"),
    ColumnInfo("price", ColumnType.NUMBER, "DOUBLE"),
    ColumnInfo("stock", ColumnType.INTEGER, "BIGINT"),
    ColumnInfo("sold", ColumnType.BOOLEAN, "BOOLEAN"),
    ColumnInfo("day", ColumnType.TIME, "DATE"),
    ColumnInfo("tags", ColumnType.OTHER, "VARCHAR[]"),
)
SCOPE = Scope((Source("t", COLUMNS, is_images=False),), {"word": "x", "number": 3})
OPERANDS = ("title", "price", "stock", "sold", "day", "3", "'3'", "NULL", "TRUE", "DATE '2024-01-31'", "length(title)")


def binds(text: str, *, condition: bool = False) -> bool:
    expression = parse_expression(text)
    try:
        SCOPE.condition(expression) if condition else SCOPE.predicate(expression)
    except VistaQLError as error:
        if error.code is not Code.BAD_EXPRESSION:
            raise
        return False
    return True


@pytest.fixture(scope="module")
def table() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    columns = ", ".join(f"{identifier(f't.{column.name}')} {column.sql_type}" for column in COLUMNS)
    connection.execute(f"CREATE TABLE t ({columns})")
    return connection


def runs(text: str, table: duckdb.DuckDBPyConnection, *, condition: bool = False) -> bool:
    """Whether DuckDB plans the text as SQL, its columns called as binding calls them."""
    sql = text
    for column in COLUMNS:
        sql = sql.replace(column.name, identifier(f"t.{column.name}"))
    try:
        table.execute(f"SELECT 1 FROM t WHERE {sql}" if condition else f"SELECT {sql} FROM t")
    except duckdb.Error:
        return False
    return True


def test_duckdb_compares_whatever_binding_lets_through(table: duckdb.DuckDBPyConnection) -> None:
    texts = [f"{left} {operator} {right}" for left, right in product(OPERANDS, OPERANDS) for operator in ("=", "<")]
    texts += [f"{left} IN ({right})" for left, right in product(OPERANDS, OPERANDS)]
    texts += [f"{left} BETWEEN {right} AND {right}" for left, right in product(OPERANDS, OPERANDS)]
    # A flag is often compared with 0 or 1; its order relative to a fraction is DuckDB's own matter.
    passed = [text for text in texts if binds(text) and not ("price" in text and ("sold" in text or "TRUE" in text))]
    assert len(passed) > len(texts) / 3
    assert [text for text in passed if not runs(text, table)] == []


def test_an_order_that_duckdb_knows_is_never_refused(table: duckdb.DuckDBPyConnection) -> None:
    texts = [f"{left} < {right}" for left, right in product(OPERANDS, OPERANDS)]
    assert [text for text in texts if runs(text, table) and not binds(text)] == []


def test_arithmetic_that_duckdb_can_do_is_never_refused(table: duckdb.DuckDBPyConnection) -> None:
    texts = [f"{left} {sign} {right}" for left, right in product(OPERANDS, OPERANDS) for sign in "+-*/%"]
    texts += [f"- {operand}" for operand in OPERANDS]
    texts += [f"{name}({operand})" for operand in OPERANDS for name in ("sqrt", "year", "lower", "abs")]
    texts += [f"{operand} LIKE 'a%'" for operand in OPERANDS]
    assert [text for text in texts if runs(text, table) and not binds(text)] == []


def test_a_condition_that_binding_lets_through_is_one(table: duckdb.DuckDBPyConnection) -> None:
    texts = [*OPERANDS, "NOT title", "title AND sold", "sold OR stock", "NOT sold AND price > 1"]
    passed = [text for text in texts if binds(text, condition=True)]
    assert "title" not in passed
    assert "sold" in passed
    assert [text for text in passed if not runs(text, table, condition=True)] == []


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("title > 3", "title is text, and 3 is a number: they cannot be compared.", "title > 3"),
        ("sold AND title", "title is text; a condition is true or false.", "title"),
        ("price = 'much'", "'much' is no number.", "price = 'much'"),
        ("price + title", "title is text; + takes numbers.", "title"),
        ("price LIKE '1%'", "price is a number; LIKE compares texts.", "price"),
        ("sqrt(title) > 3", "title is text; sqrt takes a number.", "title"),
        ("year(stock) = 2024", "stock is a number; year takes a time.", "stock"),
        ("day > 3", "day is a time, and 3 is a number: they cannot be compared.", "day > 3"),
        ("title IN ('a', 3)", "title is text, and 3 is a number: they cannot be compared.", "title IN ('a', 3)"),
        ("title = :number", "title is text, and :number is a number: they cannot be compared.", "title = :number"),
    ],
)
def test_a_mistake_is_named_where_it_is(text: str, message: str, place: str) -> None:
    with pytest.raises(VistaQLError) as caught:
        SCOPE.condition(parse_expression(text))
    assert caught.value.message == message
    assert caught.value.hint
    assert caught.value.span is not None
    assert text[caught.value.span.start : caught.value.span.end] == place


@pytest.mark.parametrize(
    "text", ["title = :word", "price > :number", "coalesce(title, 'x') = 'y'", "tags = 3", "day > '2024-01-01'"]
)
def test_what_may_have_a_value_is_left_to_the_engine(text: str) -> None:
    assert binds(text, condition=True)
