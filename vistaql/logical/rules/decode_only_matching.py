"""Join and filter before inference: decode only the images that have a row."""

from __future__ import annotations

from dataclasses import replace

from vistaql.logical.nodes import Decode, Explore, Export, Filter, Join, JoinKind, Rows, Sample, rows_of
from vistaql.plan.node import Node
from vistaql.plan.rewrite import transform


def decode_only_matching(node: Node) -> Node:
    """Decode only images that have a row, where the rows do not keep every image anyway.

    A row costs microseconds and an image milliseconds, so the structured part always runs first.

    >>> from vistaql.logical.nodes import ScanImages
    >>> photos = ScanImages(None, "photos")
    >>> every, some = Rows(photos, ()), Rows(Sample(photos, 10, percent=False, seed=1), ())
    >>> plans = [decode_only_matching(Export((Decode(photos, (64, 64)),), rows, "features")) for rows in (every, some)]
    >>> [plan.features[0].rows == (some,) for plan in plans]
    [False, True]
    """
    if not isinstance(node, Explore | Export):
        return node
    rows = rows_of(node)
    if keeps_every_image(rows):
        return node
    return transform(
        node, lambda inner: replace(inner, rows=(rows,)) if isinstance(inner, Decode) and not inner.rows else inner
    )


def keeps_every_image(rows: Rows) -> bool:
    """Whether no image can be left without a row; a label that is missing drops its row."""
    drops = (Filter, Sample)
    inner = any(isinstance(node, Join) and node.kind is JoinKind.INNER for node in rows.walk())
    labelled_by_table = rows.label is not None and any(isinstance(node, Join) for node in rows.walk())
    return not inner and not labelled_by_table and not any(isinstance(node, drops) for node in rows.walk())
