"""Pool inside the pass: a layer leaves the CNN as a vector, never as a tensor."""

from __future__ import annotations

from vistaql.logical.nodes import InferLayers, PickLayer, PoolLayer
from vistaql.models.output import Output
from vistaql.plan.node import Node


def pool_in_pass(node: Node) -> Node:
    """Pool a layer where it is computed.

    A convolution of ResNet50 gives 784 KB an image, its average 4 KB.

    >>> from vistaql.logical.nodes import Decode, Infer, ScanImages
    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP
    >>> strokes = roster.load("strokes")
    >>> pixels = Decode(ScanImages(None, "photos"), strokes.input_size)
    >>> after = pool_in_pass(PoolLayer(Infer(pixels, strokes, "conv4"), GAP))
    >>> after.summary, after.inference.summary
    ('PickLayer called=strokes layer=conv4 pool=gap', 'InferLayers cnn=strokes outputs=conv4')
    """
    if not isinstance(node, PoolLayer):
        return node
    inference = InferLayers(node.tensor.pixels, node.cnn, (Output(node.layer, node.pool),))
    return PickLayer(inference, node.called, node.layer, node.pool, node.also)
