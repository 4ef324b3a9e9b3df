"""Weights of a CNN: random ones that are the same in every process, files that are what they were, downloads."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vistaql.engines.tensorflow.archive import check_weights_file, first_line, whole_weights
from vistaql.engines.tensorflow.runtime import held_stderr, import_tensorflow
from vistaql.errors import Code, VistaQLError
from vistaql.models import roster
from vistaql.models.cnn import Cnn, WeightsKind
from vistaql.stores.files import not_found
from vistaql.units import format_size

if TYPE_CHECKING:
    import keras

CHUNK = 1 << 20
# Standard deviation of ImageNet's pixels in 0 to 1, a channel (red, green, blue).
IMAGENET_STD = np.array((0.229, 0.224, 0.225), np.float32)


def weights_path(cnn: Cnn) -> str | None:
    """The file that the weights are read from; None for random ones. Raises NO_WEIGHTS or WEIGHTS_CHANGED."""
    match cnn.weights.kind:
        case WeightsKind.SHIPPED:
            return str(roster.shipped_weights(cnn.name))
        case WeightsKind.FILE:
            return known_file(cnn)
    return None


def randomize(model: keras.Model, seed: int) -> None:
    """Fill kernels with numbers that depend on seed, layer and shape only, scaled so that activations keep their size.

    The numbers are uniform with variance 2 / fan-in (He et al. 2015). Batch normalisation passes through.
    """
    for layer in model.layers:
        for place, variable in enumerate(layer.weights):
            if variable.name.endswith("kernel"):
                key = f"{seed}/{layer.name}/{place}"
                shape = tuple(variable.shape)
                depthwise = variable.name == "depthwise_kernel" or type(layer).__name__ == "DepthwiseConv2D"
                variable.assign(he_uniform(shape, math.prod(shape[:2] if depthwise else shape[:-1]), key))
            elif variable.name in {"gamma", "moving_variance"}:
                variable.assign(np.ones(variable.shape, np.float32))
            elif variable.name in {"bias", "beta", "moving_mean"}:
                variable.assign(np.zeros(variable.shape, np.float32))


def he_uniform(shape: tuple[int, ...], fan_in: int, key: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Uniform numbers of variance 2 / fan-in, the same for a key on every machine and with every numpy.

    >>> he_uniform((2, 2), 2, "1/fc/0").tolist()
    [[0.3191869258880615, -0.09190704673528671], [1.1649580001831055, 0.5262029767036438]]
    """
    bits = np.random.PCG64(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest()))
    limit = np.float32(math.sqrt(6 / fan_in))
    values = np.empty(math.prod(shape), np.float32)
    # Only the raw bits of a generator are promised to stay; in pieces, for the dense layers of VGG16 are large.
    for start in range(0, values.size, CHUNK):
        part = values[start : start + CHUNK]
        raw = np.asarray(bits.random_raw((part.size + 1) // 2), dtype="<u8").view("<u4")[: part.size]
        np.multiply(raw >> 8, np.float32(2.0**-23), out=part, casting="unsafe")
        part -= np.float32(1.0)
        part *= limit
    return values.reshape(shape)


def known_file(cnn: Cnn) -> str:
    """The path of the weights, when the file is there and has not changed since it was registered."""
    path = cnn.weights.path or ""
    if cnn.weights.digest is not None and file_digest(path) != cnn.weights.digest:
        raise VistaQLError(
            Code.WEIGHTS_CHANGED,
            f"{path} is not the file that {cnn.name} was registered with: its SHA-256 has changed.",
            hint=f"Put the old file back, or register the new one: REGISTER OR REPLACE CNN {cnn.name} FROM ..",
        )
    return path


def file_digest(path: str) -> str:
    """SHA-256 of a file, in hexadecimal. Raises FILE_NOT_FOUND or UNREADABLE_FILE."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as failure:
        raise not_found(path) from failure
    except OSError as failure:
        raise VistaQLError(Code.UNREADABLE_FILE, f"{path} cannot be read: {failure.strerror}.") from failure


def load(model: keras.Model, cnn: Cnn, path: str) -> None:
    """Read weights into a model from a .weights.h5, .keras or .h5 file that was looked through first."""
    check_weights_file(path)
    try:
        with whole_weights():
            model.load_weights(path)
    except (ValueError, KeyError, OSError, TypeError, IndexError, UserWarning) as failure:
        raise VistaQLError(
            Code.BAD_MODEL,
            f"{path} does not hold the weights of {cnn.builder} at {cnn.input_size[0]}x{cnn.input_size[1]}: "
            f"{first_line(failure)}.",
        ) from failure
    adjust_normalization(model, always=False)


def pretrained(model: keras.Model, cnn: Cnn) -> keras.Model:
    """A model of a Keras application with its ImageNet weights, which are downloaded at first use.

    The size is told before, and the progress is shown, on standard error where that is a terminal.
    """
    if not roster.published(cnn):
        raise VistaQLError(
            Code.NO_WEIGHTS,
            f"No trained weights of {cnn.name} are published with Keras.",
            hint=roster.other_weights(cnn),
        )
    source = download(cnn)
    try:
        model.set_weights(source.get_weights())
    except ValueError as failure:
        raise VistaQLError(
            Code.BAD_MODEL,
            f"The ImageNet weights of {cnn.name} do not fit an input of {cnn.input_size[0]}x{cnn.input_size[1]}.",
            hint="Leave input_size out: dense layers after a flatten need the size they were trained with.",
        ) from failure
    adjust_normalization(model, always=True)
    return model


def download(cnn: Cnn) -> keras.Model:
    """The model as Keras gives it, with the file from Keras' cache or from the network."""
    application = getattr(import_tensorflow().keras.applications, cnn.builder.removeprefix("keras:"))
    size = format_size(roster.download_bytes(cnn))
    terminal = sys.stderr is not None and sys.stderr.isatty()
    shown = os.fdopen(os.dup(2), "w") if terminal else io.StringIO()
    with shown, contextlib.redirect_stdout(shown), held_stderr():
        shown.write(f"{cnn.name}: ImageNet weights, {size} from the network unless they are here already\n")
        shown.flush()
        try:
            return application(weights="imagenet", classifier_activation=None)
        except Exception as failure:  # Keras raises a bare Exception when the network fails
            message = f"The ImageNet weights of {cnn.name} ({size}) could not be downloaded: {first_line(failure)}."
            hint = f"Try again with a network, or: {roster.other_weights(cnn)}"
            raise VistaQLError(Code.DOWNLOAD_FAILED, message, hint=hint) from failure


def adjust_normalization(model: keras.Model, *, always: bool) -> None:
    """Let EfficientNet's ImageNet weights mean in every model what they mean in Keras' own.

    Their file holds standard deviations as the variance of the first layer, and Keras adds a layer that makes up
    for it only when it loads them itself. Here the variance is mended, so that the graph is one whatever the weights.
    """
    for layer in model.layers:
        if type(layer).__name__ == "Normalization" and hasattr(layer, "adapt_variance"):
            variance = np.asarray(layer.adapt_variance)
            if always or np.allclose(variance, IMAGENET_STD, atol=1e-4):
                layer.adapt_variance.assign(variance * IMAGENET_STD)
                layer.finalize_state()


def weights_digest(cnn: Cnn) -> str:
    """The identity of the numbers in a CNN: equal texts are equal weights, whatever the CNN is called.

    Reads no model; the SHA-256 of a registered file is known, that of a shipped one is taken.
    """
    match cnn.weights.kind:
        case WeightsKind.RANDOM:
            return f"random:{cnn.weights.seed or 0}:{cnn.graph_digest}"
        case WeightsKind.SHIPPED:
            return f"sha256:{file_digest(str(roster.shipped_weights(cnn.name)))}"
        case WeightsKind.FILE:
            return f"sha256:{cnn.weights.digest or file_digest(cnn.weights.path or '')}"
        case WeightsKind.IMAGENET:
            return f"imagenet:{cnn.builder}"
