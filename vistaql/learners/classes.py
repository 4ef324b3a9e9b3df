"""Classes from a label column, and the reasons why a column is not a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    import pyarrow as pa

MANY = 20
"""A label may have so many values whatever the number of rows."""
FEWEST_ROWS_A_CLASS = 5
"""With more values it takes so many rows a value, on average; else it names rows."""
MOST_NUMBERS = 100
"""Whole numbers with more values are a measure and not a class; so are other numbers beyond MANY."""


@dataclass(frozen=True, eq=False)
class Classes:
    """The label of every row that has one."""

    codes: np.ndarray
    """int64 [labelled rows]: the place of the row's class in `names`"""
    names: tuple[str, ...]
    """classes in the order of their values"""
    labelled: np.ndarray
    """bool [rows]: whether the row has a label"""

    @property
    def without_label(self) -> int:
        """Rows whose label is null, NaN or blank."""
        return int((~self.labelled).sum())

    @property
    def counts(self) -> np.ndarray:
        """Rows of each class."""
        return np.bincount(self.codes, minlength=len(self.names))

    @property
    def commonest(self) -> str:
        """The class with most rows; of equals the first."""
        return self.names[int(self.counts.argmax())]

    def smaller_than(self, folds: int) -> tuple[str, ...]:
        """The classes that some fold has no row of."""
        return tuple(name for name, count in zip(self.names, self.counts, strict=True) if count < folds)

    def notes(self, folds: int) -> tuple[str, ...]:
        """What to know about small classes, in words."""
        small = self.smaller_than(folds)
        if not small:
            return ()
        shown = ", ".join(small[:6]) + (f" and {len(small) - 6} more" if len(small) > 6 else "")
        return (f"Classes with fewer rows than the {folds} folds: {shown}. Their rows are kept.",)


def read_classes(column: pa.ChunkedArray, label: str) -> Classes:
    """Read a label column; `label` is the user's words for it, for the errors.

    Raises ONE_CLASS, NO_ROWS, and TOO_MANY_CLASSES, without a span.
    """
    values = [None if is_blank(value) else value for value in column.to_pylist()]
    labelled = np.array([value is not None for value in values], dtype=bool)
    present = [value for value in values if value is not None]
    try:
        ordered = sorted(set(present))
    except TypeError:
        raise VistaQLError(
            Code.TOO_MANY_CLASSES, f"The values of {label} ({column.type}) cannot be classes.",
            hint="PREDICT a column of texts, whole numbers, or true and false.",
        ) from None  # fmt: skip
    check_values(ordered, present, label)
    place = {value: number for number, value in enumerate(ordered)}
    codes = np.array([place[value] for value in present], dtype=np.int64)
    return Classes(codes, tuple(map(as_name, ordered)), labelled)


def is_blank(value: object) -> bool:
    """Whether a value says nothing: null, NaN, or a text without letters."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124 - NaN


def as_name(value: object) -> str:
    """A class as a person writes it.

    >>> as_name(True), as_name(5.0), as_name("Shirt")
    ('true', '5', 'Shirt')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def check_values(ordered: Sequence[object], present: Sequence[object], label: str) -> None:
    """Raise where the values do not make two classes, or too many."""
    if not ordered:
        raise VistaQLError(
            Code.NO_ROWS, f"No row has a value of {label}.", hint=f"Look at it: SELECT {label}, count(*) FROM .."
        )
    if len(ordered) == 1:
        raise VistaQLError(
            Code.ONE_CLASS,
            f"All {len(present)} rows have the same value of {label}: {as_name(ordered[0])}.",
            hint="PREDICT a column with two values or more, or change WHERE.",
        )
    if len(ordered) > MANY and (len(present) < FEWEST_ROWS_A_CLASS * len(ordered) or is_measure(ordered)):
        raise VistaQLError(
            Code.TOO_MANY_CLASSES,
            f"{label} has {len(ordered)} different values in {len(present)} rows; that is too many for classes.",
            hint=too_many_hint(present, label),
        )


def is_measure(ordered: Sequence[object]) -> bool:
    """Whether more than MANY different values are amounts of something."""
    if not all(is_number(value) for value in ordered):
        return False
    return len(ordered) > MOST_NUMBERS or any(value != int(value) for value in ordered)  # type: ignore[call-overload]


def is_number(value: object) -> bool:
    """Whether a value is a number; true and false are not."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def too_many_hint(present: Sequence[object], label: str) -> str:
    """For numbers, the question in two classes, cut at the median."""
    if not all(is_number(value) for value in present):
        return "PREDICT a column with fewer values, or group them with CASE in a CREATE TABLE .. AS SELECT."
    middle = np.median([float(value) for value in present])  # type: ignore[arg-type]
    return f"Ask for two classes: PREDICT {label} > {middle:g}"
