"""Read only the columns that somebody names."""

from __future__ import annotations

from dataclasses import replace

from vistaql.logical.nodes import Decode, Filter, Join, Rows, ScanImages, ScanTable
from vistaql.plan.node import Node
from vistaql.plan.rewrite import transform


def project_early(node: Node) -> Node:
    """Leave out columns of tables and images that no join, filter, feature, label or split names.

    A table of text files is parsed for the named columns only. Width and height of an image stand in its file, which
    is opened for them only where one of them is named; decoding needs none.

    >>> from vistaql.stores.image_set import FolderSource, ImageSet
    >>> photos = ScanImages(ImageSet("photos", FolderSource("photos")), "p")
    >>> project_early(Rows(photos, ("p.width",))).rows.columns
    ('key', 'width')
    """
    match node:
        case Rows(rows):
            wanted = frozenset((*node.named, *compared(rows)))
            return transform(node, lambda scan: narrowed(scan, wanted))
        case Decode(images):
            return node.map_inputs(lambda scan: narrowed(scan, frozenset()) if scan is images else scan)
    return node


def compared(rows: Node) -> tuple[str, ...]:
    """The columns that joins and filters compare."""
    found: list[str] = []
    for node in rows.walk():
        match node:
            case Join(_, _, _, condition):
                found += condition.columns
            case Filter(_, predicate):
                found += predicate.columns
    return tuple(found)


def narrowed(scan: Node, wanted: frozenset[str]) -> Node:
    """A scan of the wanted columns; that of images has their key in any case."""
    match scan:
        case ScanImages(images, alias):
            key = images.columns[0].name
            names = tuple(item.name for item in images.columns if item.name == key or f"{alias}.{item.name}" in wanted)
        case ScanTable(table, alias):
            names = tuple(item.name for item in table.columns if f"{alias}.{item.name}" in wanted)
        case _:
            return scan
    return scan if scan.columns == names else replace(scan, columns=names)
