"""How many keys of one object are keys of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vistaql.catalog.catalog import Catalog
from vistaql.errors import VistaQLError
from vistaql.stores.image_set import ImageSet
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import Table, scan_sql

if TYPE_CHECKING:
    import pyarrow as pa

# Comparing keys is a service of CREATE; above this many it would be a wait.
MOST_KEYS = 2_000_000


@dataclass(frozen=True)
class Match:
    """Of `total` different keys here, `common` are keys of `other`; where none is, an example of both sides."""

    other: str
    common: int
    total: int
    here: str | None = None
    there: str | None = None

    def __str__(self) -> str:
        """For instance: keys: 2,990 of 3,000 match images photos."""
        if self.common:
            return f"keys: {self.common:,} of {self.total:,} match {self.other}"
        return f"keys: none of {self.total:,} matches {self.other} ('{self.here}' here, '{self.there}' there)"


def keys_of(item: Table | ImageSet) -> pa.Array | None:
    """The different keys of a table or an image set, as text; None where there is no single key column."""
    import pyarrow as pa

    from vistaql.stores import duck

    if isinstance(item, ImageSet):
        from vistaql.stores.listing import listed

        return pa.array(listed(item).keys, pa.string()).unique()
    if len(item.key) != 1:
        return None
    key = identifier(item.key[0])
    with duck.connected(reads=(item.source,)) as connection, duck.reading(item.source):
        table = connection.sql(f"SELECT DISTINCT {key} AS key FROM {scan_sql(item)} WHERE {key} IS NOT NULL")
        return table.to_arrow_table()["key"].combine_chunks()


def key_matches(catalog: Catalog, item: Table | ImageSet) -> tuple[Match, ...]:
    """The keys of an object against those of everything else; two tables only where they share some."""
    keys = keys_of(item) if _size(item) <= MOST_KEYS else None
    if keys is None or not len(keys):
        return ()
    others: list[Table | ImageSet] = [*catalog.image_sets(), *catalog.tables()]
    found = []
    for other in others:
        if other.name.casefold() != item.name.casefold() and _size(other) <= MOST_KEYS:
            match = _match(keys, other)
            if match is not None and (match.common or isinstance(item, ImageSet) != isinstance(other, ImageSet)):
                found.append(match)
    return tuple(found)


def _size(item: Table | ImageSet) -> int:
    return item.statistics.count if isinstance(item, ImageSet) else item.rows


def _match(keys: pa.Array, other: Table | ImageSet) -> Match | None:
    import pyarrow.compute as pc

    try:
        theirs = keys_of(other)
    except VistaQLError:
        # Its files may be gone; that is no fault of the object that is made now.
        return None
    if theirs is None or not len(theirs):
        return None
    common = pc.sum(pc.is_in(keys, value_set=theirs)).as_py() or 0
    name = f"{'images' if isinstance(other, ImageSet) else 'table'} {other.name}"
    if common:
        return Match(name, common, len(keys))
    return Match(name, 0, len(keys), pc.min(keys).as_py(), pc.min(theirs).as_py())
