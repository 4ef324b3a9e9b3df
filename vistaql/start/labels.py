"""Which columns of a table may be what is to be predicted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vistaql.errors import VistaQLError
from vistaql.learners.classes import Classes, read_classes
from vistaql.stores.quoting import typed

if TYPE_CHECKING:
    import pyarrow as pa

LABEL_NAMES = re.compile(r"(?:.*_)?(?:label|class|category|target|type|kind|species|diagnosis)$|y$", re.IGNORECASE)
ID_NAMES = re.compile(r"(?:.*_)?(?:id|key|uuid|code|index|zip|no|nr)$", re.IGNORECASE)
FEWEST_ROWS = 5
"""A class needs one row for each of the five folds."""
LEAST_COVERED = 0.8
"""share of the labelled rows that must lie in classes of so many"""
MOST_CLASSES = 1000
MOST_NUMBERS = 20
"""A whole number with more values is a measure."""


@dataclass(frozen=True)
class Candidate:
    """Something that may be predicted: `expression` as it stands behind PREDICT."""

    column: str
    expression: str
    classes: Classes

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.classes.names)


def candidates(table: pa.Table) -> tuple[Candidate, ...]:
    """The columns that are classes with enough rows each, the likeliest first.

    Where there is none, numbers are asked about in two classes: above their median or not.
    """
    found = [one for name in table.column_names if (one := candidate(table, name)) is not None]
    ranked = sorted(enumerate(found), key=lambda item: (*rank(table, item[1]), -item[0]))
    if ranked:
        return tuple(one for _, one in ranked)
    return tuple(one for name in table.column_names if (one := halves(table, name)) is not None)


def candidate(table: pa.Table, name: str) -> Candidate | None:
    """The column as a label, or None where it is none."""
    import pyarrow as pa

    kind = table[name].type
    if not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return None
    try:
        classes = read_classes(table[name], name)
    except VistaQLError:
        return None
    counts, most = classes.counts, MOST_CLASSES if is_text(kind) else MOST_NUMBERS
    enough = counts >= FEWEST_ROWS
    if len(counts) > most or enough.sum() < 2 or counts[enough].sum() < LEAST_COVERED * counts.sum():
        return None
    return Candidate(name, typed(name), classes)


def rank(table: pa.Table, found: Candidate) -> tuple[bool, bool, bool]:
    """Columns called like a label first, identifiers last; texts before numbers. Of equals the last in the table."""
    return (
        not LABEL_NAMES.match(found.column),
        bool(ID_NAMES.match(found.column)),
        not is_text(table[found.column].type),
    )


def halves(table: pa.Table, name: str) -> Candidate | None:
    """A column of numbers as two classes: above its median, and the rest."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[name]
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        return None
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    middle = float(np.median(known))
    try:
        classes = read_classes(pc.greater(column.cast(pa.float64(), safe=False), middle), name)
    except VistaQLError:
        return None
    return Candidate(name, f"{typed(name)} > {middle:.12g}", classes)


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is text."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
