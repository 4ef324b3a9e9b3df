"""What is known by name. Reading gives frozen values; writing happens in one transaction for a statement."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Self, TypeVar

from vistaql.catalog import codec, database
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.outcome import BadImage, Exploration
from vistaql.stores.image_set import ImageSet, TableColumnSource
from vistaql.stores.tables import Table

LAST = "_"


class Kind(Enum):
    """What the catalog keeps by name."""

    TABLE = "TABLE"
    IMAGES = "IMAGES"
    CNN = "CNN"
    RESULT = "RESULT"

    @property
    def words(self) -> str:
        """The kind in a sentence."""
        return {Kind.TABLE: "table", Kind.IMAGES: "image set", Kind.CNN: "CNN", Kind.RESULT: "result"}[self]

    @property
    def plural(self) -> str:
        """Several of the kind."""
        return f"{self.words}s"

    @property
    def space(self) -> str:
        """Names are taken within a space: what stands after FROM shares one, CNNs have their own."""
        return "cnn" if self is Kind.CNN else "relation"

    @property
    def unknown(self) -> Code:
        """The code of the error for a name that is not there."""
        codes = {Kind.TABLE: Code.UNKNOWN_TABLE, Kind.IMAGES: Code.UNKNOWN_IMAGES, Kind.CNN: Code.UNKNOWN_CNN}
        return codes.get(self, Code.UNKNOWN_OBJECT)


@dataclass(frozen=True)
class Entry:
    """An object as it is kept: `value` is JSON, `statement` what made it, `created` UTC in ISO 8601."""

    kind: Kind
    name: str
    created: str
    statement: str
    value: str
    number: int


Value = TypeVar("Value", Table, ImageSet, Exploration)
COLUMNS = "kind, name, created, statement, value, number"


class Catalog:
    """The names of one home. Several processes may have it open."""

    def __init__(self, home: Path, connection: sqlite3.Connection) -> None:
        """Use `Catalog.open`."""
        self.home = home
        self.file = home / database.FILE
        self._connection = connection
        self._writing = threading.RLock()

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open the catalog of a home folder, made where there is none.

        Raises CATALOG for a damaged, foreign or newer file, NOT_WRITABLE for a place that cannot be written.
        """
        return cls(home, database.connect(home))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def copy_to(self, home: Path) -> None:
        """Write a copy of the catalog, as it is now, into another home."""
        target = sqlite3.connect(home / database.FILE)
        with database.explained(self.file):
            self._connection.backup(target)
        target.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def table(self, name: str) -> Table | None:
        """A table by its name, case ignored."""
        return self._value(Kind.TABLE, name, Table)

    def images(self, name: str) -> ImageSet | None:
        """An image set by its name; one over a table of the catalog sees that table as it is now."""
        found = self._value(Kind.IMAGES, name, ImageSet)
        return None if found is None else self._current(found)

    def cnn(self, name: str) -> str | None:
        """A registered CNN, as the JSON it was given as."""
        entry = self.entry(Kind.CNN, name)
        return None if entry is None else entry.value

    def result(self, name: str) -> Exploration | None:
        """A kept answer; `_` is the last one of this home."""
        entry = self.last_result() if name == LAST else self.entry(Kind.RESULT, name)
        return None if entry is None else self.decoded(entry, Exploration)

    def tables(self) -> tuple[Table, ...]:
        """All tables, by name."""
        return tuple(self.decoded(entry, Table) for entry in self.entries(Kind.TABLE))

    def image_sets(self) -> tuple[ImageSet, ...]:
        """All image sets, by name."""
        return tuple(self._current(self.decoded(entry, ImageSet)) for entry in self.entries(Kind.IMAGES))

    def results(self) -> tuple[Exploration, ...]:
        """All kept answers, oldest first."""
        entries = sorted(self.entries(Kind.RESULT), key=lambda entry: entry.number)
        return tuple(self.decoded(entry, Exploration) for entry in entries)

    def profile(self, machine: str) -> str | None:
        """What is kept of a machine, as the text it was given as."""
        rows = self._rows("SELECT value FROM objects WHERE space = 'profile' AND folded = ?", machine.casefold())
        return rows[0][0] if rows else None

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of a kind, sorted."""
        rows = self._rows("SELECT name FROM objects WHERE kind = ? ORDER BY folded", kind.value)
        return tuple(row[0] for row in rows)

    def entries(self, kind: Kind) -> tuple[Entry, ...]:
        """Everything of a kind, by name."""
        return self._entries(f"SELECT {COLUMNS} FROM objects WHERE kind = ? ORDER BY folded", kind.value)

    def entry(self, kind: Kind, name: str) -> Entry | None:
        """One object as it is kept."""
        query = f"SELECT {COLUMNS} FROM objects WHERE kind = ? AND space = ? AND folded = ?"
        return next(iter(self._entries(query, kind.value, kind.space, name.casefold())), None)

    def holder(self, space: str, name: str) -> Entry | None:
        """Whatever has that name in a space of names."""
        query = f"SELECT {COLUMNS} FROM objects WHERE space = ? AND folded = ?"
        return next(iter(self._entries(query, space, name.casefold())), None)

    def required(self, kind: Kind, name: str) -> Entry:
        """One object, or the error that names the nearest."""
        entry = self.last_result() if kind is Kind.RESULT and name == LAST else self.entry(kind, name)
        if entry is None:
            raise self.unknown(kind, name)
        return entry

    def unknown(self, kind: Kind, name: str, also: Iterable[str] = ()) -> VistaQLError:
        """The error for a name that is not there; `also` are names known elsewhere."""
        other = self.holder(Kind.TABLE.space, name) or self.holder(Kind.CNN.space, name)
        is_other = f" '{other.name}' is {article(other.kind.words)}." if other is not None else ""
        known = [*self.names(kind), *also]
        return VistaQLError(
            kind.unknown,
            f"There is no {kind.words} '{name}'.{is_other}",
            hint=did_you_mean(name, known, kind.plural),
        )

    def refuse_taken(self, kind: Kind, name: str, *, replacing: bool = False) -> None:
        """Raise NAME_TAKEN where a new object cannot have the name. Replacing is for objects of the same kind."""
        check_name(name)
        holder = self.holder(kind.space, name)
        if holder is not None and not (replacing and holder.kind is kind):
            raise name_taken(holder, kind)

    def last_result(self) -> Entry | None:
        """The answer that `_` means."""
        query = f"SELECT {COLUMNS} FROM objects WHERE kind = ? ORDER BY number DESC LIMIT 1"
        return next(iter(self._entries(query, Kind.RESULT.value)), None)

    def bad_images(self, images: str | None = None) -> tuple[tuple[str, BadImage], ...]:
        """Bad images with the name of their set: of the last statement over `images`, or of the last statement."""
        where = "" if images is None else "WHERE folded = ?"
        folded = () if images is None else (images.casefold(),)
        rows = self._rows(
            f"SELECT images, key, path, reason FROM bad_images WHERE statement = "
            f"(SELECT max(statement) FROM bad_images {where}) {where.replace('WHERE', 'AND')} AND path <> '' "
            "ORDER BY key, path",
            *folded,
            *folded,
        )
        return tuple((name, BadImage(key, path, reason)) for name, key, path, reason in rows)

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Everything the block writes, or nothing. Other processes wait for its end, so look at files before it."""
        with self._writing, database.explained(self.file), database.immediate(self._connection):
            yield Writer(self, self._connection)

    def decoded(self, entry: Entry, wanted: type[Value]) -> Value:
        """The value of an entry."""
        try:
            return codec.from_json(wanted, entry.value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise VistaQLError(
                Code.CATALOG,
                f"The {entry.kind.words} '{entry.name}' in '{self.file}' is damaged: {error}.",
                hint=f"DROP {entry.kind.value} {entry.name}; and create it again.",
            ) from error

    def _value(self, kind: Kind, name: str, wanted: type[Value]) -> Value | None:
        entry = self.entry(kind, name)
        return None if entry is None else self.decoded(entry, wanted)

    def _current(self, images: ImageSet) -> ImageSet:
        source = images.source
        if not isinstance(source, TableColumnSource) or source.manifest:
            return images
        table = self.table(source.table.name)
        return images if table is None else replace(images, source=replace(source, table=table))

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        with database.explained(self.file):
            return self._connection.execute(query, values).fetchall()

    def _entries(self, query: str, *values: object) -> tuple[Entry, ...]:
        return tuple(
            Entry(Kind(kind), name, created, statement, value, int(number))
            for kind, name, created, statement, value, number in self._rows(query, *values)
        )


class Writer:
    """Changes names inside a transaction."""

    def __init__(self, catalog: Catalog, connection: sqlite3.Connection) -> None:
        """Given by `Catalog.transaction`."""
        self._catalog = catalog
        self._connection = connection

    def put_table(self, table: Table, statement: str, *, replacing: bool = False) -> None:
        """Name a table. Raises NAME_TAKEN."""
        self._put(Kind.TABLE, table.name, statement, codec.to_json(table), replacing=replacing)

    def put_images(self, images: ImageSet, statement: str, *, replacing: bool = False) -> None:
        """Name an image set. Raises NAME_TAKEN."""
        self._put(Kind.IMAGES, images.name, statement, codec.to_json(images), replacing=replacing)

    def put_cnn(self, name: str, value: str, statement: str, *, replacing: bool = False) -> None:
        """Name a CNN given as JSON. Raises NAME_TAKEN."""
        self._put(Kind.CNN, name, statement, value, replacing=replacing)

    def put_result(self, exploration: Exploration, images: str = "") -> Exploration:
        """Keep an answer under its name, else under result_1, result_2 and so on, and its bad images for SHOW ERRORS.

        An answer of the same name is replaced, so that a script can run again. Gives the answer with its name.
        """
        name = exploration.name or self._free_name()
        named = replace(exploration, name=name)
        bare = replace(named, bad_images=())
        self._put(Kind.RESULT, name, exploration.statement, codec.to_json(bare), replacing=True)
        self.put_bad_images(images, exploration.bad_images)
        return named

    def put_bad_images(self, images: str, bad: Iterable[BadImage]) -> None:
        """Keep what the last statement over an image set could not use; those of older statements over it go."""
        number = self._next("statement")
        folded = images.casefold()
        self._connection.execute("DELETE FROM bad_images WHERE folded = ?", (folded,))
        # The empty row remembers a statement without bad images, so that SHOW ERRORS does not show older ones.
        rows = [(number, folded, images, "", "", "")]
        rows.extend((number, folded, images, item.key, item.path, item.reason) for item in bad)
        self._connection.executemany("INSERT INTO bad_images VALUES (?, ?, ?, ?, ?, ?)", rows)

    def put_profile(self, machine: str, value: str | None) -> None:
        """Keep the profile of a machine in place of the one before; None forgets it."""
        folded = machine.casefold()
        self._connection.execute("DELETE FROM objects WHERE space = 'profile' AND folded = ?", (folded,))
        if value is not None:
            row = ("profile", folded, machine, "PROFILE", now(), "CALIBRATE", value, self._next("object"))
            self._connection.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def drop(self, kind: Kind, name: str) -> bool:
        """Forget a name; False where there was none."""
        found = self._connection.execute(
            "DELETE FROM objects WHERE kind = ? AND space = ? AND folded = ?", (kind.value, kind.space, name.casefold())
        )
        return found.rowcount > 0

    def _put(self, kind: Kind, name: str, statement: str, value: str, *, replacing: bool) -> None:
        self._catalog.refuse_taken(kind, name, replacing=replacing)
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind.space, name.casefold(), name, kind.value, now(), statement, value, self._next("object")),
        )

    def _free_name(self) -> str:
        while self._catalog.holder(Kind.RESULT.space, name := f"result_{self._next('result')}") is not None:
            pass
        return name

    def _next(self, counter: str) -> int:
        row = self._connection.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        ).fetchone()
        return int(row[0])


def check_name(name: str) -> None:
    """Refuse names that mean something else, or nothing."""
    if not name.strip() or name == LAST or "\x00" in name:
        raise VistaQLError(
            Code.NAME_TAKEN, f"'{name}' cannot be a name; _ means the last result.", hint="Choose another name."
        )


def name_taken(holder: Entry, kind: Kind) -> VistaQLError:
    """The error for a name that is in use."""
    maker = "REGISTER" if kind is Kind.CNN else "CREATE"
    hint = (
        f"{maker} OR REPLACE {kind.value} replaces it; DROP {kind.value} {holder.name}; removes it."
        if holder.kind is kind
        else f"Choose another name, or DROP {holder.kind.value} {holder.name}; first."
    )
    return VistaQLError(Code.NAME_TAKEN, f"'{holder.name}' is {article(holder.kind.words)} already.", hint=hint)


def article(words: str) -> str:
    """A noun with its article.

    >>> article("image set"), article("CNN")
    ('an image set', 'a CNN')
    """
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def now() -> str:
    """The time of this second, UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
