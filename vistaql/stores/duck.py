"""Connections to the embedded relational engine: in memory, local, and unable to change their own limits."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from vistaql.aside import awaited
from vistaql.errors import Code, Span, VistaQLError, told_in

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Limits:
    """What a connection may use; None leaves the choice to DuckDB (all cores, 80 % of memory)."""

    threads: int | None = None
    memory_bytes: int | None = None


UNLIMITED = Limits()
Value = TypeVar("Value")


@contextmanager
def connected(
    limits: Limits = UNLIMITED, folder: str | None = None, reads: Iterable[str] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for the time of a block. Relative paths in SQL start at `folder`.

    URLs are read only if one stands in a place or a query that `reads` names.
    Python variables cannot be read through table names, and no extension is fetched from the network.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": os.path.join(tempfile.gettempdir(), f"vistaql-{os.getpid()}"),
    }
    if limits.threads is not None:
        config["threads"] = limits.threads
    if limits.memory_bytes is not None:
        config["memory_limit"] = f"{limits.memory_bytes}B"
    if folder is not None:
        config["file_search_path"] = folder
    connection = duckdb.connect(config=config)
    try:
        connection.execute("SET errors_as_json = true")
        if any("://" in text for text in reads):
            # Without fsspec DuckDB refuses the URL, if it is one that it is asked to read.
            with suppress(ImportError):
                from vistaql.stores.remote_duck import RemoteFiles

                connection.register_filesystem(RemoteFiles())
        yield connection
    finally:
        connection.close()


def interruptible(connection: duckdb.DuckDBPyConnection, work: Callable[[], Value]) -> Value:
    """Do some work with the connection so that Ctrl-C ends it at once; DuckDB itself looks for it only now and then."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            return awaited(running)
        except KeyboardInterrupt:
            connection.interrupt()
            raise


@dataclass(frozen=True)
class Fault:
    """A DuckDB error taken apart: its kind, its words, and where in the SQL it lies, if it says so."""

    kind: str
    message: str
    name: str | None = None
    span: Span | None = None

    @property
    def first_line(self) -> str:
        """The error itself, without DuckDB's advice about its own options."""
        return self.message.split("\n")[0].rstrip("!. ")


def fault(error: Exception) -> Fault:
    """Read the JSON that DuckDB puts into its errors."""
    text = str(error)
    kind, _, rest = ("", "", text) if text.startswith("{") else text.partition(": ")
    try:
        details = json.loads(rest)
        message = str(details["exception_message"])
    except (ValueError, KeyError, TypeError):
        return Fault(kind, rest or text)
    return Fault(str(details.get("exception_type", kind)), message, details.get("name"), _span(details))


def _span(details: dict[str, str]) -> Span | None:
    try:
        start, length = json.loads(details["location"])
    except (KeyError, ValueError, TypeError):
        return None
    return Span(int(start), int(start) + max(1, int(length)))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Errors of DuckDB inside the block are errors of the file `what`."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise out_of_memory(error) from error
    except duckdb.Error as error:
        raise_told(error)
        lines = [line.strip() for line in fault(error).message.split("\n") if line.strip()]
        told = "; ".join(line for line in lines[:3] if not line.startswith("Possible"))
        raise VistaQLError(Code.UNREADABLE_FILE, f"'{what}' cannot be read: {told}", hint=_advice(told)) from error


def raise_told(error: Exception) -> None:
    """Raise our own error, where DuckDB tells of one that came up while it asked for a file behind a URL."""
    ours = told_in(fault(error).message) or told_in(str(error))
    if ours is not None:
        raise ours from error


def out_of_memory(error: Exception) -> VistaQLError:
    """The error for a query that does not fit."""
    return VistaQLError(
        Code.OUT_OF_SPACE, f"The query needs more memory: {fault(error).first_line}.", hint="SET memory_limit = 8GB;"
    )


def _advice(message: str) -> str:
    if "unicode" in message or "utf-8" in message:
        return "Add WITH (encoding = 'latin-1'), or save the file as UTF-8."
    if "convert" in message.lower() or "expected number of columns" in message.lower():
        return "Mend the line; if the file changed, CREATE OR REPLACE TABLE; WITH (delimiter = ';') sets the delimiter."
    if "magic bytes" in message:
        return "It is no Parquet file, or it was cut off: write it again."
    return "If the ending does not tell the format, add FORMAT csv, parquet or json."
