"""CREATE and DROP: look first, then write all of it in one transaction, then tell what was found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from vistaql.catalog.catalog import Catalog, Kind, article
from vistaql.catalog.matches import Match, key_matches
from vistaql.catalog.text import create_images_text, create_table_text, name_text
from vistaql.errors import Code, VistaQLError
from vistaql.models import roster
from vistaql.outcome import Report
from vistaql.stores.duck import UNLIMITED, Limits
from vistaql.stores.image_set import ImageSet, KeyRule, TableColumnSource
from vistaql.stores.options import Options
from vistaql.stores.quoting import identifier
from vistaql.stores.relations import Query, Relations, create_table_as, sweep
from vistaql.stores.tables import Table, describe_table, scan_sql
from vistaql.units import format_size

TABLES = "tables"
# A file that no name leads to is left alone this long: the statement that wrote it may not have ended.
ORPHAN_SECONDS = 86_400.0
MOST_COLUMNS = 40


@dataclass(frozen=True)
class Existing:
    """What a CREATE does with a name that is there: OR REPLACE, IF NOT EXISTS, or the error."""

    replace: bool = False
    keep: bool = False


FRESH = Existing()


def create_table(
    catalog: Catalog,
    name: str,
    source: str | Query,
    *,
    format_word: str | None = None,
    key: tuple[str, ...] = (),
    label: str | None = None,
    options: Options = (),
    existing: Existing = FRESH,
    relations: Relations | None = None,
    limits: Limits = UNLIMITED,
) -> Report:
    """CREATE TABLE from a path, or from a query over `relations`."""
    kept = _kept(catalog, Kind.TABLE, name, existing)
    if kept is not None:
        return kept
    folder = catalog.home / TABLES
    before = catalog.table(name)
    if isinstance(source, Query):
        known = relations or Relations()
        table = create_table_as(name, source, known, folder, key=key, label=label, limits=limits)
    else:
        table = describe_table(name, source, format_word, key, label, options)
    try:
        matches = key_matches(catalog, table)
        lines, facts = _table_found(table)
        with catalog.transaction() as writer:
            writer.put_table(table, create_table_text(table), replacing=existing.replace)
    except BaseException:
        _forget_file(table, folder)
        raise
    _forget_file(before, folder)
    sweep(folder, frozenset(known.source for known in catalog.tables()), time.time() - ORPHAN_SECONDS)
    return _report(lines, facts, matches)


def create_images(
    catalog: Catalog,
    name: str,
    source: str,
    *,
    column: str | None = None,
    folder: str | None = None,
    key: KeyRule | None = None,
    label_from_folder: bool = False,
    options: Options = (),
    existing: Existing = FRESH,
) -> Report:
    """CREATE IMAGES from a path, or, with `column`, from the table called `source`, whose column names the files."""
    from vistaql.stores.images import NamedByTable, describe_images

    kept = _kept(catalog, Kind.IMAGES, name, existing)
    if kept is not None:
        return kept
    where: str | NamedByTable = source
    if column is not None:
        table = catalog.table(source)
        if table is None:
            raise catalog.unknown(Kind.TABLE, source)
        where = NamedByTable(table, column, folder)
    images = describe_images(name, where, key, options, label_from_folder=label_from_folder)
    matches = key_matches(catalog, images)
    with catalog.transaction() as writer:
        writer.put_images(images, create_images_text(images), replacing=existing.replace)
    return _report(*_images_found(images), matches)


def drop(catalog: Catalog, kind: Kind, name: str, *, if_exists: bool = False) -> Report:
    """DROP: forget a name. The user's files stay; a file that CREATE TABLE AS wrote goes."""
    entry = catalog.entry(kind, name)
    if entry is None:
        if if_exists:
            return Report((f"There was no {kind.words} {name}.",), (("dropped", None),))
        if kind is Kind.CNN and (built_in := roster.load(name)) is not None:
            raise VistaQLError(
                Code.UNKNOWN_CNN,
                f"{built_in.name} comes with VistaQL, and stays.",
                hint="SHOW CNNS; lists all; DROP CNN takes back what REGISTER CNN did.",
            )
        error, other = catalog.unknown(kind, name), catalog.holder(kind.space, name)
        if other is not None:
            error.hint = f"DROP {other.kind.value} {name_text(other.name)};"
        raise error
    table = catalog.table(name) if kind is Kind.TABLE else None
    with catalog.transaction() as writer:
        for images in catalog.image_sets() if kind is Kind.TABLE else ():
            if _reads(images, name):
                raise VistaQLError(
                    Code.NAME_TAKEN,
                    f"The image set '{images.name}' takes its file names from '{entry.name}'.",
                    hint=f"DROP IMAGES {images.name}; first.",
                )
        writer.drop(kind, name)
    _forget_file(table, catalog.home / TABLES)
    return Report((f"{kind.words} {entry.name} dropped",), (("dropped", entry.name), ("kind", kind.value)))


