"""How a table joins what stands before it: USING, ON, or the declared keys."""

from __future__ import annotations

from dataclasses import replace

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.scope import Scope, Source, equality
from vistaql.logical import nodes
from vistaql.logical.nodes import Predicate
from vistaql.plan.node import Node
from vistaql.stores.tables import ColumnInfo, ColumnType, Table


def bind_join(join: ast.Join, table: Table, alias: str, relation: Node, scope: Scope) -> tuple[nodes.Join, Scope]:
    """The join over what stands before it, and the scope behind it."""
    right = Source(alias, table.columns, is_images=False)
    wider = replace(scope, sources=(*scope.sources, right))
    kind = nodes.JoinKind.LEFT if join.kind is ast.JoinKind.LEFT else nodes.JoinKind.INNER
    if join.condition is not None:
        as_text = compared_with_key(join.condition, wider)
        wider = replace(scope, sources=(*scope.sources, reads_as_text(right, as_text)))
        condition = wider.condition(join.condition)
        refuse_loose(join.condition, condition, right, scope)
        return nodes.Join(relation, nodes.ScanTable(table, alias, as_text), kind, condition), wider
    if join.using:
        pairs = [(left_of(name, scope, join), right_of(name, right)) for name in join.using]
        span = join.using[0].span.to(join.using[-1].span)
    else:
        pairs = declared_pairs(join, table, right, scope)
        span = join.right.span
    # Keys of images are text, and what is compared with them is read as text.
    pairs = [(left, replace(info, type=ColumnType.TEXT) if left[0].is_images else info) for left, info in pairs]
    condition = using(pairs, right, span)
    as_text = tuple(info.name for (source, _), info in pairs if source.is_images)
    same = tuple((source.qualified(column.name), right.qualified(info.name)) for (source, column), info in pairs)
    wider = replace(scope, sources=(*scope.sources, reads_as_text(right, as_text)), same=(*scope.same, *same))
    return nodes.Join(relation, nodes.ScanTable(table, alias, as_text), kind, condition), wider


def using(pairs: list[tuple[tuple[Source, ColumnInfo], ColumnInfo]], right: Source, span: Span) -> Predicate:
    """The condition of USING, or of the declared keys."""
    columns = (
        name for (source, column), info in pairs for name in (source.qualified(column.name), right.qualified(info.name))
    )
    return Predicate(
        " AND ".join(equality(left, (right, info)) for left, info in pairs),
        tuple(dict.fromkeys(columns)),
        "USING (" + ", ".join(info.name for _, info in pairs) + ")",
        (span.start, span.end),
    )


def reads_as_text(right: Source, names: tuple[str, ...]) -> Source:
    """The source with the columns that are compared with the images' key as they are read: as text."""
    return replace(
        right,
        columns=tuple(
            replace(column, type=ColumnType.TEXT) if column.name in names else column for column in right.columns
        ),
    )


def compared_with_key(expression: ast.Expression, scope: Scope) -> tuple[str, ...]:
    """Columns of the last source that an ON sets equal to the images' key."""
    match expression:
        case ast.Binary(ast.Operator.AND | ast.Operator.OR, left, right):
            return tuple(dict.fromkeys((*compared_with_key(left, scope), *compared_with_key(right, scope))))
        case ast.Binary(ast.Operator.EQ, ast.Column() as left, ast.Column() as right):
            sides = [scope.resolve(left), scope.resolve(right)]
            images, joined = scope.sources[0], scope.sources[-1]
            keys = [source is images and info is key_of(images) for source, info in sides]
            return tuple(
                info.name
                for (source, info), other in zip(sides, reversed(keys), strict=True)
                if other and source is joined
            )
    return ()


