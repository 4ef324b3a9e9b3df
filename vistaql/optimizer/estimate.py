"""Sizes of a query before anything of it has run, from what the catalog counted when its objects were made."""

from __future__ import annotations

from vistaql.logical.nodes import Explore, Export, Filter, Join, JoinKind, Sample, ScanTable, images_of, rows_of
from vistaql.physical.sizes import Sizes
from vistaql.stores.tables import ColumnType

# Selinger et al. (1979): the share of rows a predicate keeps when nothing is known about its columns.
PREDICATE_SELECTIVITY = 1 / 3

# What a text column becomes when its levels are not counted yet.
ENCODED_TEXT = 8

USUAL_CLASSES = 10
USUAL_PIXELS = 500.0 * 375.0


def estimate(query: Explore | Export) -> Sizes:
    """Rows and images as the catalog knows them; `exact` is false.

    An inner join keeps as many images as the smaller side has rows; a predicate keeps a third.
    """
    rows_node = rows_of(query)
    images = images_of(query).images
    count = images.statistics.count
    rows = float(count)
    table_bytes = 0
    for node in rows_node.walk():
        match node:
            case Join(_, right, kind, _):
                table_bytes += right.table.bytes
                # Only the first table has a row for each image; later ones are looked up in.
                first = not isinstance(node.left, Join)
                rows = min(rows, right.table.rows) if kind is JoinKind.INNER and first else rows
            case Filter():
                rows *= PREDICATE_SELECTIVITY
            case Sample(_, amount, percent, _):
                rows = rows * amount / 100 if percent else min(rows, amount)
    kept = max(1, round(rows))
    return Sizes(
        images=kept,
        all_images=count,
        rows=kept,
        columns=encoded_columns(query),
        classes=USUAL_CLASSES,
        image_pixels=images.statistics.mean_pixels or USUAL_PIXELS,
        image_bytes=images.statistics.mean_bytes,
        table_bytes=table_bytes,
        exact=False,
    )


def encoded_columns(query: Explore | Export) -> int:
    """Numbers that the feature columns become."""
    wanted = set(rows_of(query).columns)
    kinds = [
        column.type
        for node in query.walk()
        if isinstance(node, ScanTable)
        for column in node.table.columns
        if f"{node.alias}.{column.name}" in wanted
    ]
    return sum(ENCODED_TEXT if kind is ColumnType.TEXT else 1 for kind in kinds)
