"""Reading the facts off a Keras model: layers, shapes, FLOPs, connections, and a digest of the whole graph."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from vistaql.errors import Code, VistaQLError
from vistaql.models.cnn import Layer

if TYPE_CHECKING:
    import keras

# What a layer's configuration says that does not change what it computes at inference.
NOT_ARITHMETIC = frozenset(
    {
        "name", "trainable", "dtype", "batch_shape", "optional", "sparse", "ragged", "seed", "momentum", "rate",
        "synchronized", "quantization_config", "kernel_initializer", "bias_initializer", "beta_initializer",
        "gamma_initializer", "moving_mean_initializer", "moving_variance_initializer", "depthwise_initializer",
        "pointwise_initializer", "alpha_initializer", "kernel_regularizer", "bias_regularizer",
        "activity_regularizer", "beta_regularizer", "gamma_regularizer", "depthwise_regularizer",
        "pointwise_regularizer", "alpha_regularizer", "renorm", "renorm_clipping", "renorm_momentum",
        "kernel_constraint", "bias_constraint", "beta_constraint", "gamma_constraint", "depthwise_constraint",
        "pointwise_constraint", "alpha_constraint", "lora_rank", "lora_alpha", "build_config",
    }
)  # fmt: skip


def read_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Every layer in topological order, the input first. Raises BAD_MODEL where the graph is not one of a CNN."""
    operations = model.operations
    known = {id(operation) for operation in operations}
    check_graph(model, operations)
    ordered = sorted(range(len(operations)), key=lambda place: (not is_input(operations[place]), place))
    return tuple(read_layer(operations[place], known) for place in ordered)


def check_graph(model: keras.Model, operations: list[Any]) -> None:
    """One image in, one tensor out of every layer, each layer used once."""
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4 or model.inputs[0].shape[-1] != 3:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in model.inputs)
        raise broken(f"its input is {shapes}, not one RGB image of (height, width, 3)")
    for operation in operations:
        nodes = operation._inbound_nodes  # noqa: SLF001, Keras has no public name for the graph
        if len(nodes) != 1:
            raise broken(f"its layer {operation.name} is used {len(nodes)} times")
        if len(nodes[0].output_tensors) != 1:
            raise broken(f"its layer {operation.name} gives {len(nodes[0].output_tensors)} tensors")
        shape = nodes[0].output_tensors[0].shape
        if None in shape[1:]:
            hint = "Say the size: WITH (input_size = 224)"
            raise broken(f"its layer {operation.name} has no fixed shape: {tuple(shape[1:])}", hint)
        if getattr(operation, "compute_dtype", "float32") != "float32":
            raise broken(f"its layer {operation.name} computes in {operation.compute_dtype}, not in float32")


def broken(reason: str, hint: str | None = None) -> VistaQLError:
    """The graph is not one whose layers can be read off."""
    return VistaQLError(Code.BAD_MODEL, f"The model cannot be used: {reason}.", hint=hint)


def is_input(operation: Any) -> bool:
    """Whether an operation only takes the pixels."""
    return type(operation).__name__ == "InputLayer"


def read_layer(operation: Any, known: set[int]) -> Layer:
    """The facts about one layer of a model; `known` are the ids of the model's operations."""
    inputs = sources(operation, known)
    return Layer(
        name=operation.name,
        kind=type(operation).__name__,
        shape=tuple(operation.output.shape[1:]),
        inputs=tuple(source.name for source in inputs),
        flops=flops(operation),
        parameters=sum(math.prod(map(int, weight.shape)) for weight in getattr(operation, "weights", ())),
    )


def sources(operation: Any, known: set[int]) -> list[Any]:
    """The operations whose output one reads, in the order of its arguments."""
    tensors = operation._inbound_nodes[0].input_tensors  # noqa: SLF001
    found = [tensor._keras_history.operation for tensor in tensors]  # noqa: SLF001
    return [source for source in found if id(source) in known and source is not operation]


