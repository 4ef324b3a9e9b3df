"""How far Spark has come, from its own counters, which executors send with every heartbeat and after each task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KERNEL = "MapInArrow"
ROWS = "number of output rows"


def images_done(spark: SparkSession, description: str) -> int:
    """Rows that have come out of the kernel in the newest query of this description; 0 before there is one.

    A worker sends vectors when 64 KiB of them are together, and executors tell every two seconds.
    """
    # Spark keeps these numbers for its pages, and shows them to Python in no other way. They are kept where
    # the pages are turned off as well.
    store: Any = spark._jsparkSession.sharedState().statusStore()  # noqa: SLF001
    done = 0
    for query in items(store.executionsList()):
        if query.description() == description:
            done = rows_of(store, query.executionId())
    return done


def rows_of(store: Any, query: int) -> int:
    """Rows out of the outermost kernel of a query; those below it belong to readers, and to passes that are over."""
    nodes = [node for node in items(store.planGraph(query).allNodes()) if node.name() == KERNEL]
    if not nodes:
        return 0
    kernel = min(nodes, key=lambda node: int(node.id()))
    values = store.executionMetrics(query)
    for metric in items(kernel.metrics()):
        if metric.name() == ROWS:
            value = values.get(metric.accumulatorId())
            return number(value.get()) if value.isDefined() else 0
    return 0


def items(sequence: Any) -> Iterator[Any]:
    """The items of a sequence of Scala."""
    yield from items_of(sequence.iterator())


def items_of(iterator: Any) -> Iterator[Any]:
    """What an iterator of Scala gives."""
    while iterator.hasNext():
        yield iterator.next()


def number(text: str) -> int:
    """A number as Spark's pages show it.

    >>> number("1,024"), number("12")
    (1024, 12)
    """
    return int(text.replace(",", ""))
