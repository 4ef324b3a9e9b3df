"""Rows joined on Spark are the rows joined in process: the same values of the same types, and the same counts."""

from __future__ import annotations

import csv
import random

import pyarrow as pa
import pytest

from tests.spark.conftest import Both
from vistaql.engines.inprocess.prepare import Prepared, prepare
from vistaql.engines.inprocess.relational import join_rows
from vistaql.engines.spark.relational import SparkJoiner
from vistaql.errors import VistaQLError
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.settings import JoinMethod

# Minutes on two cores.
pytestmark = pytest.mark.volume

ODD = (
    ("sku", "n", "price", "when", "stamp", "note", "flag", "seller"),
    [
        ("p006", 1, "1.50", "2024-01-31", "2024-01-31 10:00:00.25", "it's", "true", 7),
        ("p007", "", "2.25", "", "", "", "false", 8),
        ("p008", 3, "", "2023-12-01", "2020-02-29 23:59:59", "a,b", "", 7),
        ("p009", -4, "10.00", "2022-06-15", "1999-01-01 00:00:00", "back\\slash", "true", 9),
        ("p009", -5, "10.00", "2022-06-15", "1999-01-01 00:00:00", "back\\slash", "true", 7),
        ("p010", 9, "0.01", "2022-06-16", "", "ünï", "false", ""),
        ("p011", 2, "7.00", "2024-03-01", "", "x", "true", 8),
        ("none", 2, "7.00", "2024-03-01", "", "x", "true", 7),
    ],
)

QUERIES = [
    "JOIN odd USING (sku)",
    "JOIN odd USING (sku) WHERE n > 0",
    "LEFT JOIN odd USING (sku) WHERE note IS NULL OR note IN ('it''s', 'a,b', 'back\\slash')",
    "JOIN odd USING (sku) WHERE price >= 2.25 AND flag",
    "JOIN odd USING (sku) WHERE lower(note) LIKE '%b%' OR year(when) = 2022",
    "JOIN odd USING (sku) WHERE n BETWEEN -4 AND 3 SAMPLE 3 ROWS",
    "JOIN odd USING (sku) JOIN sellers ON odd.seller = sellers.id WHERE town <> 'Ulm'",
    "JOIN odd USING (sku) LEFT JOIN sellers ON odd.seller = sellers.id",
    "JOIN odd ON photos.key = odd.sku AND odd.n > 1",
    "JOIN packed_rows USING (sku) WHERE width > 100",
    "JOIN in_memory USING (sku) WHERE n >= 2",
    "JOIN parts USING (sku) WHERE n <> 3",
]


@pytest.fixture(scope="module")
def tables(both: Both) -> Both:
    """Odd values, a second table, a table in Parquet, one in memory, and one in several files."""
    folder = both.folder
    for name, (header, rows) in {
        "odd": ODD,
        "sellers": (("id", "town"), [(7, "Ulm"), (8, "Bonn"), (11, "Kiel")]),
        "parts/1": (("sku", "n"), [("p006", 1), ("p007", 2)]),
        "parts/2": (("sku", "n"), [("p008", 3), ("p009", 4)]),
    }.items():
        (folder / f"{name}.csv").parent.mkdir(exist_ok=True)
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    both.sql(f"CREATE TABLE odd FROM '{folder}/odd.csv' KEY sku; CREATE TABLE sellers FROM '{folder}/sellers.csv';"
             f"CREATE TABLE parts FROM '{folder}/parts/*.csv' KEY sku;"
             'CREATE TABLE packed_rows AS SELECT sku, n, price * 2 AS twice, "when" FROM odd')  # fmt: skip
    rng = random.Random(1)
    data = pa.table({"sku": [f"p{place:03}" for place in range(40)], "n": [rng.randrange(5) for _ in range(40)]})
    for session in (both.here, both.spark):
        session.register("in_memory", data, key="sku")
    return both


def prepared(both: Both, rest: str, method: JoinMethod | None, *, on_spark: bool) -> Prepared:
    """The rows of a query, joined on Spark or here."""
    statement = parse(f"EXPLORE LAYERS fc5 OF strokes FROM photos {rest} PREDICT sku <> 'p007' TRAIN lr").statements[0]
    bound = bind_query(statement, both.here.context({}, None)).rewritten()  # type: ignore[arg-type]
    memory = {item.table.source: item.data for item in both.here.registered.values()}
    session = both.spark.spark
    join = SparkJoiner(session, method, "rows") if on_spark and session else join_rows
    return prepare(bound.plan, bound.reduction, memory, 1, join)


def outcome(both: Both, rest: str, method: JoinMethod | None, *, on_spark: bool) -> Prepared | str:
    """The rows, or the error."""
    try:
        return prepared(both, rest, method, on_spark=on_spark)
    except VistaQLError as error:
        return str(error)


@pytest.mark.parametrize("rest", QUERIES)
def test_rows_on_spark_are_the_rows_in_process(rest: str, tables: Both) -> None:
    """Values, types, order, counts, classes and sizes; or the same error."""
    expected = outcome(tables, rest, None, on_spark=False)
    for method in (None, JoinMethod.BROADCAST, JoinMethod.SHUFFLE)[: 3 if "town" in rest else 1]:
        found = outcome(tables, rest, method, on_spark=True)
        if isinstance(expected, str) or isinstance(found, str):
            assert found == expected
            continue
        assert found.joined.table.equals(expected.joined.table)
        assert found.joined.counts == expected.joined.counts
        assert found.sizes == expected.sizes
        assert found.learnable.keys == expected.learnable.keys
