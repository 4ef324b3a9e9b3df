"""Reading a CNN once, by TensorFlow: what is known about it from then on is the value that comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.facts import graph_digest, read_layers
from vistaql.engines.tensorflow.prefixes import with_prefixes
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.engines.tensorflow.weights import file_digest
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.models import roster
from vistaql.models.aliases import known_aliases, known_points
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind
from vistaql.models.points import choose_points, last_parametric

if TYPE_CHECKING:
    import keras


class Builder(Enum):
    """Where a CNN to register comes from."""

    KERAS = "keras"
    FILE = "file"
    ROSTER = "roster"


@dataclass(frozen=True)
class CnnOptions:
    """What REGISTER CNN can say about a CNN; None: as it was published, or as the file has it."""

    preprocessing: Preprocessing | None = None
    input_size: tuple[int, int] | None = None


AS_PUBLISHED = CnnOptions()


def read_cnn(
    name: str, builder: Builder, source: str, weights: Weights | None = None, options: CnnOptions = AS_PUBLISHED
) -> Cnn:
    """The facts about a CNN of Keras, of a .keras file, or of the roster, with these weights.

    The file of the weights is read through once, so that a wrong one is refused here and not in a long run.
    Raises UNKNOWN_CNN, BAD_OPTION_VALUE, UNSAFE_MODEL, BAD_MODEL, FILE_NOT_FOUND or NO_WEIGHTS.
    """
    match builder:
        case Builder.KERAS:
            cnn = read_application(name, source, options)
        case Builder.FILE:
            cnn = read_file(name, source, options)
        case Builder.ROSTER:
            cnn = read_roster(name, source, options)
    if weights is None:
        return cnn
    # Those of a file's own weights.
    layers = tuple(replace(layer, prefix="") for layer in cnn.layers)
    cnn = replace(cnn, weights=with_digest(weights), layers=layers)
    if weights.kind is WeightsKind.FILE:
        return replace(cnn, layers=with_prefixes(layers, builders.build(cnn)))
    return cnn


def with_digest(weights: Weights) -> Weights:
    """The same weights, with an absolute path and the SHA-256 of the file."""
    if weights.kind is not WeightsKind.FILE or weights.path is None:
        return weights
    path = str(Path(weights.path).expanduser().resolve())
    return replace(weights, path=path, digest=file_digest(path))


def read_application(name: str, source: str, options: CnnOptions) -> Cnn:
    """A CNN of `keras.applications`, from its graph alone; weights are not downloaded yet."""
    build = builders.application(source)
    model = builders.build_graph(f"keras:{build.__name__}", options.input_size)
    layers = read_layers(model)
    cnn = Cnn(
        name=name,
        builder=f"keras:{build.__name__}",
        input_size=(model.input_shape[1], model.input_shape[2]),
        preprocessing=options.preprocessing or published_preprocessing(build),
        layers=layers,
        points=(),
        aliases=(),
        weights=Weights(WeightsKind.IMAGENET),
        graph_digest=graph_digest(model),
    )
    return with_points(cnn, active(model))


def read_file(name: str, source: str, options: CnnOptions) -> Cnn:
    """The CNN of a .keras file, with the weights in it."""
    weights = with_digest(Weights(WeightsKind.FILE, path=source))
    builder = f"file:{weights.path}"
    model = builders.build_graph(builder, options.input_size)
    layers = with_prefixes(read_layers(model), model)
    cnn = Cnn(
        name=name,
        builder=builder,
        input_size=checked_size(layers[0].shape, options.input_size),
        preprocessing=options.preprocessing or Preprocessing.NONE,
        layers=layers,
        points=(),
        aliases=(),
        weights=weights,
        graph_digest=graph_digest(model),
    )
    return with_points(cnn, active(model))


def checked_size(shape: tuple[int, ...], asked: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of the input. Raises BAD_OPTION_VALUE where the file has another size than was asked for."""
    if asked not in {None, shape[:2]}:
        message = f"The model takes images of {shape[0]}x{shape[1]}, not {asked[0]}x{asked[1]}."
        raise VistaQLError(Code.BAD_OPTION_VALUE, message, hint="Leave input_size out.")
    return shape[0], shape[1]


def read_roster(name: str, source: str, options: CnnOptions) -> Cnn:
    """A built-in CNN under another name; another input size makes it another graph, which is read anew."""
    cnn = roster.load(source)
    if cnn is None:
        hint = did_you_mean(source, roster.names(), "built-in CNNs")
        raise VistaQLError(Code.UNKNOWN_CNN, f"There is no built-in CNN '{source}'.", hint=hint)
    if options.input_size not in {None, cnn.input_size}:
        if not cnn.builder.startswith("keras:"):
            message = f"{source} takes images of {cnn.input_size[0]}x{cnn.input_size[1]} only."
            raise VistaQLError(Code.BAD_OPTION_VALUE, message, hint="Leave input_size out.")
        cnn = read_application(name, cnn.builder.removeprefix("keras:"), options)
    return replace(cnn, name=name, preprocessing=options.preprocessing or cnn.preprocessing)


def with_points(cnn: Cnn, active_layers: frozenset[str]) -> Cnn:
    """Add exploration points and aliases: the literature's where the CNN is known, else by the rule."""
    kind, _, family = cnn.builder.partition(":")
    known = kind != "file"
    points = (known and known_points(family)) or choose_points(cnn, active_layers)
    aliases = [pair for pair in known_aliases(family) if known]
    if known:  # the last layer of a file may have a softmax in it
        aliases.append(("logits", last_parametric(cnn)))
    pooled = [name for name in points if cnn.by_name[name].kind == "GlobalAveragePooling2D"]
    aliases.extend(("avg_pool", name) for name in pooled[:1])
    aliases = [(alias, name) for alias, name in aliases if alias not in cnn.by_name and name in cnn.by_name]
    return replace(cnn, points=points, aliases=tuple(aliases))


def active(model: keras.Model) -> frozenset[str]:
    """The layers that apply a function other than softmax after their sum: a rectifier, a swish, .."""
    found = set()
    for layer in model.operations:
        function = getattr(getattr(layer, "activation", None), "__name__", None)
        if function not in {None, "linear", "softmax"} or type(layer).__name__ in {"ReLU", "LeakyReLU", "PReLU", "ELU"}:
            found.add(layer.name)
    return frozenset(found)


def published_preprocessing(build: Any) -> Preprocessing:
    """What the CNN was trained with: the function beside its builder is tried on one pixel."""
    import sys

    pixel = np.array([[[10.0, 100.0, 200.0]]], np.float32)
    done = np.asarray(sys.modules[build.__module__].preprocess_input(pixel.copy(), data_format="channels_last"))
    for mode in (Preprocessing.TF, Preprocessing.TORCH, Preprocessing.CAFFE):
        expected = import_tensorflow().keras.applications.imagenet_utils.preprocess_input(
            pixel.copy(), data_format="channels_last", mode=mode.value
        )
        if np.allclose(done, np.asarray(expected)):
            return mode
    if np.allclose(done, pixel):
        return Preprocessing.NONE
    message = f"{build.__name__} prepares its pixels in a way that is not known here."
    raise VistaQLError(
        Code.BAD_MODEL, message, hint="Say it: WITH (preprocessing = tf | torch | caffe | caffe_rgb | unit | none)"
    )
