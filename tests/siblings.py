"""CNNs that were tuned from one, its first layers frozen, for tests of what they share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Weights, WeightsKind

TUNED = {
    # What was trained further; all layers before it are those of the origin.
    "birds": (),
    "fish": ("norm3", "fc1"),
    "bugs": ("conv2",),
    "moss": ("norm1",),
}
HEADS = {"birds": 5, "fish": 3, "bugs": 4, "moss": 2}


def write_sibling(folder: Path, name: str) -> Path:
    """A CNN for pictures of 12 x 12 with fused layers and a residual sum, its layers named after it."""
    keras = import_tensorflow().keras
    layers = keras.layers
    named = {} if name == "birds" else {"prefix": f"{name}_"}

    def called(layer: str) -> str:
        return named.get("prefix", "") + layer

    pixels = keras.Input((12, 12, 3), name=called("pixels"))
    scaled = pixels / 127.5 - 1.0
    first = layers.Conv2D(4, 3, padding="same", use_bias=False, name=called("conv1"))(scaled)
    first = layers.ReLU(name=called("relu1"))(layers.BatchNormalization(name=called("norm1"))(first))
    second = layers.Conv2D(4, 3, padding="same", activation="relu", name=called("conv2"))(first)
    added = layers.Add(name=called("sum"))([first, second])
    third = layers.Conv2D(6, 3, name=called("conv3"))(layers.MaxPooling2D(name=called("pool"))(added))
    third = layers.ReLU(name=called("relu3"))(layers.BatchNormalization(name=called("norm3"))(third))
    hidden = layers.Dense(8, activation="relu", name=called("fc1"))(layers.Flatten(name=called("flat"))(third))
    model = keras.Model(pixels, layers.Dense(HEADS[name], name=called("fc2"))(hidden))
    fill(model)
    tune(model, [called(layer) for layer in TUNED[name]])
    path = folder / f"{name}.keras"
    model.save(path)
    return path


def fill(model: Any) -> None:
    """Draw the weights; those of all layers but the last are the same in every sibling."""
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.1, 0.6, array.shape) - 0.2 * (array.ndim > 1) for array in model.get_weights()])


def tune(model: Any, names: list[str]) -> None:
    """Change one weight of each of these layers a little."""
    for name in names:
        layer = model.get_layer(name)
        weights = layer.get_weights()
        weights[0].flat[0] += 0.125
        layer.set_weights(weights)


def facts(origin: str, name: str, last: str) -> Cnn:
    """A built-in CNN as if it had been tuned behind a layer: what planning needs to know, and no file."""
    cnn = roster.load(origin)
    assert cnn is not None
    place = cnn.position[last]
    layers = tuple(
        replace(layer, prefix=layer.name if here <= place else f"{name} {layer.name}")
        for here, layer in enumerate(cnn.layers)
    )
    weights = Weights(WeightsKind.FILE, path=f"{name}.weights.h5", digest=name)
    return replace(cnn, name=name, layers=layers, weights=weights)
