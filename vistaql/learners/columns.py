"""Columns of the joined tables as numbers, with everything that is fitted fitted inside the fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LEVELS = 100
"""Text columns with more different values are left out."""


@dataclass(frozen=True, eq=False)
class StructuredColumns:
    """The usable columns of a table, read once.

    Numbers, dates and times count as one number; true and false as 1 and 0; text is one-hot, one level a column.
    A level that no training row has is constant there, and so has no weight.
    """

    names: tuple[str, ...]
    """columns used"""
    are_text: tuple[bool, ...]
    """for each column used whether it is text"""
    left_out: tuple[tuple[str, str], ...]
    """columns not used, each with the reason"""
    missing: tuple[tuple[str, int], ...]
    """columns used that have missing values, and how many"""
    numbers: np.ndarray
    """float64 [rows, columns], each within -1 to 1 around its median; NaN is missing"""
    two_valued: np.ndarray
    """bool [columns]: the commonest value stands in for a missing one, and not the median"""
    levels: np.ndarray
    """int32 [rows, text columns]; -1 is missing"""
    sizes: tuple[int, ...]
    """levels of each text column"""

    @classmethod
    def of(cls, table: pa.Table) -> StructuredColumns:
        """Read every column of a table; leave out what cannot be used, and say why."""
        names, are_text, left_out, missing, sizes = [], [], [], [], []
        numbers: list[np.ndarray] = []
        two_valued: list[bool] = []
        levels: list[np.ndarray] = []
        for name in table.column_names:
            read = read_column(table.column(name))
            if isinstance(read, str):
                left_out.append((name, read))
                continue
            names.append(name)
            are_text.append(isinstance(read, Levels))
            if isinstance(read, Levels):
                levels.append(read.codes)
                sizes.append(read.size)
                absent = int((read.codes < 0).sum())
            else:
                numbers.append(read.values)
                two_valued.append(read.two_valued)
                absent = int(np.isnan(read.values).sum())
            if absent:
                missing.append((name, absent))
        rows = table.num_rows
        return cls(
            tuple(names),
            tuple(are_text),
            tuple(left_out),
            tuple(missing),
            stack(numbers, rows, np.float64),
            np.array(two_valued, dtype=bool),
            stack(levels, rows, np.int32),
            tuple(sizes),
        )

    @property
    def width(self) -> int:
        """Columns of the encoded table."""
        return int(self.numbers.shape[1]) + sum(self.sizes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and what was filled in, in words."""
        said = []
        if self.left_out:
            said.append("Left out: " + shorten([f"{name} ({why})" for name, why in self.left_out]) + ".")
        if self.missing:
            shown = shorten([f"{count} in {name}" for name, count in self.missing])
            said.append(f"Missing values: {shown}; filled with the fold's median, or its commonest value.")
        return tuple(said)

    def groups(self, most: int) -> Iterator[tuple[str, np.ndarray, bool]]:
        """Each column as group numbers from 0, and whether neighbouring groups are alike, as those of numbers are.

        A group is a level, a number, or, with more than `most` different numbers, one of so many ranges; missing
        is a group too. Groups do not depend on the order of rows.
        """
        numbers, texts = iter(self.numbers.T), iter(self.levels.T)
        for name, text in zip(self.names, self.are_text, strict=True):
            if text:
                yield name, next(texts).astype(np.int64) + 1, False
                continue
            values = next(numbers)
            cuts = np.unique(values[~np.isnan(values)])
            if len(cuts) > most:
                cuts = cuts[np.unique(np.linspace(0, len(cuts) - 1, most).astype(np.int64))]
            yield name, np.where(np.isnan(values), 0, 1 + np.searchsorted(cuts, values)), True

    @cached_property
    def encoded(self) -> np.ndarray:
        """Numbers, then the levels of each text column: float64 [rows, width], 0 where a value is missing."""
        encoded = np.zeros((len(self.numbers), self.width))
        encoded[:, : self.numbers.shape[1]] = np.nan_to_num(self.numbers, nan=0.0)
        for place, start in enumerate(self._level_starts):
            codes = self.levels[:, place]
            known = np.flatnonzero(codes >= 0)
            encoded[known, start + codes[known]] = 1.0
        return encoded

    @cached_property
    def gap_columns(self) -> np.ndarray:
        """Columns of the encoded table in which a value is missing: int64."""
        places = [int(place) for place in np.flatnonzero(np.isnan(self.numbers).any(axis=0))]
        for place in self._gap_levels:
            start = self._level_starts[place]
            places.extend(range(start, start + self.sizes[place]))
        return np.array(places, dtype=np.int64)

    @cached_property
    def gaps(self) -> np.ndarray:
        """Where a value of the gap columns is missing: float64 [rows, gap columns], 1 or 0."""
        absent = np.isnan(self.numbers)
        parts = [absent[:, absent.any(axis=0)]]
        parts.extend(np.repeat(self.levels[:, [place]] < 0, self.sizes[place], axis=1) for place in self._gap_levels)
        return np.hstack(parts).astype(np.float64)

    def fill(self, train: np.ndarray) -> np.ndarray:
        """What stands in for the missing values of each gap column, from some rows: the median, or the commonest.

        0, which is the median of all rows, where these rows have no value at all.
        """
        filled: list[float] = []
        for column in np.flatnonzero(np.isnan(self.numbers).any(axis=0)):
            known = self.numbers[train, column]
            known = known[~np.isnan(known)]
            if len(known):
                filled.append(commonest(known) if self.two_valued[column] else float(np.median(known)))
            else:
                filled.append(0.0)
        for place in self._gap_levels:
            seen = self.levels[train, place]
            counts = np.bincount(seen[seen >= 0], minlength=self.sizes[place])
            filled.extend(float(level == counts.argmax()) for level in range(self.sizes[place]))
        return np.array(filled)

    @cached_property
    def _level_starts(self) -> tuple[int, ...]:
        return tuple(accumulate(self.sizes[:-1], initial=self.numbers.shape[1])) if self.sizes else ()

    @cached_property
    def _gap_levels(self) -> tuple[int, ...]:
        return tuple(place for place in range(len(self.sizes)) if (self.levels[:, place] < 0).any())


