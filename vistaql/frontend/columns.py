"""Which columns a query learns from, and which it predicts."""

from __future__ import annotations

import re

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.joins import key_column
from vistaql.frontend.scope import Scope
from vistaql.logical import nodes
from vistaql.logical.nodes import Predicate
from vistaql.plan.node import Node
from vistaql.stores.image_set import LABEL_COLUMN
from vistaql.stores.tables import ColumnInfo, ColumnType


def bind_label(query: ast.Explore, scope: Scope, relation: Node) -> tuple[Predicate, str]:
    """What is predicted: PREDICT, else the label that a table or the image set declares."""
    if query.label is not None:
        predicate = scope.predicate(query.label)
        return predicate, predicate.words
    declared = [
        (node.alias, node.table.label)
        for node in relation.walk()
        if isinstance(node, nodes.ScanTable) and node.table.label
    ]
    images = nodes.images_of(relation)
    if images.images.label_from_folder and not declared:
        declared = [(images.alias, LABEL_COLUMN.name)]
    if len(declared) != 1:
        raise no_label(query, scope, [f"{alias}.{column}" for alias, column in declared])
    alias, column = declared[0]
    named = ast.Column((ast.Name(alias), ast.Name(str(column))))
    return scope.predicate(named), str(column)


def no_label(query: ast.Explore, scope: Scope, declared: list[str]) -> VistaQLError:
    """Nothing says what is predicted, or too much does."""
    tables = [source for source in scope.sources if not source.is_images]
    columns = [info.name for source in tables for info in source.columns]
    if declared:
        message, hint = f"{len(declared)} tables declare a label.", f"Add PREDICT {' or PREDICT '.join(declared)}."
    elif tables:
        message = "Nothing is predicted: no table declares a label, and there is no PREDICT."
        hint = f"Add PREDICT column. The columns are: {', '.join(columns[:20])}."
    else:
        message = f"Nothing is predicted: {scope.sources[0].alias} has no label, and no table is joined."
        hint = "JOIN the table that holds the label; where folders are classes, CREATE IMAGES .. LABEL FROM FOLDER."
    return VistaQLError(Code.NO_LABEL, message, span=Span(query.span.end, query.span.end), hint=hint)


# Columns of text that hold where a file is; as features they would only name the row.
PATH_COLUMN = re.compile(r"(?:.*_)?(?:path|file|filename|file_name|url|uri)$|image$", re.IGNORECASE)


def bind_features(
    features: ast.Features | None, scope: Scope, relation: Node, label: Predicate, split: str | None
) -> tuple[str, ...]:
    """Feature columns. `*` leaves out keys, join, path and split columns, and the label."""
    if features is not None and features.columns is not None:
        named = [(scope.resolve(column), column.span) for column in features.columns]
        for (source, info), span in named:
            if source.qualified(info.name) in label.columns:
                raise VistaQLError(
                    Code.BAD_EXPRESSION,
                    f"{info.name} is what is predicted; as a feature it would give the answer away.",
                    span=span,
                    hint="Leave it out of FEATURES.",
                )
        return tuple(dict.fromkeys(source.qualified(info.name) for (source, info), _ in named))
    left_out = [scope.resolve(column) for column in (features.excluded if features else ())]
    excluded = {source.qualified(info.name) for source, info in left_out}
    out = {*label.columns, *excluded, *key_columns(relation), *([split] if split else [])}
    kept = [
        source.qualified(info.name)
        for source in scope.sources
        if not source.is_images
        for info in source.columns
        if source.qualified(info.name) not in out and not holds_path(info)
    ]
    return tuple(kept)


def holds_path(column: ColumnInfo) -> bool:
    """Whether a column names files."""
    return column.type is ColumnType.TEXT and bool(PATH_COLUMN.match(column.name))


def key_columns(relation: Node) -> set[str]:
    """Declared keys, and columns that joins compare."""
    found: set[str] = set()
    for node in relation.walk():
        if isinstance(node, nodes.ScanTable):
            found.update(f"{node.alias}.{key_column(node.table, key)}" for key in node.table.key)
        elif isinstance(node, nodes.Join):
            found.update(node.condition.columns)
    return found