def refuse_loose(expression: ast.Expression, condition: Predicate, right: Source, scope: Scope) -> None:
    """Raise NO_COMMON_KEY for a condition that does not compare the two sides: every image would meet every row."""
    sides = {column.startswith(f"{right.alias}.") for column in condition.columns}
    if sides != {True, False}:
        key = scope.sources[0].qualified(key_of(scope.sources[0]).name)
        raise VistaQLError(
            Code.NO_COMMON_KEY,
            f"The condition does not compare '{right.alias}' with what stands before it.",
            span=expression.span,
            hint=f"Write ON {key} = {right.alias}.column; other conditions follow WHERE.",
        )


def left_of(name: ast.Name, scope: Scope, join: ast.Join) -> tuple[Source, ColumnInfo]:
    """The column before the join that USING means: of an earlier table, else the key of the images."""
    for source in scope.sources:
        info = None if source.is_images else source.column(name.text)
        if info:
            return first_equal(source, info, scope)
    images = scope.sources[0]
    if len(join.using) == 1 or images.column(name.text):
        return images, images.column(name.text) or key_of(images)
    raise VistaQLError(
        Code.NO_COMMON_KEY,
        f"No source before this join has a column '{name.text}'.",
        span=name.span,
        hint=f"With one column, USING ({name.text}) compares it with the key of {images.alias}.",
    )


def first_equal(source: Source, info: ColumnInfo, scope: Scope) -> tuple[Source, ColumnInfo]:
    """The key of the images, where a join made the column equal to it: a left join leaves the column empty."""
    images = scope.sources[0]
    equal = (images.qualified(key_of(images).name), source.qualified(info.name))
    return (images, key_of(images)) if equal in scope.same else (source, info)


def right_of(name: ast.Name, right: Source) -> ColumnInfo:
    """The column of the joined table that USING means."""
    info = right.column(name.text)
    if info is None:
        known = [column.name for column in right.columns]
        raise VistaQLError(
            Code.UNKNOWN_COLUMN,
            f"There is no column '{name.text}' in '{right.alias}'.",
            span=name.span,
            hint=did_you_mean(name.text, known, "columns"),
        )
    return info


def declared_pairs(
    join: ast.Join, table: Table, right: Source, scope: Scope
) -> list[tuple[tuple[Source, ColumnInfo], ColumnInfo]]:
    """The declared key of the table, against an earlier table that has such columns, else the key of the images."""
    if not table.key:
        images = scope.sources[0]
        columns = ", ".join(column.name for column in table.columns[:20])
        declare = f", or KEY (column) to CREATE TABLE {table.name}" if isinstance(join.right.source, ast.Name) else ""
        raise VistaQLError(
            Code.NO_COMMON_KEY,
            f"'{right.alias}' declares no key, so nothing says how it joins '{images.alias}'.",
            span=join.right.span,
            hint=f"Add USING (column) here{declare}. Its columns are: {columns}.",
        )
    infos = [right_of(ast.Name(key), right) for key in table.key]
    earlier = [
        [(source, info) for source in scope.sources if not source.is_images and (info := source.column(key))]
        for key in table.key
    ]
    if all(earlier):
        return [(first_equal(*found[0], scope), info) for found, info in zip(earlier, infos, strict=True)]
    if len(infos) == 1:
        return [((scope.sources[0], key_of(scope.sources[0])), infos[0])]
    raise VistaQLError(
        Code.NO_COMMON_KEY,
        f"The key of '{right.alias}' has {len(infos)} columns; the images have one.",
        span=join.right.span,
        hint=f"Write the join out: ON {scope.sources[0].qualified(key_of(scope.sources[0]).name)} = "
        f"{right.qualified(infos[0].name)}, and AND for the others: {', '.join(info.name for info in infos[1:])}.",
    )


def key_of(images: Source) -> ColumnInfo:
    """The key of an image set."""
    return images.columns[0]


def key_column(table: Table, key: str) -> str:
    """A declared key as the table spells it."""
    return next((column.name for column in table.columns if column.name.casefold() == key.casefold()), key)
