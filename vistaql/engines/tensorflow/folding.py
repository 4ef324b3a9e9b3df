"""Weights of a graph: tensors it reads, with batch normalisation folded into the convolution before it.

TensorFlow would fold by itself if the weights were constants of the graph, to the same bits, but it copies constants
a dozen times on the way: ResNet50 took 2.6 GB and four seconds more before its first batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vistaql.engines.tensorflow.runtime import import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Floats = np.ndarray[Any, np.dtype[np.float32]]


def folded_norms(steps: dict[str, Any], wanted: Sequence[str], fused: frozenset[str]) -> dict[str, Any]:
    """The batch normalisation of each convolution that can take it in, by the name of the convolution.

    A convolution can if it is fused with a normalisation that is wanted as well, and has no activation in between.
    """
    return {
        source: steps[name]
        for name in wanted
        if type(steps[name]).__name__ == "BatchNormalization"
        for source in (steps[name]._inbound_nodes[0].input_tensors[0]._keras_history.operation.name,)  # noqa: SLF001, Keras has no other way
        if source in fused and source in wanted and takes_norm(steps[source], steps[name])
    }


def takes_norm(convolution: Any, norm: Any) -> bool:
    """Whether the normalisation is a scale and a shift of the convolution's own channels."""
    kind = type(convolution).__name__
    ungrouped = kind == "DepthwiseConv2D" or (kind == "Conv2D" and convolution.groups == 1)
    return ungrouped and is_linear(convolution) and norm.axis in (-1, 3)


def is_linear(layer: Any) -> bool:
    """Whether a layer has no activation of its own."""
    return layer.activation is None or layer.activation.__name__ == "linear"


def fold(convolution: Any, norm: Any) -> tuple[Floats, Floats]:
    """Kernel and bias of the convolution with the normalisation in them (Jacob et al. 2018, section 3.2)."""
    kernel = numbers(convolution.kernel)
    bias = numbers(convolution.bias) if convolution.use_bias else np.float32(0)
    gamma = numbers(norm.gamma) if norm.scale else np.float32(1)
    beta = numbers(norm.beta) if norm.center else np.float32(0)
    scale = gamma / np.sqrt(numbers(norm.moving_variance) + np.float32(norm.epsilon))
    depthwise = type(convolution).__name__ == "DepthwiseConv2D"
    folded = kernel * (scale.reshape(kernel.shape[2:]) if depthwise else scale)
    return folded, np.asarray(beta + (bias - numbers(norm.moving_mean)) * scale, np.float32)


def convolve_folded(convolution: Any, norm: Any, inputs: Any) -> Any:
    """What the normalisation gives, computed by one convolution."""
    import keras

    tf = import_tensorflow()
    kernel, bias = (held(values) for values in fold(convolution, norm))
    mapping = [(convolution.kernel, kernel)]
    if convolution.use_bias:
        mapping.append((convolution.bias, bias))
    with keras.StatelessScope(state_mapping=mapping):
        outputs = convolution(inputs)
    return outputs if convolution.use_bias else tf.nn.bias_add(outputs, bias)


def weights(variables: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Each variable with the tensor that stands for it in the graph being traced."""
    tf = import_tensorflow()
    with tf.init_scope():
        return [(variable, tf.identity(variable.value)) for variable in variables]


def held(values: Floats) -> Any:
    """Numbers as a tensor outside the graph being traced, which the graph reads."""
    tf = import_tensorflow()
    with tf.init_scope():
        return tf.constant(values)


def numbers(variable: Any) -> Floats:
    """The numbers of a Keras variable, also while a graph is traced."""
    tf = import_tensorflow()
    with tf.init_scope():
        return np.asarray(variable.value)
