"""SHOW and DESCRIBE: what the catalog knows, as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from vistaql.catalog.catalog import Catalog, Kind
from vistaql.catalog.results import result_table
from vistaql.errors import VistaQLError
from vistaql.models.cnn import Cnn
from vistaql.outcome import Exploration, Relation, Report
from vistaql.small_table import SmallTable
from vistaql.stores.image_set import ImageSet
from vistaql.stores.tables import ColumnInfo, Table
from vistaql.units import format_size


def show_tables(catalog: Catalog, registered: Iterable[Table] = ()) -> Relation:
    """SHOW TABLES; `registered` live in the session only."""
    tables = [*catalog.tables(), *registered]
    return Relation(
        SmallTable(
            {
                "name": [table.name for table in tables],
                "rows": [table.rows for table in tables],
                "columns": [len(table.columns) for table in tables],
                "format": [table.format.value for table in tables],
                "key": [", ".join(table.key) or None for table in tables],
                "label": [table.label for table in tables],
                "source": [table.source for table in tables],
            }
        ),
        notes=() if tables else ("There are no tables yet. CREATE TABLE name FROM 'file.csv' KEY column;",),
    )


def show_images(catalog: Catalog) -> Relation:
    """SHOW IMAGES."""
    sets = catalog.image_sets()
    return Relation(
        SmallTable(
            {
                "name": [images.name for images in sets],
                "images": [images.statistics.count for images in sets],
                "size": [format_size(images.statistics.bytes) for images in sets],
                "key": [str(images.key) for images in sets],
                "label": [images.label for images in sets],
                "source": [images.place for images in sets],
            }
        ),
        notes=() if sets else ("There are no image sets yet. CREATE IMAGES name FROM 'folder/';",),
    )


def show_cnns(catalog: Catalog, roster: Sequence[Cnn], decode: Callable[[str], Cnn]) -> Relation:
    """SHOW CNNS: those that come with VistaQL, and those registered, which hide the former of equal name."""
    own = [decode(entry.value) for entry in catalog.entries(Kind.CNN)]
    hidden = {cnn.name.casefold() for cnn in own}
    cnns = [*(cnn for cnn in roster if cnn.name.casefold() not in hidden), *own]
    return Relation(
        SmallTable(
            {
                "name": [cnn.name for cnn in cnns],
                "registered": [cnn.name.casefold() in hidden for cnn in cnns],
                "input": ["x".join(map(str, cnn.input_size)) for cnn in cnns],
                "points": [len(cnn.points) for cnn in cnns],
                "layers": [len(cnn.layers) for cnn in cnns],
                "parameters": [cnn.parameters for cnn in cnns],
                "weights": [cnn.weights.kind.value for cnn in cnns],
                "built_by": [cnn.builder for cnn in cnns],
            }
        )
    )


def show_results(catalog: Catalog) -> Relation:
    """SHOW RESULTS, oldest first; `_` is the last row."""
    entries = sorted(catalog.entries(Kind.RESULT), key=lambda entry: entry.number)
    answers = [catalog.decoded(entry, Exploration) for entry in entries]
    best = [
        max((row for row in answer.rows if row.layer), key=lambda row: row.mean, default=None) for answer in answers
    ]
    return Relation(
        SmallTable(
            {
                "name": [entry.name for entry in entries],
                "created": [entry.created for entry in entries],
                "label": [answer.label for answer in answers],
                "metric": [answer.metric for answer in answers],
                "best": [f"{row.layer} of {row.cnn}" if row else None for row in best],
                "mean": [row.mean if row else None for row in best],
                "statement": [entry.statement for entry in entries],
            }
        ),
        notes=() if entries else ("There are no results yet. Every EXPLORE leaves one.",),
    )


def show_errors(catalog: Catalog, images: str | None = None) -> Relation:
    """SHOW ERRORS: bad images of the last statement, or of the last one over an image set."""
    bad = catalog.bad_images(images)
    if images is not None and not bad and catalog.entry(Kind.IMAGES, images) is None:
        raise catalog.unknown(Kind.IMAGES, images)
    whose = "the last statement" if images is None else f"the last statement over {images}"
    return Relation(
        SmallTable(
            {
                "images": [name for name, _ in bad],
                "key": [item.key for _, item in bad],
                "path": [item.path for _, item in bad],
                "reason": [item.reason for _, item in bad],
            }
        ),
        notes=() if bad else (f"No bad images in {whose}.",),
    )


def describe(catalog: Catalog, kind: Kind | None, name: str, registered: Mapping[str, Table] | None = None) -> Relation:
    """DESCRIBE a table, an image set or a result: its columns. CNNs are described by their layers, elsewhere."""
    held = {table.name.casefold(): table for table in (registered or {}).values()}
    if kind in (None, Kind.TABLE) and (table := held.get(name.casefold()) or catalog.table(name)):
        return _described_table(table)
    if kind in (None, Kind.IMAGES) and (images := catalog.images(name)):
        return _described_images(images)
    if kind in (None, Kind.RESULT) and (answer := catalog.result(name)):
        schema = result_table(answer).schema
        columns = SmallTable({"column": schema.names, "type": [str(kind) for kind in schema.types]})
        return Relation(columns, f"result {answer.name}: {answer.statement}")
    raise _unknown(catalog, kind, name, held)


def _unknown(catalog: Catalog, kind: Kind | None, name: str, held: Mapping[str, Table]) -> VistaQLError:
    if kind is not None:
        return catalog.unknown(kind, name, [table.name for table in held.values()] if kind is Kind.TABLE else ())
    others = [other for each in (Kind.IMAGES, Kind.RESULT, Kind.CNN) for other in catalog.names(each)]
    error = catalog.unknown(Kind.TABLE, name, [*others, *(table.name for table in held.values())])
    error.message = f"There is no table, image set, CNN or result '{name}'."
    if error.hint:
        error.hint = error.hint.replace("The tables are", "The names are")
    return error


def _described_table(table: Table) -> Relation:
    title = f"table {table.name}: {table.rows:,} rows, {table.format.value}, {format_size(table.bytes)}, {table.source}"
    return Relation(_columns(table.columns, table.key, table.label), title)


def _described_images(images: ImageSet) -> Relation:
    found = images.statistics
    skipped = f", {found.skipped:,} files skipped" if found.skipped else ""
    title = f"images {images.name}: {found.count:,} images, {format_size(found.bytes)}{skipped}, {images.place}"
    notes = (f"key from {images.key}; on_error {images.on_error.value}, max_bad {images.max_bad:g}",)
    return Relation(_columns(images.columns, ("key",), images.label), title, notes)


def _columns(columns: tuple[ColumnInfo, ...], key: tuple[str, ...], label: str | None) -> SmallTable:
    roles = {label: "label"} | dict.fromkeys(key, "key")
    return SmallTable(
        {
            "column": [column.name for column in columns],
            "type": [column.type.value for column in columns],
            "stored_as": [column.sql_type for column in columns],
            "role": [roles.get(column.name) for column in columns],
        }
    )


def show_create(catalog: Catalog, kind: Kind, name: str) -> Report:
    """SHOW CREATE: the statement that makes the object, as it can be typed again."""
    statement = catalog.required(kind, name).statement
    return Report((statement,), (("statement", statement),))
