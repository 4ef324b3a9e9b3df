"""Completion inside SELECT, whose text the grammar hands on as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from vistaql.catalog.catalog import LAST
from vistaql.frontend import ast
from vistaql.repl.place import Offer, World
from vistaql.repl.surroundings import Surroundings
from vistaql.stores.quoting import typed
from vistaql.stores.tables import ColumnInfo

SQL_KEYWORDS = (
    "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN", "USING", "ON", "AS", "AND", "OR",
    "NOT", "IN", "IS NULL", "LIKE", "BETWEEN", "DISTINCT", "DESC", "CASE", "WHEN", "THEN", "ELSE", "END", "UNION ALL",
    "count(*)", "avg(", "min(", "max(", "sum(",
)  # fmt: skip
BEFORE_RELATIONS = ("FROM", "JOIN", "SUMMARIZE", "DESCRIBE")


def sql_offers(around: Surroundings, world: World) -> Iterator[Offer]:
    """Relations after FROM and JOIN; elsewhere the columns of the relations named, and the words of SQL."""
    last = around.before[-1].folded if around.before else ""
    if last in BEFORE_RELATIONS:
        yield from relations(world)
        return
    named = [
        following.name
        for word, following in zip(around.words, around.words[1:], strict=False)
        if word.folded in BEFORE_RELATIONS and following.is_name
    ]
    for name in dict.fromkeys(named):
        yield from (Offer(typed(info.name), f"{info.type.value}, {name}") for info in columns_of(name, world))
    yield from (Offer(word) for word in SQL_KEYWORDS)


def relations(world: World) -> Iterator[Offer]:
    """Everything a SELECT can name."""
    yield from (Offer(typed(table.name), f"table, {table.rows:,} rows") for table in world.tables)
    yield from (Offer(typed(one.name), f"images, {one.statistics.count:,}") for one in world.image_sets)
    yield from (Offer(typed(name), "result") for name in world.names.names(ast.ObjectKind.RESULT))
    yield Offer(LAST, "the last result")


def columns_of(name: str, world: World) -> tuple[ColumnInfo, ...]:
    """The columns of a table or an image set."""
    found = world.names.table(name) or world.names.images(name)
    return found.columns if found else ()
