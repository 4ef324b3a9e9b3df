"""How a layer becomes one vector an image, as operations of the graph."""

from __future__ import annotations

import math
from typing import Any

from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.models.pool import Pool, PoolKind


def pool(tensor: Any, how: Pool) -> Any:
    """Reduce [rows, height, width, channels] to [rows, cells x channels], cell by cell from the top left.

    A tensor without height and width, or one pooled by NONE, is only made flat.
    """
    tf = import_tensorflow()
    rows, *shape = tensor.shape
    if how.kind is PoolKind.NONE or len(shape) != 3:
        return tf.reshape(tensor, (rows, math.prod(shape)))
    reduce = tf.reduce_max if how.kind is PoolKind.MAX else tf.reduce_mean
    height, width, _ = shape
    cells = [
        reduce(tensor[:, top:bottom, left:right, :], axis=(1, 2))
        for top, bottom in spans(height, how.height)
        for left, right in spans(width, how.width)
    ]
    return cells[0] if len(cells) == 1 else tf.concat(cells, axis=1)


def spans(length: int, parts: int) -> list[tuple[int, int]]:
    """Cut a side into parts that cover it: neighbours overlap by a row where it does not divide evenly.

    >>> spans(4, 2), spans(7, 3), spans(2, 3)
    ([(0, 2), (2, 4)], [(0, 3), (2, 5), (4, 7)], [(0, 1), (0, 2), (1, 2)])
    """
    return [(part * length // parts, -(-(part + 1) * length // parts)) for part in range(parts)]
