"""Where a name is wanted, and what there is to name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from vistaql.catalog.catalog import Catalog
from vistaql.errors import VistaQLError
from vistaql.models.cnn import Cnn
from vistaql.names import KnownNames
from vistaql.repl.standing import Standing
from vistaql.repl.surroundings import Surroundings
from vistaql.settings import Settings
from vistaql.stores.image_set import ImageSet
from vistaql.stores.tables import Table
from vistaql.stores.urls import is_url


@dataclass(frozen=True)
class Offer:
    """Something to type, and what the menu says beside it."""

    text: str
    meaning: str = ""


@dataclass
class Files:
    """Tables in files that a statement names by their path. They are read aside, so that no key waits for them."""

    found: dict[str, Table | None] = field(default_factory=dict)
    arrived: Callable[[], None] = lambda: None
    """called when a file has been read"""

    def table(self, names: KnownNames, path: str) -> Table | None:
        """What is known of the file by now; of one behind a URL nothing, as no key may wait for a server."""
        if is_url(path):
            return None
        absolute = str(Path(path).expanduser().absolute())
        if absolute not in self.found:
            self.found[absolute] = None
            Thread(target=self._read, args=(names, absolute)).start()
        return self.found[absolute]

    def _read(self, names: KnownNames, path: str) -> None:
        with suppress(VistaQLError, OSError):
            self.found[path] = names.describe_table("file", path)
            self.arrived()


@dataclass(frozen=True)
class World:
    """What a statement can name now: the catalog, the tables of the session, its settings, files."""

    names: KnownNames
    catalog: Catalog
    settings: Settings
    files: Files = field(default_factory=Files)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Tables of the session, then those of the catalog."""
        held = tuple(item.table for item in self.names.registered.values())
        taken = {table.name.casefold() for table in held}
        return (*held, *(table for table in self.catalog.tables() if table.name.casefold() not in taken))

    @property
    def image_sets(self) -> tuple[ImageSet, ...]:
        """The image sets of the catalog."""
        return self.catalog.image_sets()

    def cnn(self, name: str) -> Cnn | None:
        """The CNN of that name."""
        return self.names.cnn(name)

    def table(self, name: str, *, is_path: bool) -> Table | None:
        """A table by its name, or that of a file as far as it is read."""
        return self.files.table(self.names, name) if is_path else self.names.table(name)


@dataclass(frozen=True)
class Place:
    """Where a name is wanted: the parser's state, the statement around it, and what there is to name."""

    here: Standing
    around: Surroundings
    world: World
