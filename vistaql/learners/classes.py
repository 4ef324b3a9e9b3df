"""Classes from a label column, and the reasons why a column is not a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vistaql.errors import Code, VistaQLError
from vistaql.learners.folds import UNUSED

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST_ROWS_A_CLASS = 5
"""A label with more than MANY values and fewer rows a value, on average, is a measure or a name, and not a class."""
MANY = 20


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
    if isinstance(value, float):
        return f"{value:g}"
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
    if len(ordered) > MANY and len(present) < FEWEST_ROWS_A_CLASS * len(ordered):
        raise VistaQLError(
            Code.TOO_MANY_CLASSES,
            f"{label} has {len(ordered)} different values in {len(present)} rows; classes need rows to learn from.",
            hint=too_many_hint(present, label),
        )


def too_many_hint(present: Sequence[object], label: str) -> str:
    """For numbers, the question in two classes, cut at the median."""
    numbers = [value for value in present if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(present):
        return "PREDICT a column with fewer values, or group them with CASE in a CREATE TABLE .. AS SELECT."
    return f"Ask for two classes: PREDICT {label} > {np.median(numbers):g}"


def check_folds(classes: Classes, tested: np.ndarray) -> None:
    """Raise TOO_FEW_ROWS where a fold has nothing to test, or one class only to learn from."""
    for fold in range(int(tested.max(initial=-1)) + 1):
        train = (tested != fold) & (tested != UNUSED)
        if not (tested == fold).any() or len(np.unique(classes.codes[train])) < 2:
            raise VistaQLError(
                Code.TOO_FEW_ROWS,
                f"{len(tested)} rows with a label are too few: one fold would have no row to test, "
                "or only one class to learn from.",
                hint="Take more rows, or fewer folds: EVALUATE accuracy USING CROSS VALIDATION (2).",
            )
