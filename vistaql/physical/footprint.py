"""Memory of a pass besides what it gives: the CNN as it is built, its graph, and the tensors of a batch."""

from __future__ import annotations

from functools import lru_cache

from vistaql.models.cnn import Cnn
from vistaql.physical.inference import Pass

FLOAT32 = 4

# Bytes of memory for each byte of something, measured as the resident size of passes over six CNNs on two cores:
# resnet50, mobilenet_v2, efficientnet_b0, strokes, alexnet and vgg16, cut early and late. All are met within 8 %.
MODEL_COPIES = 2.6
"""a CNN's weights while Keras fills them; TensorFlow keeps the memory, and computes in it later"""
FILLING = 2.0
"""the largest layer's weights while they are read or drawn"""
LAYER_BYTES = 200_000
"""Keras's objects for one layer"""
GRAPH_COPIES = 1.6
"""weights of convolutions: with normalisation folded in, and in the layout each kernel wants"""
WORKSPACE = 1.5
"""tensors of a batch that live at once: themselves, and what kernels put beside them"""
LEAST_WORKSPACE = 40_000_000

# Decoded photos: 8 bits a channel, in the batches that wait and the one in work.
PIXEL_BYTES = 3
BATCHES_AHEAD = 3
"""Batches that are being decoded or wait for the CNN, the next one included, at least"""
MOST_AHEAD = 16
"""Photos are small beside tensors; so many batches are decoded while the graph is built, and cores are idle"""
AHEAD_BYTES = 48_000_000
"""what these may take together"""
TENSORS_AT_ONCE = 4
"""Batches of kept tensors: the one in work, TensorFlow's copy of it, the next, and the one before it in Arrow's pool"""


def footprint(inference: Pass) -> int:
    """Bytes: the model while it is filled; then its graph and a batch, as far as they go beyond what the model took."""
    inference = inference.alone
    running = workspace_bytes(inference) + waiting_bytes(inference) + graph_bytes(inference)
    return model_bytes(inference) + max(int(FILLING * FLOAT32 * inference.cnn.most_parameters), running)


def model_bytes(inference: Pass) -> int:
    """The Keras model with its weights. When it is gone, TensorFlow still has the memory."""
    parameters, layers = built(inference.alone.cnn)
    return int(MODEL_COPIES * FLOAT32 * parameters) + LAYER_BYTES * layers


def built(cnn: Cnn) -> tuple[int, int]:
    """Weights and layers that are built for a CNN.

    For a union each of its CNNs is built whole, and then the layers that only the later ones have are copied.
    """
    if not cnn.parts:
        return cnn.parameters, len(cnn.layers)
    whole = [part.cnn for part in cnn.parts]
    first = whole[0]
    parameters = sum(one.parameters for one in whole) + cnn.parameters - first.parameters
    return parameters, sum(len(one.layers) for one in whole) + len(cnn.layers) - len(first.layers)


def graph_bytes(inference: Pass) -> int:
    """The weights that the graph has of its own; those of other layers it shares with the model."""
    return int(GRAPH_COPIES * FLOAT32 * inference.convolution_parameters)


def workspace_bytes(inference: Pass) -> int:
    """Tensors of one batch, as far as the memory of the model does not hold them.

    Where a pass resumes, TensorFlow still has what the passes before it took, and kept tensors lie beside that.
    """
    cnn, source = inference.cnn, inference.source
    live = max(inference.live_bytes, live_before(cnn, source) if source else 0)
    needed = LEAST_WORKSPACE + WORKSPACE * live * cnn.batch_rows
    return max(0, int(needed - MODEL_COPIES * FLOAT32 * cnn.parameters))


@lru_cache(maxsize=1024)
def live_before(cnn: Cnn, layer: str) -> int:
    """The most bytes of tensors an image holds at once on its way from pixels to a layer that is kept."""
    return Pass(cnn, None, (), (layer,)).live_bytes


def waiting_bytes(inference: Pass) -> int:
    """Batches on their way to the graph: decoded photos, or tensors that were kept."""
    at_once = TENSORS_AT_ONCE if inference.source else batches_ahead(inference) + 1
    return at_once * batch_bytes(inference)


def batches_ahead(inference: Pass) -> int:
    """Batches that may be decoded or wait. Kept tensors are read by the thread that runs the CNN: none need wait."""
    if inference.source:
        return 1
    return max(BATCHES_AHEAD, min(MOST_AHEAD, AHEAD_BYTES // batch_bytes(inference)))


def batch_bytes(inference: Pass) -> int:
    """A batch before it goes through the graph."""
    height, width = inference.cnn.input_size
    one = PIXEL_BYTES * height * width
    if inference.source is not None:
        one = inference.cnn.by_name[inference.source].bytes
    return inference.cnn.batch_rows * one
