"""Layers that give the same numbers under other names."""

from __future__ import annotations

from vistaql.models.cnn import Cnn
from vistaql.models.output import Output
from vistaql.models.pool import GAP, GMP, WHOLE

POOLINGS = {"GlobalAveragePooling2D": GAP, "GlobalMaxPooling2D": GMP}
UNCHANGED = ("Dropout", "Flatten")


def origin(cnn: Cnn, output: Output) -> Output:
    """The earliest layer, and the pooling of it, that gives the same numbers.

    >>> from vistaql.models import roster
    >>> origin(roster.load("resnet50"), Output("avg_pool", WHOLE))
    Output(layer='conv5_block3_out', pool=Pool(kind=<PoolKind.AVG: 'avg'>, height=1, width=1))
    """
    layer, pool = cnn.by_name[output.layer], output.pool
    unchanged = UNCHANGED if pool == WHOLE and not layer.spatial else ()
    while layer.kind in unchanged and len(layer.inputs) == 1 and not cnn.by_name[layer.inputs[0]].spatial:
        layer = cnn.by_name[layer.inputs[0]]
    if layer.kind in POOLINGS and len(layer.shape) == 1:
        layer, pool = cnn.by_name[layer.inputs[0]], POOLINGS[layer.kind]
    return Output(layer.name, pool)
