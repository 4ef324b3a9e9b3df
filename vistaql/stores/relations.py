"""SELECT over everything that has a name: read-only, in DuckDB."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.errors import Code, Span, VistaQLError
from vistaql.stores import duck
from vistaql.stores.faults import explanation
from vistaql.stores.files import put_in_place
from vistaql.stores.image_set import ImageSet
from vistaql.stores.quoting import Scalar, identifier, literal
from vistaql.stores.tables import Table, TableFormat, describe_table, scan_sql, with_key

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class Relations:
    """What a SELECT can name. `memory` holds results, and the data of tables of format ARROW by their source."""

    tables: tuple[Table, ...] = ()
    images: tuple[ImageSet, ...] = ()
    memory: Mapping[str, Callable[[], pa.Table]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, sorted."""
        hidden = {table.source for table in self.tables}
        named = [table.name for table in self.tables] + [images.name for images in self.images]
        return tuple(sorted([*named, *(name for name in self.memory if name not in hidden)]))


@dataclass(frozen=True)
class Query:
    """A SELECT as it was written, with the values of its parameters `:name`.

    Paths in it start at `folder`; None: at the folder of the process.
    """

    text: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    folder: str | None = None


def run_select(query: Query, relations: Relations, limits: duck.Limits = duck.UNLIMITED) -> pa.Table:
    """The rows of a SELECT, WITH or SUMMARIZE.

    Raises SQL, UNKNOWN_TABLE or UNKNOWN_COLUMN, with a span inside the text where DuckDB gives one.
    """
    with opened(relations, query, limits) as connection, explained(query, relations):
        relation = _relation(connection, query)
        return duck.interruptible(connection, relation.to_arrow_table)


def _relation(connection: duckdb.DuckDBPyConnection, query: Query) -> duckdb.DuckDBPyRelation:
    """The query, checked but not run yet."""
    import duckdb

    sql, values = bound(query)
    try:
        return connection.sql(sql, params=values or None)
    except (duckdb.BinderException, duckdb.CatalogException):
        # Only this way of asking tells the place of the mistake.
        connection.execute(sql, values)
        raise


