"""Kept answers as relations, and everything a SELECT can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from vistaql.catalog.catalog import LAST, Catalog, Entry, Kind
from vistaql.outcome import Exploration, ScoreRow
from vistaql.stores.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from vistaql.stores.relations import Relations


def result_table(exploration: Exploration) -> pa.Table:
    """The rows of an answer with a column for each field of `ScoreRow`; folds and other names are lists."""
    import pyarrow as pa

    kinds = {
        "mean": pa.float64(), "std": pa.float64(), "folds": pa.list_(pa.float64()), "lift": pa.float64(),
        "lift_low": pa.float64(), "lift_high": pa.float64(), "width": pa.int64(), "fit_seconds": pa.float64(),
        "also": pa.list_(pa.string()),
    }  # fmt: skip
    names = [item.name for item in fields(ScoreRow)]
    return pa.table(
        {
            name: pa.array([getattr(row, name) for row in exploration.rows], kinds.get(name, pa.string()))
            for name in names
        }
    )


def relations_of(catalog: Catalog, registered: Mapping[str, tuple[Table, pa.Table]] | None = None) -> Relations:
    """What a SELECT can name: tables, image sets, results, `_`, and what the session registered, which comes first."""
    from vistaql.stores.relations import Relations

    held = registered or {}
    taken = {name.casefold() for name in held}
    memory: dict[str, Callable[[], pa.Table]] = {table.source: partial(_same, data) for table, data in held.values()}
    for entry in catalog.entries(Kind.RESULT):
        if entry.name.casefold() not in taken:
            memory[entry.name] = partial(_read, catalog, entry)
    last = catalog.last_result()
    if last is not None:
        memory[LAST] = partial(_read, catalog, last)
    return Relations(
        tables=(
            *(table for table in catalog.tables() if table.name.casefold() not in taken),
            *(table for table, _ in held.values()),
        ),
        images=tuple(images for images in catalog.image_sets() if images.name.casefold() not in taken),
        memory=memory,
    )


def _same(data: pa.Table) -> pa.Table:
    return data


def _read(catalog: Catalog, entry: Entry) -> pa.Table:
    return result_table(catalog.decoded(entry, Exploration))