def _reads(images: ImageSet, table: str) -> bool:
    source = images.source
    return (
        isinstance(source, TableColumnSource)
        and not source.manifest
        and source.table.name.casefold() == table.casefold()
    )


def _kept(catalog: Catalog, kind: Kind, name: str, existing: Existing) -> Report | None:
    """Settle what a name means before any file is looked at; a report if nothing is to be done."""
    holder = catalog.entry(kind, name)
    if holder is not None and existing.keep and not existing.replace:
        return Report((f"{holder.name} is {article(kind.words)} already; nothing was done",), (("created", None),))
    catalog.refuse_taken(kind, name, replacing=existing.replace)
    return None


def _forget_file(table: Table | None, folder: Path) -> None:
    """Remove the file of a table that CREATE TABLE AS wrote, and never one of the user's."""
    if table is not None and table.query is not None and Path(table.source).parent == folder:
        Path(table.source).unlink(missing_ok=True)


Facts = tuple[tuple[str, object], ...]


def _table_found(table: Table) -> tuple[list[str], Facts]:
    size = f"{table.rows:,} rows, {len(table.columns)} columns, {table.format.value}, {format_size(table.bytes)}"
    lines = [f"table {table.name}: {size}", f"columns: {_columns(table)}"]
    if len(table.key) > 1:
        lines.append(f"key: {', '.join(table.key)}")
    elif table.key:
        different, without = _values(table, table.key[0])
        repeated = table.rows - without - different
        lines.append(f"key {table.key[0]}: {different:,} different values{_but(repeated, without)}")
    if table.label:
        different, without = _values(table, table.label)
        lines.append(f"label {table.label}: {different:,} different values{_but(0, without)}")
    columns = [{"name": column.name, "type": column.type.value} for column in table.columns]
    return lines, (
        ("created", "table"), ("name", table.name), ("rows", table.rows), ("bytes", table.bytes),
        ("format", table.format.value), ("key", list(table.key)), ("label", table.label), ("columns", columns),
    )  # fmt: skip


def _columns(table: Table) -> str:
    shown = [f"{column.name} {column.type.value}" for column in table.columns[:MOST_COLUMNS]]
    more = len(table.columns) - MOST_COLUMNS
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _but(repeated: int, without: int) -> str:
    parts = [f"{repeated:,} rows repeat one"] if repeated else []
    parts += [f"{without:,} rows have none"] if without else []
    return "".join(f"; {part}" for part in parts)


def _values(table: Table, column: str) -> tuple[int, int]:
    """How many different values a column has, and how many rows have none."""
    from vistaql.stores import duck

    name = identifier(column)
    with duck.connected(reads=(table.source,)) as connection, duck.reading(table.source):
        query = f"SELECT count(DISTINCT {name}), count(*) - count({name}) FROM {scan_sql(table)}"
        row = connection.execute(query).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def pixels(count: float) -> str:
    """The size of an image as a person says it.

    >>> pixels(2304), pixels(213_000), pixels(12_000_000)
    ('2,304 pixels', '0.21 megapixels', '12.00 megapixels')
    """
    return f"{count / 1e6:.2f} megapixels" if count >= 50_000 else f"{count:,.0f} pixels"


def _images_found(images: ImageSet) -> tuple[list[str], Facts]:
    found = images.statistics
    kinds = ", ".join(f"{count:,} {ending or 'without ending'}" for ending, count in found.formats)
    about = f"; about {pixels(found.mean_pixels)} each" if found.mean_pixels else ""
    size = f"{found.count:,} images, {format_size(found.bytes)}{f' ({kinds})' if kinds else ''}"
    shared = "" if found.unique_keys else "; several images share a key"
    lines = [f"images {images.name}: {size}{about}", f"key: from {images.key}{shared}"]
    if found.reasons:
        lines.append("skipped: " + ", ".join(f"{count:,} {reason}" for reason, count in found.reasons))
    if found.missing:
        lines.append(f"missing: {found.missing:,} files that are named do not exist")
    return lines, (
        ("created", "images"), ("name", images.name), ("images", found.count), ("bytes", found.bytes),
        ("mean_pixels", found.mean_pixels), ("formats", dict(found.formats)), ("skipped", found.skipped),
        ("reasons", dict(found.reasons)), ("missing", found.missing), ("unique_keys", found.unique_keys),
        ("key", str(images.key)),
    )  # fmt: skip


def _report(lines: list[str], facts: Facts, matches: tuple[Match, ...]) -> Report:
    told = [{"with": match.other, "common": match.common, "keys": match.total} for match in matches]
    first, *rest = [*lines, *map(str, matches)]
    return Report((first, *(f"  {line}" for line in rest)), (*facts, ("matches", told)))
