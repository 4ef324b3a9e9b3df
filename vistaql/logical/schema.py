"""What a logical plan gives, and whether every column it names is there: what no rewrite may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vistaql.learners import Learner
from vistaql.logical.nodes import (
    Assemble,
    Evaluation,
    Explore,
    Export,
    Filter,
    Join,
    PoolLayer,
    Reduce,
    Reduction,
    Rows,
    ScanImages,
    ScanTable,
    Together,
)  # fmt: skip
from vistaql.models.pool import Pool
from vistaql.plan.node import Node


@dataclass(frozen=True)
class Vector:
    """The features of a layer: equal ones are equal numbers."""

    cnn: str
    layer: str
    pool: Pool
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
    """What a query gives, in order: rows of an answer, or columns of a file."""

    trained: tuple[Trained, ...] = ()
    best_alone: bool = False
    exported: tuple[Vector, ...] = ()
    queries: tuple[Schema, ...] = ()


def schema_of(plan: Node) -> Schema:
    """What a query gives."""
    match plan:
        case Explore(trainings, best_alone):
            found = tuple(trained(item.matrix, item.learner, item.evaluation) for item in trainings)
            return Schema(found, best_alone)
        case Export(features):
            return Schema(exported=tuple(vector for item in features if (vector := vector_of(item))))
        case Together(queries):
            return Schema(queries=tuple(map(schema_of, queries)))
    message = f"{type(plan).__name__} is not a query"
    raise ValueError(message)


def trained(matrix: Assemble, learner: Learner, evaluation: Evaluation) -> Trained:
    """What one training learns from."""
    label = matrix.rows.label.sql if matrix.rows.label else None
    return Trained(vector_of(matrix.features), matrix.rows.columns, label, learner, evaluation)


def vector_of(features: Node | None) -> Vector | None:
    """What the features are, wherever they come from."""
    pooled, reduction = (features.features, features.reduction) if isinstance(features, Reduce) else (features, None)
    if not isinstance(pooled, PoolLayer):
        return None
    return Vector(pooled.tensor.cnn.digest, pooled.tensor.layer, pooled.pool, reduction)


def missing_columns(plan: Node) -> tuple[str, ...]:
    """Columns that a step names and no step below it gives."""
    missing: list[str] = []
    for node in plan.walk():
        match node:
            case Filter(rows, predicate):
                names, below = predicate.columns, rows
            case Join(_, _, _, condition):
                names, below = condition.columns, node
            case Rows(rows, columns, label, split):
                names = (*columns, *(label.columns if label else ()), *((split,) if split else ()))
                below = rows
            case _:
                continue
        missing += [name for name in names if not given(below, name)]
    return tuple(missing)


def given(rows: Node, name: str) -> bool:
    """Whether some scan gives a column. What an image set has is known to its source only."""
    # An alias can have a dot of its own.
    for node in rows.walk():
        match node:
            case ScanImages(_, alias) if name.startswith(f"{alias}."):
                return True
            case ScanTable(table, alias) if any(name == f"{alias}.{item.name}" for item in table.columns):
                return True
    return False


def same_schema(plan: Node) -> Callable[[Node], None]:
    """A check that a rewritten plan still gives what this one gives; raises ValueError where it does not.

    >>> from vistaql.logical.nodes import Export, Rows, ScanImages
    >>> rows = Rows(ScanImages(None, "photos"), ())
    >>> check = same_schema(Export((), rows, "all.parquet"))
    >>> check(Export((), Rows(rows.rows, ("items.price",)), "all.parquet"))
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
