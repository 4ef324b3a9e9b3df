"""Hostile names and values stay what they are."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistaql.stores.duck import connected
from vistaql.stores.quoting import Scalar, identifier, literal, struct
from vistaql.stores.relations import Query, Relations, run_select
from vistaql.stores.tables import describe_arrow, describe_table, scan_sql

HOSTILE = [
    'a"b',
    "a'b",
    "`a`",
    "; DROP TABLE t; --",
    "/* x */",
    "new\nline",
    "\u202ertl",
    "select",
    "x" * 10_000,
    "a.b",
    "{'x': 1}",
    "%s ? $1 :name",
    " ",
    "ü",
]
# DuckDB takes no NUL in a statement, and lone surrogates are no text.
CONNECTION = duckdb.connect()
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


@settings(deadline=None, max_examples=200)
@given(name=texts, value=texts)
def test_any_name_and_any_value_come_back_as_they_were(name: str, value: str) -> None:
    found = CONNECTION.execute(f"SELECT * FROM (SELECT {literal(value)} AS {identifier(name)})")
    assert found.description[0][0] == name
    assert found.fetchall() == [(value,)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_column_of_a_hostile_name_is_read_from_csv(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    quoted = name.replace('"', '""')
    path.write_text(f'"{quoted}",other\n007,2\n008,3\n')
    table = (
        describe_table("t", str(path), key=(name.strip() or name,)) if name.strip() else describe_table("t", str(path))
    )
    with connected() as connection:
        rows = connection.execute(f"SELECT * FROM {scan_sql(table, frozenset([table.columns[0].name]))}").fetchall()
    assert rows == [("007", 2), ("008", 3)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_relation_of_a_hostile_name_is_selected_from(name: str) -> None:
    data = pa.table({name: [1], "y": [2]})
    table = describe_arrow(name, data)
    rows = run_select(
        Query(f"SELECT {identifier(name)} FROM {identifier(name)}"),
        Relations((table,), (), {table.source: lambda: data}),
    )
    assert rows.to_pydict() == {name: [1]}


@pytest.mark.parametrize("value", [None, True, False, 0, -3, 2.5, 1e300, "it's"])
def test_values_of_every_kind(value: Scalar) -> None:
    assert duckdb.sql(f"SELECT {literal(value)}").fetchall() == [(value,)]


def test_struct_of_hostile_names() -> None:
    names = dict.fromkeys(HOSTILE, "VARCHAR")
    assert duckdb.sql(f"SELECT {struct(names)}").fetchall() == [(names,)]
