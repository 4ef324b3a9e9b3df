"""The SQLite file: opened, checked and brought up to date; its errors in the words of a user."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vistaql.errors import Code, VistaQLError

FILE = "catalog.sqlite"
# "VQL1" as a number: tells our file from that of another program.
APPLICATION_ID = 0x56514C31
BUSY_SECONDS = 60.0
# Statement n takes a file from version n to n + 1. A published entry is never changed.
MIGRATIONS = (
    """
    CREATE TABLE objects (
        space TEXT NOT NULL,
        folded TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        created TEXT NOT NULL,
        statement TEXT NOT NULL,
        value TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (space, folded)
    ) STRICT;
    CREATE INDEX objects_by_number ON objects (kind, number);
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    CREATE TABLE bad_images (
        statement INTEGER NOT NULL,
        folded TEXT NOT NULL,
        images TEXT NOT NULL,
        key TEXT NOT NULL,
        path TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX bad_images_by_statement ON bad_images (statement);
    """,
)


def connect(home: Path) -> sqlite3.Connection:
    """Open the catalog of a home, and make it where there is none."""
    file = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VistaQLError(
            Code.NOT_WRITABLE,
            f"The home '{home}' cannot be made: {error.strerror}.",
            hint="Choose another with --home DIR, or set VISTAQL_HOME.",
        ) from error
    with explained(file):
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, file)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    version = _version(connection, file)
    if version < len(MIGRATIONS):
        _to_wal(connection)
        _migrate(connection, file)
    connection.execute("PRAGMA foreign_keys = ON")


def _version(connection: sqlite3.Connection, file: Path) -> int:
    """The schema version; 0 for an empty file. Refuses files of other programs and of newer versions."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise VistaQLError(
            Code.CATALOG,
            f"'{file}' is an SQLite file of another program.",
            hint="Choose another home with --home DIR.",
        )
    if version > len(MIGRATIONS):
        raise VistaQLError(
            Code.CATALOG,
            f"'{file}' was written by a newer VistaQL (catalog version {version}; this one knows {len(MIGRATIONS)}).",
            hint="Update VistaQL, or choose another home with --home DIR.",
        )
    return int(version)


def _to_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once. SQLite does not wait for a lock here, so the waiting is ours."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _migrate(connection: sqlite3.Connection, file: Path) -> None:
    with immediate(connection):
        # Another process may have done it while this one waited.
        for version in range(_version(connection, file), len(MIGRATIONS)):
            for statement in MIGRATIONS[version].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that holds the right to write from its start; undone if the block fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


FULL = 13
READ_ONLY = frozenset({8, 14})
BUSY = frozenset({5, 6})


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Errors of SQLite inside the block, with what can be done about them."""
    try:
        yield
    # A damaged file may give text that is none.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise _explanation(file, number, str(error)) from error


def _explanation(file: Path, number: int, message: str) -> VistaQLError:
    if number in BUSY:
        return VistaQLError(
            Code.CATALOG,
            f"Another process has been writing to '{file}' for {BUSY_SECONDS:.0f} s.",
            hint="Try again when it has ended.",
        )
    if number in READ_ONLY:
        return VistaQLError(
            Code.NOT_WRITABLE,
            f"'{file}' cannot be written: {message}.",
            hint="Choose another home with --home DIR, or set VISTAQL_HOME.",
        )
    if number == FULL:
        return VistaQLError(Code.OUT_OF_SPACE, f"The disk of '{file}' is full.", hint="Free some space.")
    return VistaQLError(
        Code.CATALOG,
        f"The catalog '{file}' is damaged: {message}.",
        hint=f"Move it away, and run your CREATE statements again: mv '{file}' '{file}.damaged'",
    )
