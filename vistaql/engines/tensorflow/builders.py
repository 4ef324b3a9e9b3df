"""From the facts about a CNN to a Keras model with its weights, whose layers have the names of the facts."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from vistaql.engines.tensorflow.architectures import build_alexnet, build_strokes
from vistaql.engines.tensorflow.archive import first_line, open_model
from vistaql.engines.tensorflow.flatten import flatten, grafted
from vistaql.engines.tensorflow.runtime import held_stderr, import_tensorflow
from vistaql.engines.tensorflow.weights import load, pretrained, randomize, weights_path
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.models.cnn import Cnn, WeightsKind

if TYPE_CHECKING:
    import keras

__all__ = ["application", "applications", "build", "build_graph", "build_strokes", "tensors"]

# For the few CNNs (MobileNetV3) whose builder leaves the size open; their weights were trained at it.
USUAL_SIZE = (224, 224)
OWN = {"strokes": build_strokes, "alexnet": build_alexnet}


def build(cnn: Cnn) -> keras.Model:
    """The CNN as a Keras model, weights in place, uncompiled; every layer of the facts is found by `tensors`.

    Raises NO_WEIGHTS, DOWNLOAD_FAILED, WEIGHTS_CHANGED, UNSAFE_MODEL or BAD_MODEL.
    """
    if cnn.parts:
        return build_union(cnn)
    if cnn.weights.kind is WeightsKind.IMAGENET:
        model = pretrained(build_unfilled(cnn.builder, cnn.input_size), cnn)
    else:
        path = weights_path(cnn)
        with held_stderr():
            model = build_unfilled(cnn.builder, cnn.input_size)
            if path is not None and cnn.builder != f"file:{path}":
                load(model, cnn, path)
    with held_stderr():
        model = as_facts(model, cnn.builder, cnn.input_size)
        if cnn.weights.kind is WeightsKind.RANDOM:
            randomize(model, cnn.weights.seed or 0)
    check_shapes(model, cnn)
    return model


def build_union(cnn: Cnn) -> keras.Model:
    """The first CNN of a union, and beside it the layers that only the others have."""
    model = build(cnn.parts[0].cnn)
    for part in cnn.parts[1:]:
        model = grafted(model, build(part.cnn), part.inside)
    check_shapes(model, cnn)
    return model


def build_graph(builder: str, input_size: tuple[int, int] | None) -> keras.Model:
    """The model of a builder text such as `keras:VGG16`; `input_size` None is the size it was published with.

    The weights of a file are its own; every other model has the values its layers start with.
    """
    with held_stderr():
        return as_facts(build_unfilled(builder, input_size), builder, input_size)


def build_unfilled(builder: str, input_size: tuple[int, int] | None) -> keras.Model:
    """The model as its author nests and names it, which is what files of weights go by."""
    kind, _, source = builder.partition(":")
    match kind:
        case "vistaql" if source in OWN:
            return OWN[source]()
        case "keras":
            return build_application(source, input_size)
        case "file":
            return open_model(source)
    raise VistaQLError(Code.UNKNOWN_BUILDER, f"There is no builder '{builder}'.", hint="keras and file are known.")


def as_facts(model: keras.Model, builder: str, input_size: tuple[int, int] | None) -> keras.Model:
    """The model flat, with names that do not depend on what else the process has built."""
    model = flatten(model, input_size)
    if builder.startswith("keras:"):
        number_names(model)
    return model


def build_application(name: str, input_size: tuple[int, int] | None) -> keras.Model:
    """A CNN of `keras.applications` whose last layer gives logits.

    Raises BAD_OPTION_VALUE where it cannot take images of that size.
    """
    shape = None if input_size is None else (*input_size, 3)
    try:
        model = application(name)(weights=None, classifier_activation=None, input_shape=shape)
    except ValueError as failure:
        message = f"{name} cannot take images of {shape}: {first_line(failure)}."
        raise VistaQLError(Code.BAD_OPTION_VALUE, message) from failure
    if None in model.input_shape[1:]:
        return build_application(name, USUAL_SIZE)
    return model


def applications() -> dict[str, Any]:
    """The CNNs that Keras itself can build, by their names there."""
    keras_applications = import_tensorflow().keras.applications
    return {name: build for name, build in vars(keras_applications).items() if callable(build) and name[0].isupper()}


def application(name: str) -> Any:
    """The builder in `keras.applications` of that name, case and punctuation ignored (`mobilenet_v2`)."""
    known = applications()
    folded = {fold(key): key for key in known}
    if fold(name) not in folded:
        hint = did_you_mean(name, known, "CNNs of Keras")
        raise VistaQLError(Code.UNKNOWN_CNN, f"Keras has no CNN '{name}'.", hint=hint)
    return known[folded[fold(name)]]


def fold(name: str) -> str:
    """A name without case and punctuation.

    >>> fold("MobileNet_V2")
    'mobilenetv2'
    """
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def number_names(model: keras.Model) -> None:
    """Count layers without a name of their own from zero in each model.

    Keras counts them over the whole process, so that a second model of a kind would have other names.
    """
    own: Counter[str] = Counter()
    for operation in model.operations:
        kind = snake(type(operation).__name__)
        if re.fullmatch(rf"{kind}(_\d+)?", operation.name):
            count = own[kind]
            operation.name = kind if count == 0 else f"{kind}_{count}"
            own[kind] += 1


def snake(name: str) -> str:
    """A class name as Keras makes names of layers from it.

    >>> snake("GlobalAveragePooling2D"), snake("ReLU")
    ('global_average_pooling2d', 're_lu')
    """
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def tensors(model: keras.Model) -> dict[str, Any]:
    """The symbolic output of every layer and operation of a model, by name, in network order."""
    return {operation.name: operation.output for operation in model.operations}


def check_shapes(model: keras.Model, cnn: Cnn) -> None:
    """Refuse a model that is not what the facts say: another version of Keras may build another graph."""
    built = {name: tuple(tensor.shape[1:]) for name, tensor in tensors(model).items()}
    for layer in cnn.layers:
        if built.get(layer.name) != layer.shape:
            raise VistaQLError(
                Code.BAD_MODEL,
                f"Layer {layer.name} of {cnn.name} was registered with shape {layer.shape}, "
                f"and is now {built.get(layer.name, 'missing')}.",
                hint=f"Register {cnn.name} again: REGISTER OR REPLACE CNN {cnn.name} FROM ..",
            )