def create_table_as(
    name: str,
    query: Query,
    relations: Relations,
    folder: Path,
    *,
    key: tuple[str, ...] = (),
    label: str | None = None,
    limits: duck.Limits = duck.UNLIMITED,
) -> Table:
    """Write the rows of a SELECT as a Parquet file of its own below `folder`, whole or not at all.

    A table of the same name keeps its file, until the catalog has the new one.
    """
    final = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)[:40]}-{uuid.uuid4().hex[:12]}.parquet"
    written = final.with_name(f".{final.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with opened(relations, query, limits) as connection, explained(query, relations):
            relation = _relation(connection, query)
            duck.interruptible(connection, partial(relation.write_parquet, str(written), compression="zstd"))
        table = replace(with_key(describe_table(name, str(written), "parquet"), key, label), source=str(final))
        put_in_place(written, final)
    except OSError as error:
        raise VistaQLError(
            Code.NOT_WRITABLE, f"'{folder}' cannot be written: {error.strerror}.", hint="Choose another --home DIR."
        ) from error
    finally:
        written.unlink(missing_ok=True)
    return replace(table, query=bound_text(query))


@contextmanager
def opened(
    relations: Relations, query: Query, limits: duck.Limits = duck.UNLIMITED
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which the names that the query mentions are views, and whose settings are locked."""
    places = {table.name: table.source for table in relations.tables}
    places |= {images.name: images.place for images in relations.images}
    reads = (query.text, *(place for name, place in places.items() if mentions(query.text, name)))
    with duck.connected(limits, query.folder, reads) as connection:
        check_read_only(connection, query)
        failed = _create_views(connection, relations, query.text)
        connection.execute("SET lock_configuration = true")
        try:
            yield connection
        except VistaQLError as error:
            # A name may have been mentioned in a comment only; its trouble counts where the query fails for it.
            if failed and error.code is Code.UNKNOWN_TABLE:
                raise failed[0] from None
            raise


def check_read_only(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    """One statement that only reads, or the error that says what else it is."""
    import duckdb

    with explained(query, Relations()):
        statements = connection.extract_statements(bound(query)[0])
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise VistaQLError(
            Code.SQL,
            f"Only one SELECT, WITH or SUMMARIZE can stand here; this is {found}.",
            span=Span(0, len(query.text)),
            hint="To keep rows, write CREATE TABLE name AS SELECT ..;",
        )


def mentions(text: str, name: str) -> bool:
    """Whether a query may mean a name; saying yes too often does no harm.

    >>> mentions("SELECT * FROM Photos", "photos"), mentions("SELECT 1", "photos")
    (True, False)
    """
    return name.casefold().replace('"', '""') in text.casefold()


def _create_views(connection: duckdb.DuckDBPyConnection, relations: Relations, text: str) -> list[VistaQLError]:
    """Make the views of the names in the text; gives the errors of those that could not be made."""
    from vistaql.stores.image_views import create_image_view

    hidden = {table.source for table in relations.tables}
    makers: dict[str, Callable[[], None]] = {
        **{
            name: partial(_register, connection, name, data)
            for name, data in relations.memory.items()
            if name not in hidden
        },
        **{table.name: partial(_create_table_view, connection, table, relations) for table in relations.tables},
        **{images.name: partial(create_image_view, connection, images) for images in relations.images},
    }
    failed: list[VistaQLError] = []
    for name, make in makers.items():
        if mentions(text, name):
            try:
                with duck.reading(name):
                    make()
            except VistaQLError as error:
                failed.append(error)
    return failed


def _register(connection: duckdb.DuckDBPyConnection, name: str, data: Callable[[], pa.Table]) -> None:
    connection.register(name, data())


def _create_table_view(connection: duckdb.DuckDBPyConnection, table: Table, relations: Relations) -> None:
    if table.format is TableFormat.ARROW:
        _register(connection, table.source, relations.memory[table.source])
    connection.execute(f"CREATE VIEW {identifier(table.name)} AS SELECT * FROM {scan_sql(table)}")


# What must not be searched for parameters, and then the parameters; '::' is a cast.
PIECES = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | :: | :(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


def bound(query: Query) -> tuple[str, dict[str, Scalar]]:
    """The text with :name as DuckDB's $name, which is as long, and the values of the names in it.

    >>> bound(Query("SELECT ':a', x::INT FROM t WHERE y = :b", {"b": 1}))
    ("SELECT ':a', x::INT FROM t WHERE y = $b", {'b': 1})
    """
    values: dict[str, Scalar] = {}

    def mark(piece: re.Match[str]) -> str:
        if piece["name"] is None:
            return piece[0]
        values[piece["name"]] = _value(query, piece)
        return f"${piece['name']}"

    return PIECES.sub(mark, query.text), values


def bound_text(query: Query) -> str:
    """The text with values in place of its parameters, so that it can be typed again."""
    return PIECES.sub(lambda piece: literal(_value(query, piece)) if piece["name"] else piece[0], query.text)


def _value(query: Query, piece: re.Match[str]) -> Scalar:
    if piece["name"] not in query.parameters:
        raise VistaQLError(
            Code.MISSING_PARAMETER,
            f"The parameter :{piece['name']} has no value.",
            span=Span(*piece.span()),
            hint=f"Give it with --param {piece['name']}=VALUE, or in Python sql(text, {piece['name']}=value).",
        )
    return query.parameters[piece["name"]]


@contextmanager
def explained(query: Query, relations: Relations) -> Iterator[None]:
    """Errors of DuckDB inside the block, with their place in the query and the names that exist."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise duck.out_of_memory(error) from error
    except duckdb.Error as error:
        duck.raise_told(error)
        raise explanation(duck.fault(error), query.text, query.folder, relations.names) from error


def sweep(folder: Path, used: frozenset[str], older_than: float) -> int:
    """Remove files of tables that no catalog entry names, left by killed processes; gives how many."""
    removed = 0
    for file in folder.glob("*.parquet") if folder.is_dir() else ():
        if str(file) not in used and file.stat().st_mtime < older_than:
            file.unlink(missing_ok=True)
            removed += 1
    for part in folder.glob(".*.part") if folder.is_dir() else ():
        if part.stat().st_mtime < older_than:
            part.unlink(missing_ok=True)
            removed += 1
    return removed