def flops(operation: Any) -> int:
    """Floating-point operations for one image: two for each multiply-add of convolutions and dense layers.

    Bias and a fused activation are not counted, as in the literature. Other layers count one for each number and
    each operand (an add of two tensors: one; pooling: the window; batch normalisation: two).
    """
    kernels = {weight.name: tuple(map(int, weight.shape)) for weight in getattr(operation, "weights", ())}
    kind = type(operation).__name__
    if kind in KERNEL_KINDS:
        return 2 * multiply_adds(operation, kind, kernels)
    if kind in ONLY_MOVES:
        return 0
    return elementwise(operation, kind)


KERNEL_KINDS = frozenset({"Conv2D", "Dense", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"})


def multiply_adds(operation: Any, kind: str, kernels: dict[str, tuple[int, ...]]) -> int:
    """Multiply-adds of a convolution or dense layer for one image."""
    numbers = count(operation.output)
    match kind:
        case "Conv2DTranspose":
            return count(operation.input) * math.prod(kernels["kernel"][:-1])
        case "DepthwiseConv2D":
            return numbers * math.prod(next(shape for name, shape in kernels.items() if name.endswith("kernel"))[:2])
        case "SeparableConv2D":
            depth, point = kernels["depthwise_kernel"], kernels["pointwise_kernel"]
            return numbers // point[-1] * (math.prod(depth) + math.prod(point))
    return numbers * math.prod(kernels["kernel"][:-1])


def elementwise(operation: Any, kind: str) -> int:
    """Operations of a layer without kernel for one image."""
    numbers = count(operation.output)
    match kind:
        case "MaxPooling2D" | "AveragePooling2D":
            return numbers * math.prod(map(int, operation.pool_size))
        case "GlobalAveragePooling2D" | "GlobalMaxPooling2D":
            return count(operation.input)
        case "BatchNormalization" | "LayerNormalization" | "Normalization" | "Rescaling":
            return 2 * numbers
        case "Add" | "Multiply" | "Average" | "Maximum" | "Minimum" | "Subtract":
            return numbers * max(1, len(operation._inbound_nodes[0].input_tensors) - 1)  # noqa: SLF001
    return numbers


# Layers that move numbers and compute nothing at inference.
ONLY_MOVES = frozenset(
    {
        "InputLayer", "Flatten", "Reshape", "Permute", "Concatenate", "ZeroPadding2D", "Cropping2D",
        "CenterCrop", "RepeatVector", "Dropout", "AlphaDropout", "SpatialDropout2D", "GaussianDropout",
        "GaussianNoise", "Identity", "UpSampling2D", "RandomFlip", "RandomCrop", "RandomZoom", "RandomRotation",
        "RandomTranslation", "RandomContrast", "RandomBrightness", "ActivityRegularization",
    }
)  # fmt: skip


def count(tensor: Any) -> int:
    """How many numbers a tensor has for one image."""
    return math.prod(int(length) for length in tensor.shape[1:])


def graph_digest(model: keras.Model) -> str:
    """A name for what the graph computes: kinds, settings, shapes and connections, without names and weights."""
    operations = sorted(model.operations, key=lambda operation: not is_input(operation))
    place = {id(operation): number for number, operation in enumerate(operations)}
    rows = [
        [
            type(operation).__name__,
            list(operation.output.shape[1:]),
            [place[id(source)] for source in sources(operation, set(place))],
            arithmetic(operation),
        ]
        for operation in operations
    ]
    text = json.dumps(rows, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def arithmetic(operation: Any) -> dict[str, object]:
    """The settings of a layer that change what it computes.

    Settings without a value are left out, so that a later Keras with one more setting gives the same digest.
    """
    try:
        settings = operation.get_config()
    except NotImplementedError:  # operations without arguments of their own
        return {}
    return {key: value for key, value in settings.items() if key not in NOT_ARITHMETIC and value not in (None, False)}
