"""Image sets as views of DuckDB, in which headers are read only for the rows and columns that a query needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

# DuckDB evaluates the annotations of the functions it is given, so this one is imported at once.
import pyarrow as pa

from vistaql.stores.headers import Size, read_sizes
from vistaql.stores.image_set import ImageSet, KeyKind, ParquetBytesSource
from vistaql.stores.listing import key_function, list_images, path_sql
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import checked_column, scan_sql, text_of

if TYPE_CHECKING:
    import duckdb


def create_image_view(connection: duckdb.DuckDBPyConnection, images: ImageSet) -> None:
    """A view with the columns of the image set, under its name."""
    inner, image = _files(connection, images)
    if isinstance(images.source, ParquetBytesSource):
        inner, image = _inside(connection, images, images.source), "BLOB"
    size = f"size of {images.name}"
    _create_size_function(connection, size, image)
    label = ", nullif(split_part(folder, '/', 1), '') AS label" if images.label_from_folder else ""
    connection.execute(
        f"CREATE VIEW {identifier(images.name)} AS "
        f"SELECT key, path, folder, bytes, size.width AS width, size.height AS height{label} "
        f"FROM (SELECT *, {identifier(size)}(image) AS size FROM ({inner}))"
    )


def headers_inside(images: ImageSet) -> pa.Table:
    """The listing of images inside Parquet files with `bytes`, `width` and `height`, sorted by key, then path."""
    from vistaql.stores import duck

    with duck.connected(reads=(images.place,)) as connection, duck.reading(images.place):
        create_image_view(connection, images)
        view = connection.sql(f"SELECT * FROM {identifier(images.name)} ORDER BY key, path")
        return duck.interruptible(connection, view.to_arrow_table)


def _create_size_function(connection: duckdb.DuckDBPyConnection, name: str, image: str) -> None:
    """Width and height as a function of DuckDB, so that its optimizer decides which headers are read."""
    import duckdb
    from duckdb.func import FunctionNullHandling, PythonUDFType

    kind = pa.struct([("width", pa.int32()), ("height", pa.int32())])
    known: dict[str | bytes, Size | None] = {}

    def sizes(images: pa.ChunkedArray) -> pa.Array:
        values = images.to_pylist()
        new = list(dict.fromkeys(value for value in values if value not in known))
        # A filter and the output may both ask; paths are remembered, encoded images are too large for that.
        found = dict(zip(new, read_sizes(new), strict=True))
        if image == "VARCHAR":
            known.update(found)
        pairs = [known.get(value) or found.get(value) for value in values]
        return pa.array([pair and {"width": pair[0], "height": pair[1]} for pair in pairs], kind)

    result = duckdb.sqltype("STRUCT(width INTEGER, height INTEGER)")
    special = FunctionNullHandling.SPECIAL
    connection.create_function(name, sizes, [image], result, type=PythonUDFType.ARROW, null_handling=special)


def _files(connection: duckdb.DuckDBPyConnection, images: ImageSet) -> tuple[str, str]:
    listing = f"listing of {images.name}"
    if not isinstance(images.source, ParquetBytesSource):
        connection.register(listing, list_images(images))
    return f"SELECT *, path AS image FROM {identifier(listing)}", "VARCHAR"


def _inside(connection: duckdb.DuckDBPyConnection, images: ImageSet, source: ParquetBytesSource) -> str:
    """Rows of Parquet files as key, path, folder, bytes and image."""
    path = path_sql(source) or "CAST(NULL AS VARCHAR)"
    image = f"{identifier(source.column)}.bytes" if source.nested else identifier(source.column)
    if images.key.kind is KeyKind.COLUMN and images.key.argument is not None:
        key = text_of(checked_column(source.table, images.key.argument))
    else:
        key = f"{identifier(_create_key_function(connection, images))}({path})"
    folder = f"CASE WHEN contains({path}, '/') THEN regexp_replace({path}, '/[^/]*$', '') ELSE '' END"
    return (
        f"SELECT * FROM (SELECT {key} AS key, {path} AS path, {folder} AS folder, "
        f"octet_length({image}) AS bytes, {image} AS image FROM {scan_sql(source.table)}) WHERE key IS NOT NULL"
    )


def _create_key_function(connection: duckdb.DuckDBPyConnection, images: ImageSet) -> str:
    from duckdb.func import FunctionNullHandling, PythonUDFType

    name = f"key of {images.name}"
    key_of = key_function(images.key)

    def keys(paths: pa.ChunkedArray) -> pa.Array:
        return pa.array([None if path is None else key_of(path) for path in paths.to_pylist()], pa.string())

    special = FunctionNullHandling.SPECIAL
    connection.create_function(name, keys, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW, null_handling=special)
    return name
