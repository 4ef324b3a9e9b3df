"""What is in a folder of photos and in a table, and how the two belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vistaql.errors import Code, VistaQLError
from vistaql.frontend.columns import holds_path
from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import deal
from vistaql.learners.leakage import Giveaway, giveaways
from vistaql.start.keys import Files, KeyMatch, best_match, match_of
from vistaql.start.labels import Candidate, candidates
from vistaql.stores.image_set import ImageSet, KeyKind, KeyRule
from vistaql.stores.listing import listed
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import ColumnType, Table, describe_table, scan_sql

if TYPE_CHECKING:
    import pyarrow as pa

ENOUGH_ROWS = 50_000
"""rows that are looked at for keys, labels and what gives a label away; the key found is then counted over all"""
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Sight:
    """A folder and a table, looked at. `rows` are some of the table's; `labels` the likeliest first."""

    images: ImageSet
    table: Table
    files: Files
    key: KeyMatch
    rows: pa.Table
    labels: tuple[Candidate, ...]


def look(photos: Path, file: Path) -> Sight:
    """Look at both. Raises NO_COMMON_KEY, NO_LABEL, and what CREATE IMAGES and CREATE TABLE raise."""
    from vistaql.stores.images import describe_images

    images = describe_images("photos", str(photos.absolute()), KeyRule(KeyKind.PATH))
    table = describe_table("rows", str(file.absolute()))
    files = Files(tuple(listed(images).relatives))
    key = counted_over_all(table, key_of(table, files, photos, file), files)
    columns = [column for column in table.columns if column.name != key.column and not holds_path(column)]
    rows = values_of(table, [column.name for column in columns], ENOUGH_ROWS)
    return Sight(images, table, files, key, rows, candidates(rows))


def key_of(table: Table, files: Files, photos: Path, file: Path) -> KeyMatch:
    """The column that names the files, or the error that shows both sides."""
    kinds = (ColumnType.TEXT, ColumnType.INTEGER)
    possible = [column.name for column in table.columns if column.type in kinds]
    values = texts_of(table, possible, ENOUGH_ROWS)
    found = best_match(values, files)
    if found is None:
        shown = [f"{name} is '{next(iter(values[name].drop_null().to_pylist()), '')}'" for name in possible[:4]]
        raise VistaQLError(
            Code.NO_COMMON_KEY,
            f"No column of {file} names the images of {photos}: a file is called '{min(files.relatives)}', "
            f"and in a row {', '.join(shown) or 'no column is text or a whole number'}.",
            hint="A column must hold the file's name, with its ending or without, or its path. "
            "If it is made of several, make it: CREATE TABLE t KEY (k) AS SELECT *, a || '_' || b AS k FROM '..'",
        )
    return found


def counted_over_all(table: Table, key: KeyMatch, files: Files) -> KeyMatch:
    """The match over all rows, where only some were looked at."""
    if table.rows <= ENOUGH_ROWS:
        return key
    values = texts_of(table, [key.column], None)[key.column].drop_null().to_pylist()
    return match_of(key.column, values, files) or key


def texts_of(table: Table, columns: list[str], limit: int | None) -> pa.Table:
    """Columns as text, as keys are read."""
    return read(scan_sql(table, frozenset(columns)), table, columns, limit)


def values_of(table: Table, columns: list[str], limit: int | None) -> pa.Table:
    """Columns as they are."""
    return read(scan_sql(table), table, columns, limit)


def read(scan: str, table: Table, columns: list[str], limit: int | None) -> pa.Table:
    """Some columns of the first rows."""
    import pyarrow as pa

    from vistaql.stores import duck

    if not columns:
        return pa.table({})
    names = ", ".join(map(identifier, columns))
    rows = "" if limit is None else f" LIMIT {limit}"
    with duck.connected() as connection, duck.reading(table.source):
        return connection.sql(f"SELECT {names} FROM {scan}{rows}").to_arrow_table()


def gives_away(sight: Sight, label: Candidate) -> tuple[Giveaway, ...]:
    """The columns that tell the label by themselves."""
    import pyarrow as pa

    labelled = sight.rows.drop_columns([label.column]).filter(pa.array(label.classes.labelled))
    if not labelled.num_columns:
        return ()
    codes = label.classes.codes
    keys = [str(number) for number in range(len(codes))]
    tested = np.asarray(deal(keys, codes, FOLDS))
    return giveaways(StructuredColumns.of(labelled), codes, tested)
