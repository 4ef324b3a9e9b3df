"""What a logical plan gives, and whether every column it names is there: what no rewrite may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vistaql.learners import Learner
from vistaql.logical.evaluation import Evaluation
from vistaql.logical.nodes import (
    Explore,
    Export,
    Features,
    Filter,
    Join,
    Reduce,
    Reduction,
    Rows,
    ScanImages,
    ScanTable,
    Together,
    Train,
    layer_of,
    rows_of,
)  # fmt: skip
from vistaql.models.equal_layers import origin
from vistaql.models.output import Output
from vistaql.plan.node import Node


@dataclass(frozen=True)
class Vector:
    """The features of a layer: equal ones are equal numbers, whatever the layer is called."""

    cnn: str
    output: Output
    reduction: Reduction | None


@dataclass(frozen=True)
class Trained:
    """One row of an answer: what is learnt from, how, and how it is judged."""

    features: Vector | None
    columns: tuple[str, ...]
    label: str | None
    learner: Learner
    evaluation: Evaluation


@dataclass(frozen=True)
class Schema:
    """What a query gives, in order and each once: rows of an answer, or columns of a file."""

    trained: tuple[Trained, ...] = ()
    best_alone: bool = False
    exported: tuple[Vector, ...] = ()
    queries: tuple[Schema, ...] = ()


def schema_of(plan: Node) -> Schema:
    """What a query gives."""
    match plan:
        case Explore(_, best_alone):
            return Schema(tuple(dict.fromkeys(trained(*item) for item in plan.answers)), best_alone)
        case Export(features):
            return Schema(exported=tuple(dict.fromkeys(map(vector_of, features))))
        case Together(queries):
            return Schema(queries=tuple(map(schema_of, queries)))
    message = f"{type(plan).__name__} is not a query"
    raise ValueError(message)


def trained(training: Train, learner: Learner) -> Trained:
    """What one row of an answer is learnt from."""
    rows, features = training.matrix.source, training.matrix.features
    label = rows.label.sql if rows.label else None
    return Trained(vector_of(features) if features else None, rows.columns, label, learner, training.evaluation)


def vector_of(features: Features) -> Vector:
    """What the features are, wherever they come from."""
    layer, reduction = layer_of(features), features.reduction if isinstance(features, Reduce) else None
    return Vector(layer.cnn.digest, origin(layer.cnn, Output(layer.layer, layer.pool)), reduction)


def missing_columns(plan: Node) -> tuple[str, ...]:
    """Columns that a step names and no step below it gives."""
    missing: list[str] = []
    for node in dict.fromkeys(node for rows in relations_of(plan) for node in rows.walk()):
        match node:
            case Filter(rows, predicate):
                names, below = predicate.columns, rows
            case Join(_, _, _, condition):
                names, below = condition.columns, node
            case Rows(rows):
                names, below = node.named, rows
            case _:
                continue
        given = given_by(below)
        missing += [name for name in names if name not in given]
    return tuple(missing)


def relations_of(plan: Node) -> tuple[Rows, ...]:
    """The rows of a query, or of several, each once."""
    match plan:
        case Explore(trainings):
            return tuple(dict.fromkeys(item.matrix.source for item in trainings))
        case Together(queries):
            return tuple(rows for query in queries for rows in relations_of(query))
    return (rows_of(plan),)


def given_by(rows: Node) -> frozenset[str]:
    """The columns that the scans below give."""
    scans = (node for node in rows.walk() if isinstance(node, ScanTable | ScanImages))
    return frozenset(f"{scan.alias}.{column.name}" for scan in scans for column in scan.reads)


def same_schema(plan: Node) -> Callable[[Node], None]:
    """A check that a rewritten plan still gives what this one gives; raises ValueError where it does not.

    >>> from vistaql.logical.nodes import Export, Rows, ScanTable
    >>> from vistaql.stores.tables import ColumnInfo, ColumnType, Table, TableFormat
    >>> items = Table("items", "i.csv", TableFormat.CSV, (ColumnInfo("price", ColumnType.NUMBER, "DOUBLE"),))
    >>> rows = Rows(ScanTable(items, "items"), ("items.price",))
    >>> check = same_schema(Export((), rows, "all.parquet"))
    >>> check(Export((), Rows(ScanTable(items, "items", columns=()), rows.columns), "all.parquet"))
    Traceback (most recent call last):
        ...
    ValueError: a rewritten plan reads items.price, which no step below gives
    """
    before = schema_of(plan)

    def check(after: Node) -> None:
        if missing := missing_columns(after):
            message = f"a rewritten plan reads {', '.join(missing)}, which no step below gives"
            raise ValueError(message)
        if schema_of(after) != before:
            message = "a rewritten plan gives something else"
            raise ValueError(message)

    return check