def commonest(values: np.ndarray) -> float:
    """The value that most rows have; of equals the least."""
    different, counts = np.unique(values, return_counts=True)
    return float(different[counts.argmax()])


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers: float64 [rows], NaN is missing."""

    values: np.ndarray
    two_valued: bool = False


@dataclass(frozen=True, eq=False)
class Levels:
    """A column of few different texts: int32 [rows] from 0, in the order of the texts; -1 is missing."""

    codes: np.ndarray
    size: int


def read_column(column: pa.ChunkedArray) -> Numbers | Levels | str:
    """The column as numbers or levels, or the reason why it cannot be used."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if column.null_count == len(column):
        return "no values"
    if pa.types.is_boolean(kind):
        return Numbers(as_floats(column), two_valued=True)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return usable(as_floats(column))
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return usable(as_floats(column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return as_levels(column)
    return f"{kind} is not a number or text"


def as_floats(column: pa.ChunkedArray) -> np.ndarray:
    """Float64, with NaN for null and for what is not finite."""
    import pyarrow as pa

    values = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def usable(values: np.ndarray) -> Numbers | str:
    """Numbers around zero, unless none is left.

    Moving and scaling a column changes nothing, since it is standardised; it keeps the digits of large numbers.
    """
    if np.isnan(values).all():
        return "no finite values"
    # Halves first: the difference of the largest numbers would overflow.
    values = values / 2 - np.nanmedian(values) / 2
    return Numbers(values / (np.nanmax(np.abs(values)) or 1.0))


def as_levels(column: pa.ChunkedArray) -> Levels | str:
    """Codes of the different texts, unless there are too many, or nearly as many as rows."""
    import pyarrow.compute as pc

    different = column.unique().drop_null()
    if len(different) > MOST_LEVELS:
        return f"{len(different)} different texts, more than {MOST_LEVELS}"
    if len(different) > 2 and 2 * len(different) > len(column) - column.null_count:
        return f"{len(different)} different texts in {len(column)} rows"
    ordered = different.take(pc.sort_indices(different))
    codes = pc.index_in(column, ordered).fill_null(-1).to_numpy()
    return Levels(codes.astype(np.int32), len(ordered))


def stack(columns: Sequence[np.ndarray], rows: int, kind: type[np.generic]) -> np.ndarray:
    """Columns beside each other: [rows, columns], with no columns too."""
    return np.column_stack(columns) if columns else np.empty((rows, 0), dtype=kind)


def shorten(items: Sequence[str], most: int = 6) -> str:
    """A list for people, cut where it gets long."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
