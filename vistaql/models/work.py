"""What each layer of a CNN computes and moves for one image, by the kinds of kernel that run at different rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from vistaql.models.cnn import Cnn, Layer


class Kernel(Enum):
    """Kinds of computation that run at rates of their own."""

    CONVOLUTION = "convolution"
    """a window of several pixels over all channels"""
    POINTWISE = "pointwise"
    """a convolution of 1 x 1, which is a matrix product"""
    DEPTHWISE = "depthwise"
    """a convolution of each channel by itself"""
    DENSE = "dense"
    """a matrix product whose weights are read once a batch"""
    ELEMENTWISE = "element-wise"
    """everything whose time goes into reading and writing tensors"""


@dataclass(frozen=True)
class LayerWork:
    """The work of one layer for one image.

    `moved_bytes` are the tensors read and written, `weight_bytes` its weights where they are read once a batch.
    A layer computed together with its reader writes nothing, and the reader reads nothing.
    """

    kernel: Kernel
    flops: float
    moved_bytes: float
    weight_bytes: float


DENSE_CONVOLUTIONS = frozenset({"Conv2D", "SeparableConv2D", "Conv2DTranspose"})


def kernel_of(layer: Layer, cnn: Cnn) -> Kernel:
    """The kind of kernel a layer runs.

    >>> from vistaql.models import roster
    >>> mobilenet = roster.load("mobilenet_v2")
    >>> [kernel_of(mobilenet.by_name[name], mobilenet).value
    ...  for name in ("Conv1", "block_1_expand", "block_1_depthwise", "block_2_add", "predictions")]
    ['convolution', 'pointwise', 'depthwise', 'element-wise', 'dense']
    """
    if layer.kind == "Dense":
        return Kernel.DENSE
    if layer.kind == "DepthwiseConv2D":
        return Kernel.DEPTHWISE
    if layer.kind not in DENSE_CONVOLUTIONS or not layer.inputs:
        return Kernel.ELEMENTWISE
    channels = cnn.by_name[layer.inputs[0]].shape[-1]
    window = layer.flops / (2 * math.prod(layer.shape) * channels)
    return Kernel.POINTWISE if window <= 1 else Kernel.CONVOLUTION


@lru_cache(maxsize=64)
def work_of(cnn: Cnn) -> dict[str, LayerWork]:
    """The work of every layer, by its name."""
    return {layer.name: layer_work(layer, cnn) for layer in cnn.layers}


def layer_work(layer: Layer, cnn: Cnn) -> LayerWork:
    """The work of one layer."""
    kernel = kernel_of(layer, cnn)
    flops = 0.0 if kernel is Kernel.ELEMENTWISE else float(layer.flops)
    read = sum(cnn.by_name[name].bytes for name in layer.inputs if name not in cnn.fused)
    written = 0 if layer.name in cnn.fused else layer.bytes
    weights = 4.0 * layer.parameters if kernel is Kernel.DENSE else 0.0
    return LayerWork(kernel, flops, float(read + written) if layer.inputs else 0.0, weights)
