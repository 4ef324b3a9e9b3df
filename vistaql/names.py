"""The names a query can use: of the catalog, of the roster, and of tables that live in the session only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vistaql.catalog.catalog import Catalog, Kind
from vistaql.frontend import ast
from vistaql.models import roster, stored
from vistaql.models.cnn import Cnn
from vistaql.stores.image_set import ImageSet
from vistaql.stores.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Registered:
    """A table in the memory of the session."""

    table: Table
    data: pa.Table

    @classmethod
    def of(cls, name: str, data: pa.Table | pd.DataFrame, key: str | None, label: str | None) -> Registered:
        """Describe a pandas frame, whose index is left out, or anything that gives itself as Arrow."""
        import pyarrow as pa

        from vistaql.catalog.catalog import check_name
        from vistaql.stores.tables import describe_arrow

        check_name(name)
        is_frame = type(data).__module__.partition(".")[0] == "pandas"
        arrow = pa.Table.from_pandas(data, preserve_index=False) if is_frame else pa.table(data)
        return cls(describe_arrow(name, arrow, (key,) if key else (), label), arrow)


@dataclass(frozen=True)
class KnownNames:
    """Tables of the session come before those of the catalog, registered CNNs before the roster's."""

    catalog: Catalog
    registered: Mapping[str, Registered]

    def table(self, name: str) -> Table | None:
        """The table of that name."""
        held = self.registered.get(name.casefold())
        return held.table if held else self.catalog.table(name)

    def images(self, name: str) -> ImageSet | None:
        """The image set of that name."""
        return self.catalog.images(name)

    def cnn(self, name: str) -> Cnn | None:
        """The CNN of that name."""
        kept = self.catalog.cnn(name)
        return stored.from_json(kept) if kept else roster.load(name)

    def names(self, kind: ast.ObjectKind) -> tuple[str, ...]:
        """All names of a kind."""
        own = self.catalog.names(Kind(kind.value))
        match kind:
            case ast.ObjectKind.CNN:
                return tuple(dict.fromkeys((*own, *roster.names())))
            case ast.ObjectKind.TABLE:
                return tuple(dict.fromkeys((*own, *(item.table.name for item in self.registered.values()))))
            case _:
                return own

    def describe_table(self, alias: str, path: str) -> Table:
        """The table in a file, as CREATE TABLE would see it."""
        from vistaql.stores.tables import describe_table

        return describe_table(alias, path)

    def describe_images(self, alias: str, path: str) -> ImageSet:
        """The images of a folder or manifest, as CREATE IMAGES would see them."""
        from vistaql.stores.images import describe_images

        return describe_images(alias, path)
