"""Handwritten digits, set at a random place and size on grey paper.

The digits are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, UCI Machine
Learning Repository, CC BY 4.0), which scikit-learn carries: 1,797 scans of 8 x 8 pixels with ink from 0 to 16.
As they are, centred and all of one size, raw pixels tell them apart; on paper they do not.

Chance comes from a hash and all arithmetic is in integers, so that every machine makes the same pictures.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

PAPER = 48
"""pixels on each side of the paper"""
SMALLEST, LARGEST = 14, 40
"""pixels on each side of a digit on the paper, drawn evenly"""
GREY, GRAIN = 170, 48
"""the paper is GREY plus or minus GRAIN / 2 from pixel to pixel"""
FULL_INK = 16
"""the darkest value of the original scans"""


@dataclass(frozen=True)
class Scan:
    """One original scan: `pixels` is [8, 8] of ink from 0 to 16, `number` its place in scikit-learn's data."""

    number: int
    digit: int
    pixels: NDArray[np.int64]


def load(digits: Collection[int]) -> tuple[Scan, ...]:
    """The scans of the given digits, in scikit-learn's order."""
    import numpy as np
    from sklearn.datasets import load_digits

    bunch = load_digits()
    chosen = (
        Scan(number, int(digit), pixels.astype(np.int64))
        for number, (digit, pixels) in enumerate(zip(bunch.target, bunch.images, strict=True))
    )
    return tuple(scan for scan in chosen if scan.digit in digits)


def on_paper(scan: Scan, copy: int = 0) -> NDArray[np.uint8]:
    """The digit at a random place and size on grey paper, [48, 48] with 0 for black; each `copy` lies elsewhere."""
    import numpy as np

    chance = hashlib.shake_256(f"scan {scan.number} copy {copy}".encode()).digest(12 + PAPER * PAPER)
    size = SMALLEST + int.from_bytes(chance[:4]) % (LARGEST - SMALLEST + 1)
    top = int.from_bytes(chance[4:8]) % (PAPER - size + 1)
    left = int.from_bytes(chance[8:12]) % (PAPER - size + 1)
    grain = np.frombuffer(chance, np.uint8, offset=12).reshape(PAPER, PAPER).astype(np.int64)
    paper = GREY + (grain * GRAIN) // 256 - GRAIN // 2
    under = paper[top : top + size, left : left + size]
    unit = FULL_INK * (2 * size) ** 2
    under -= under * enlarge(scan.pixels, size) // unit
    return paper.astype(np.uint8)


def enlarge(pixels: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Bilinear interpolation to [size, size], in units of 1 / (2 * size) ** 2.

    >>> import numpy as np
    >>> enlarge(np.array([[0, 16], [0, 16]]), 4)[0] / 64
    array([ 0.,  4., 12., 16.])
    """
    import numpy as np

    side = len(pixels)
    # The centre of new pixel i lies at ((2i + 1) * side - size) / (2 * size) in units of old pixels.
    centre = np.clip((2 * np.arange(size) + 1) * side - size, 0, 2 * size * (side - 1))
    low = np.minimum(centre // (2 * size), side - 2)
    weights = np.zeros((size, side), np.int64)
    weights[np.arange(size), low + 1] = centre - 2 * size * low
    weights[np.arange(size), low] = 2 * size - weights[np.arange(size), low + 1]
    return weights @ pixels @ weights.T
