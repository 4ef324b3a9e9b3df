"""How a spatial layer becomes a vector: inside the inference pass, before anything is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class PoolKind(Enum):
    """The reductions over height and width."""

    MAX = "max"
    AVG = "avg"
    NONE = "none"


@dataclass(frozen=True)
class Pool:
    """A reduction to a grid of `height` x `width` cells for each channel; `NONE` keeps the whole tensor.

    `gap` is avg(1,1), `gmp` is max(1,1). A layer without height and width is a vector already and takes NONE.

    >>> str(GAP), str(Pool(PoolKind.MAX, 2, 2)), str(WHOLE)
    ('gap', 'max(2,2)', 'none')
    """

    kind: PoolKind
    height: int = 0
    width: int = 0

    def __str__(self) -> str:
        if self.kind is PoolKind.NONE:
            return "none"
        if (self.height, self.width) == (1, 1):
            return "gap" if self.kind is PoolKind.AVG else "gmp"
        return f"{self.kind.value}({self.height},{self.width})"

    def feature_width(self, shape: tuple[int, ...]) -> int:
        """How many numbers an image gets from a layer of this shape (height, width, channels) or (channels,).

        >>> GAP.feature_width((14, 14, 1024)), WHOLE.feature_width((14, 14, 1024))
        (1024, 200704)
        """
        if self.kind is PoolKind.NONE or len(shape) < 3:
            return math.prod(shape)
        return self.height * self.width * shape[-1]


GAP = Pool(PoolKind.AVG, 1, 1)
GMP = Pool(PoolKind.MAX, 1, 1)
WHOLE = Pool(PoolKind.NONE)
