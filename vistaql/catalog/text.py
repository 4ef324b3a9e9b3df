"""Objects as the statements that make them."""

from __future__ import annotations

import re

from vistaql.stores.image_set import (
    FolderSource,
    GlobSource,
    ImageSet,
    KeyKind,
    KeyRule,
    ParquetBytesSource,
    Source,
    TableColumnSource,
)
from vistaql.stores.options import Options
from vistaql.stores.quoting import Scalar, identifier, literal
from vistaql.stores.tables import Table

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A name that is one of these would be read as the start of a clause.
CLAUSES = frozenset({"if", "or"})


def name_text(name: str) -> str:
    """A name, in quotes where it needs them.

    >>> name_text("products"), name_text("my table")
    ('products', '"my table"')
    """
    return name if PLAIN.fullmatch(name) and name.casefold() not in CLAUSES else identifier(name)


def value_text(value: Scalar) -> str:
    """A literal.

    >>> value_text(True), value_text("it's"), value_text(0.01)
    ('true', "'it''s'", '0.01')
    """
    return literal(value)


def options_text(options: Options) -> str:
    """The WITH clause, with a space before it; empty without options."""
    if not options:
        return ""
    return f" WITH ({', '.join(f'{name_text(name)} = {value_text(value)}' for name, value in options)})"


def create_table_text(table: Table) -> str:
    """CREATE TABLE as it can be typed again."""
    key = f" KEY ({', '.join(map(name_text, table.key))})" if table.key else ""
    label = f" LABEL {name_text(table.label)}" if table.label else ""
    start = f"CREATE TABLE {name_text(table.name)}"
    if table.query is not None:
        # A comment at the end of the query would swallow what stands behind it on the line.
        end = "\n;" if "--" in table.query.rsplit("\n", 1)[-1] else ";"
        return f"{start}{key}{label} AS {table.query.strip()}{end}"
    return (
        f"{start} FROM {value_text(table.source)} FORMAT {table.format.value}{key}{label}{options_text(table.options)};"
    )


def create_images_text(images: ImageSet) -> str:
    """CREATE IMAGES as it can be typed again."""
    label = " LABEL FROM FOLDER" if images.label_from_folder else ""
    usual = ImageSet(images.name, images.source)
    options = list(_options(images.source))
    if images.on_error is not usual.on_error:
        options.append(("on_error", images.on_error.value))
    if images.max_bad != usual.max_bad:
        options.append(("max_bad", images.max_bad))
    return (
        f"CREATE IMAGES {name_text(images.name)} FROM {_source(images.source)} "
        f"KEY FROM {_key(images.key)}{label}{options_text(tuple(options))};"
    )


def _source(source: Source) -> str:
    match source:
        case FolderSource(place) | GlobSource(place):
            return value_text(place)
        case TableColumnSource(table, column, folder) if not source.manifest:
            inside = f" IN {value_text(folder)}" if source.confined else ""
            return f"{name_text(table.name)} COLUMN {name_text(column)}{inside}"
        case TableColumnSource(table) | ParquetBytesSource(table):
            return value_text(table.source)


def _options(source: Source) -> Options:
    match source:
        case TableColumnSource(table, column) if source.manifest:
            return (("path_column", column), *table.options)
        case ParquetBytesSource(_, column):
            return (("bytes_column", column),)
        case _:
            return ()


def _key(rule: KeyRule) -> str:
    if rule.argument is None:
        return rule.kind.value
    argument = name_text(rule.argument) if rule.kind is KeyKind.COLUMN else value_text(rule.argument)
    return f"{rule.kind.value} {argument}"
