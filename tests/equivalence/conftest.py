"""Graphs that are built once for all plans of a module, and a CNN of a few thousand operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vistaql.engines.tensorflow import graph
from vistaql.engines.tensorflow.runtime import import_tensorflow


@pytest.fixture(scope="module", autouse=True)
def _graphs_are_built_once() -> Iterator[None]:
    """Plans have passes in common; their graphs, and the CNN, are the same objects for all of them."""
    graph.release_graphs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "MOST_KEPT", 10**6)
        patch.setattr(graph, "SMALL_PARAMETERS", 10**9)
        yield
    graph.release_graphs()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CNN for pictures of 12 x 12: fused layers, a residual sum, pooling, dense layers; every weight is drawn."""
    keras = import_tensorflow().keras
    layers = keras.layers
    pixels = keras.Input((12, 12, 3))
    first = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv1")(pixels)
    first = layers.ReLU(name="relu1")(layers.BatchNormalization(name="norm1")(first))
    second = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv2")(first)
    added = layers.Add(name="sum")([first, second])
    third = layers.Conv2D(6, 3, activation="relu", name="conv3")(layers.MaxPooling2D(name="pool")(added))
    hidden = layers.Dense(8, activation="relu", name="fc1")(layers.Flatten(name="flat")(third))
    model = keras.Model(pixels, layers.Dense(5, name="fc2")(hidden))
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.1, 0.6, array.shape) - 0.2 * (array.ndim > 1) for array in model.get_weights()])
    path = tmp_path_factory.mktemp("tiny") / "tiny.keras"
    model.save(path)
    return path
