"""The numbers to learn from: encoded columns of the table beside the features of a layer.

Features stay float32 where they are. A fit reads them in blocks of rows, converted to float64 while they are
in the processor's cache, so that it needs next to no memory of its own and is exact to float64.

A missing value is a zero in its column and a one in a column of `gaps`. What a fold puts in its place (its fill)
is then a matter of coefficients: x + gap fill, times w, is x w + gap (fill w). So folds that fill differently
still read the same blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vistaql.learners.shapes import LEAST_BLOCK_ROWS

BLOCK_ELEMENTS = 2**17
"""Numbers in a block: 1 MiB as float64. Measured at 9,600 x 1,280: no slower than one float64 matrix of 98 MB."""


class Vectors(Protocol):
    """Numbers [rows, features] in memory or elsewhere: as an array is read by row numbers, or by a slice of columns."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and features."""

    def __getitem__(self, place: Any, /) -> Any:
        """The rows of a place, or with a tuple some columns of them, as an array."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Columns of a table and features of a layer, row for row."""

    table: np.ndarray
    """float64 [rows, columns]; 0 where a value is missing"""
    gaps: np.ndarray
    """float64 [rows, columns with missing values]; 1 where a value is missing"""
    gap_columns: np.ndarray
    """int64 [columns with missing values]: their places in the table"""
    image: Vectors
    """float32 [rows, features]"""

    @property
    def width(self) -> int:
        """Columns of the table and features of the layer."""
        return int(self.table.shape[1] + self.image.shape[1])

    def block(self, rows: np.ndarray) -> np.ndarray:
        """Some rows of table, features and gaps: a new float64 array [rows, width + gaps]."""
        if not self.table.shape[1]:
            return np.asarray(self.image[rows], dtype=np.float64)
        block = np.empty((len(rows), self.width + self.gaps.shape[1]))
        block[:, : self.table.shape[1]] = self.table[rows]
        block[:, self.table.shape[1] : self.width] = self.image[rows]
        block[:, self.width :] = self.gaps[rows]
        return block

    def blocks(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Some rows in order, a block at a time, each with its place among them."""
        step = max(LEAST_BLOCK_ROWS, BLOCK_ELEMENTS // max(1, self.width))
        for start in range(0, len(rows), step):
            place = slice(start, min(start + step, len(rows)))
            yield place, self.block(rows[place])

    def filled(self, rows: np.ndarray, fill: np.ndarray) -> np.ndarray:
        """Some rows with a fold's fill in place: a new float64 array [rows, width]."""
        block = self.block(rows)
        block[:, self.gap_columns] += block[:, self.width :] * fill
        return block[:, : self.width]

    def filled_blocks(self, rows: np.ndarray, fill: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """The same, a block of rows at a time, each with its place."""
        step = max(LEAST_BLOCK_ROWS, BLOCK_ELEMENTS // max(1, self.width))
        for start in range(0, len(rows), step):
            place = slice(start, min(start + step, len(rows)))
            yield place, self.filled(rows[place], fill)

    def column_blocks(self, rows: np.ndarray, fill: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """All of some rows with the fill in place, a few columns at a time: float64 [rows, some], with their places."""
        table = self.table[rows]
        table[:, self.gap_columns] += self.gaps[rows] * fill
        start = table.shape[1]
        if start:
            yield slice(0, start), table
        step = max(64, BLOCK_ELEMENTS // max(1, len(rows)))
        for first in range(0, self.image.shape[1], step):
            part = self.image[rows, first : first + step].astype(np.float64)
            yield slice(start + first, start + first + part.shape[1]), part


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean and spread of each column over the rows of a training fold.

    The spread is the sample standard deviation (n - 1), as in MLlib. A column that is constant in the fold has
    the inverse spread 0: it takes no part, and neither does a value of it that only a tested row has.
    """

    mean: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, matrix: Matrix, rows: np.ndarray, fill: np.ndarray) -> Standardisation:
        """Fit to some rows, in two passes, so that columns far from zero lose no digits."""
        mean, squares = np.zeros(matrix.width), np.zeros(matrix.width)
        for _, block in matrix.filled_blocks(rows, fill):
            mean += block.sum(axis=0)
        mean /= len(rows)
        for _, block in matrix.filled_blocks(rows, fill):
            squares += ((block - mean) ** 2).sum(axis=0)
        spread = np.sqrt(squares / max(1, len(rows) - 1))
        varies = spread > 1e-12 * np.abs(mean)
        return cls(mean, np.divide(1.0, spread, out=np.zeros_like(spread), where=varies))
