"""The numbers to learn from: encoded columns of the table beside the features of a layer.

Features stay float32 where they are. A fit reads them in blocks of rows, converted to float64 while they are
in the processor's cache, so that it needs next to no memory of its own and is exact to float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK_ELEMENTS = 2**17
"""Numbers in a block: 1 MiB as float64. Measured at 9,600 x 1,280: no slower than one float64 matrix of 98 MB."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Arrays [rows, columns] that stand beside each other; float64 for the table, float32 for a layer."""

    parts: tuple[np.ndarray, ...]

    @property
    def width(self) -> int:
        """Columns of all parts."""
        return sum(part.shape[1] for part in self.parts)

    def block(self, rows: np.ndarray) -> np.ndarray:
        """Some rows of all parts: a new float64 array [rows, width]."""
        if len(self.parts) == 1:
            return self.parts[0][rows].astype(np.float64)
        block = np.empty((len(rows), self.width))
        start = 0
        for part in self.parts:
            block[:, start : start + part.shape[1]] = part[rows]
            start += part.shape[1]
        return block

    def column_blocks(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Some rows of all parts, a few columns at a time: float64 [rows, some]."""
        step = max(64, BLOCK_ELEMENTS // max(1, len(rows)))
        for part in self.parts:
            for start in range(0, part.shape[1], step):
                yield part[rows, start : start + step].astype(np.float64)

    def row_blocks(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Some rows in order, a block at a time, each with its place among them."""
        step = max(32, BLOCK_ELEMENTS // max(1, self.width))
        for start in range(0, len(rows), step):
            place = slice(start, min(start + step, len(rows)))
            yield place, self.block(rows[place])


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean and spread of each column over the rows of a training fold.

    The spread is the sample standard deviation (n - 1), as in MLlib. A column that is constant in the fold has
    the inverse spread 0: it takes no part, and neither does a value of it that only a tested row has.
    """

    mean: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, matrix: Matrix, rows: np.ndarray) -> Standardisation:
        """Fit to some rows, in two passes, so that columns far from zero lose no digits."""
        mean = sum(block.sum(axis=0) for _, block in matrix.row_blocks(rows)) / len(rows)
        squares = sum(((block - mean) ** 2).sum(axis=0) for _, block in matrix.row_blocks(rows))
        spread = np.sqrt(squares / max(1, len(rows) - 1))
        varies = spread > 1e-12 * np.abs(mean)
        return cls(mean, np.divide(1.0, spread, out=np.zeros_like(spread), where=varies))
