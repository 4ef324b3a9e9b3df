"""What a person would note about a scan: the columns of the demo's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vistaql.demo.scans import Scan

MARK = 4
"""ink above which a pixel counts as written on"""


@dataclass(frozen=True)
class Measures:
    """Of the original scan: `ink` in all, `width` and `height` in pixels, and `slant` in thousandths.

    The slant is how far the writing moves to the right from a row to the row above it.
    """

    ink: int
    width: int
    height: int
    slant: int


def measure(scan: Scan) -> Measures:
    """Measure one scan, in integers, so that every machine writes the same table.

    >>> import numpy as np
    >>> from vistaql.demo.scans import Scan
    >>> measure(Scan(0, 7, 9 * np.fliplr(np.eye(8, dtype=np.int64))))
    Measures(ink=72, width=8, height=8, slant=1000)
    """
    import numpy as np

    ink = int(scan.pixels.sum())
    rows, columns = np.indices(scan.pixels.shape)
    # Distances from the centre of the ink, times the ink, are whole numbers.
    down = ink * rows - int((scan.pixels * rows).sum())
    right = ink * columns - int((scan.pixels * columns).sum())
    lean = -int((scan.pixels * down * right).sum())
    spread = int((scan.pixels * down * down).sum())
    rows_marked, columns_marked = np.nonzero(scan.pixels > MARK)
    return Measures(ink, extent(columns_marked), extent(rows_marked), 1000 * lean // spread)


def extent(places: NDArray[np.int64]) -> int:
    """From the first to the last place, both included.

    >>> import numpy as np
    >>> extent(np.array([1, 3, 3]))
    3
    """
    return int(places.max() - places.min()) + 1
