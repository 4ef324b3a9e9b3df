"""What is printed parses back to the same statement, and spelling does not matter."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frontend.strategies import EXPLORES, EXPRESSIONS, STATEMENTS
from vistaql.frontend import ast, printer
from vistaql.frontend.parser import parse, parse_expression
from vistaql.frontend.printer import to_text

# `VISTAQL_EXAMPLES=100000 pytest tests/frontend` draws more.
EXAMPLES = int(os.environ.get("VISTAQL_EXAMPLES", "2000"))


def drawn(share: float) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=round(EXAMPLES * share), deadline=None, database=None, suppress_health_check=slow)


# Outside of quotes: spaces to fill anew, words to write in capitals.
PIECES = re.compile(r"""('[^']*'|"[^"]*")|(\s+)|([^\s'"]+)""")
RANDOMS = st.integers(0, 2**32).map(Random)
FILLINGS = ["\n", "\t ", " /* ; ' */ ", ' -- " ;\n ', "\u00a0"]


@drawn(0.7)
@given(STATEMENTS)
def test_a_statement_prints_and_parses_to_itself(statement: ast.Statement) -> None:
    script = ast.Script((statement,))
    text = to_text(script)
    parsed = parse(text)
    # In a repr 1, 1.0 and TRUE differ, which are equal in Python.
    assert repr(parsed) == repr(script)
    assert to_text(parsed) == text


@drawn(0.3)
@given(EXPRESSIONS)
def test_an_expression_prints_and_parses_to_itself(expression: ast.Expression) -> None:
    assert repr(parse_expression(to_text(expression))) == repr(expression)


@drawn(0.1)
@given(st.lists(STATEMENTS, max_size=3))
def test_statements_of_a_script_stay_apart(statements: list[ast.Statement]) -> None:
    script = ast.Script(tuple(statements))
    assert parse(to_text(script)) == script


@drawn(0.1)
@given(EXPLORES, RANDOMS)
def test_case_and_space_and_comments_do_not_matter(explore: ast.Explore, random: Random) -> None:
    def respell(found: re.Match[str]) -> str:
        quoted, space, word = found.groups()
        if quoted:
            return quoted
        return random.choice(FILLINGS) if space else re.sub("[a-z]", lambda c: c[0].upper(), word)

    text = PIECES.sub(respell, to_text(explore))
    assert repr(parse(text).statements[0]).upper() == repr(explore).upper()


@drawn(0.1)
@given(EXPLORES, RANDOMS)
def test_clauses_come_in_any_order(explore: ast.Explore, random: Random) -> None:
    bare = ast.Explore(explore.targets, explore.relation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(printer, "WIDEST", 10**9)
        start = to_text(bare)
        clauses = [
            to_text(replace(bare, **{field: value}))[len(start) :]
            for field, value in vars(explore).items()
            if field not in {"span", "targets", "relation"}
        ]
        random.shuffle(clauses)
        assert parse(start + "".join(clauses)).statements == (explore,)


@drawn(0.1)
@given(STATEMENTS)
def test_spans_lie_inside_each_other(statement: ast.Statement) -> None:
    text = to_text(statement)
    waiting: list[tuple[object, ast.Span]] = [(parse(text), ast.Span(0, len(text)))]
    while waiting:
        node, outer = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend((child, outer) for child in node)
        elif isinstance(node, ast.Syntax):
            assert outer.start <= node.span.start < node.span.end <= outer.end, node
            waiting.extend((child, node.span) for child in vars(node).values())
