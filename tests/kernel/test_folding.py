"""Normalisation folded into the convolution before it gives what Keras gives, where it can be folded, and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vistaql.engines.tensorflow.folding import folded_norms
from vistaql.engines.tensorflow.graph import run_layers
from vistaql.engines.tensorflow.runtime import import_tensorflow

Layers = Callable[[Any], list[Any]]
CASES: dict[str, tuple[Layers, int]] = {
    "with a bias": (lambda layers: [layers.Conv2D(5, 3), layers.BatchNormalization()], 1),
    "without a bias": (lambda layers: [layers.Conv2D(5, 3, use_bias=False), layers.BatchNormalization()], 1),
    "without scale and centre": (
        lambda layers: [layers.Conv2D(5, 1), layers.BatchNormalization(scale=False, center=False)],
        1,
    ),
    "depthwise, two filters a channel": (
        lambda layers: [layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), layers.BatchNormalization()],
        1,
    ),
    "then an activation": (
        lambda layers: [layers.Conv2D(5, 3), layers.BatchNormalization(), layers.ReLU(max_value=6.0)],
        1,
    ),
    "an activation in between": (
        lambda layers: [layers.Conv2D(5, 3, activation="relu"), layers.BatchNormalization()],
        0,
    ),
    "groups": (lambda layers: [layers.Conv2D(6, 3, groups=3), layers.BatchNormalization()], 0),
    "over another axis": (lambda layers: [layers.Conv2D(5, 3), layers.BatchNormalization(axis=1)], 0),
}


@pytest.mark.parametrize("name", CASES)
def test_folding(name: str) -> None:
    tf = import_tensorflow()
    layers, folded = CASES[name]
    pixels = values = tf.keras.Input((8, 8, 3))
    for layer in layers(tf.keras.layers):
        values = layer(values)
    model = tf.keras.Model(pixels, values)
    random = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(random.uniform(0.5, 2.0, variable.shape))
    batch = random.standard_normal((24, 8, 8, 3)).astype(np.float32)
    names = [operation.name for operation in model.operations]
    fused = frozenset(names[1:-1])
    assert len(folded_norms({item.name: item for item in model.operations}, names[1:], fused)) == folded

    @tf.function
    def run(pixels: Any) -> Any:
        return run_layers(model, {names[0]: pixels}, names[1:], fused)[names[-1]]

    expected = np.asarray(model(batch, training=False))
    assert np.abs(np.asarray(run(batch)) - expected).max() <= 1e-5 * np.abs(expected).max()
