"""Pieces of text: redaction, completeness, quoting."""

from __future__ import annotations

import pytest

from vistaql.frontend import ast
from vistaql.frontend.parser import parse, parse_expression
from vistaql.frontend.printer import to_text
from vistaql.frontend.source import is_complete


@pytest.mark.parametrize("option", ["secret", "API_TOKEN", "s3.access_key", "dbPassword", "passwd", '"my credentials"'])
@pytest.mark.parametrize("value", ["'hunter2'", "12345", "bare", "8GB", "-1.5"])
def test_secrets_are_not_printed(option: str, value: str) -> None:
    for text in (
        f"SET {option} = {value}",
        f"CREATE TABLE t FROM 'p' WITH (format = csv, {option} = {value})",
        f"EXPLAIN EXPLORE m FROM i TRAIN l({option} = {value}), l WITH ({option} = {value})",
    ):
        script = parse(text)
        shown = to_text(script, redact=True)
        assert value.strip("'") not in shown
        assert "'***'" in shown
        assert value in to_text(script)


@pytest.mark.parametrize("text", ["SET token = :token", "SET use_key = TRUE", "SET folder = 'x'", "SELECT 'password'"])
def test_what_is_no_secret_is_printed(text: str) -> None:
    assert to_text(parse(text), redact=True) == f"{text};"


@pytest.mark.parametrize("text", ["SHOW TABLES;", "SHOW TABLES; -- done", "SELECT 'a'; /* x */ ", "SELECT ';';"])
def test_complete(text: str) -> None:
    assert is_complete(text)


@pytest.mark.parametrize(
    "text", ["", "SHOW TABLES", "SELECT ';", 'SELECT ";', "SELECT 1 /* ;", "SHOW -- ;", "SELECT ';'"]
)
def test_incomplete(text: str) -> None:
    assert not is_complete(text)


def test_a_chain_nests_to_the_left() -> None:
    a, b, c = (ast.Column((ast.Name(name),)) for name in "abc")
    both = ast.Binary(ast.Operator.OR, ast.Binary(ast.Operator.OR, a, b), c)
    assert parse_expression("a OR b OR c") == both
    assert parse_expression("a OR (b OR c)") != both


def test_spans_point_into_the_text() -> None:
    text = "SHOW TABLES; EXPLORE vgg16 FROM i WHERE (price + 1) > 'x'"
    where = parse(text).statements[1].where
    assert text[where.span.start : where.span.end] == "(price + 1) > 'x'"
    assert text[where.left.span.start : where.left.span.end] == "(price + 1)"
    assert text[where.right.span.start : where.right.span.end] == "'x'"


def test_values_keep_their_types() -> None:
    options = parse("SET a = 1; SET a = 1.0; SET a = TRUE; SET a = '1'; SET a = :one; SET a = one; SET a = 1s")
    shown = [type(statement.option.value).__name__ for statement in options.statements]
    assert shown == ["Literal"] * 4 + ["Parameter", "Column", "Quantity"]
    assert [repr(statement.option.value.value) for statement in options.statements[:4]] == ["1", "1.0", "True", "'1'"]


def test_a_byte_order_mark_is_space() -> None:
    assert parse("\ufeffSHOW TABLES;") == parse("SHOW TABLES;")
