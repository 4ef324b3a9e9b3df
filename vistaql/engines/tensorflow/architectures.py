"""Architectures of the project's own CNNs: what `keras.applications` does not have.

Every convolution and dense layer has its activation fused, so that `conv5` means what the literature means;
the last layer gives logits. Dropout is left out: it does nothing at inference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.engines.tensorflow.runtime import import_tensorflow

if TYPE_CHECKING:
    import keras

STROKES_SIZE = (48, 48)
ALEXNET_SIZE = (227, 227)


def build_strokes() -> keras.Model:
    """The CNN of the demo: four 3x3 convolutions (16, 32, 48, 64), `fc5` and five logits `fc6`; 51,157 parameters.

    Takes RGB of 48 x 48, preprocessed as x / 255.
    """
    layers = import_tensorflow().keras.layers
    pixels = layers.Input((*STROKES_SIZE, 3), name="pixels")
    x = pixels
    for number, width in enumerate((16, 32, 48, 64), start=1):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        if number < 4:
            x = layers.MaxPooling2D(name=f"pool{number}")(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dense(64, activation="relu", name="fc5")(x)
    x = layers.Dense(5, name="fc6")(x)
    return import_tensorflow().keras.Model(pixels, x, name="strokes")


def build_alexnet() -> keras.Model:
    """AlexNet of Krizhevsky et al. (2012) as Caffe has it: grouped convolutions, 60,965,224 parameters.

    Takes 227 x 227. The response normalisation is left out, as the later literature does (it has no weights).
    """
    layers = import_tensorflow().keras.layers
    pixels = layers.Input((*ALEXNET_SIZE, 3), name="pixels")
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(pixels)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    x = layers.Conv2D(256, 5, padding="same", groups=2, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(384, 3, padding="same", groups=2, activation="relu", name="conv4")(x)
    x = layers.Conv2D(256, 3, padding="same", groups=2, activation="relu", name="conv5")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc6")(x)
    x = layers.Dense(4096, activation="relu", name="fc7")(x)
    x = layers.Dense(1000, name="fc8")(x)
    return import_tensorflow().keras.Model(pixels, x, name="alexnet")
