"""What is done to pixels before the first layer, as operations of the graph."""

from __future__ import annotations

from typing import Any, Final, assert_never

from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.models.cnn import Preprocessing

# Means and standard deviations of ImageNet's pixels, in the order red, green, blue; of Keras' imagenet_utils.
TORCH_MEAN: Final = (0.485, 0.456, 0.406)
TORCH_STD: Final = (0.229, 0.224, 0.225)
CAFFE_MEAN: Final = (123.68, 116.779, 103.939)
ROUNDED_MEAN: Final = (123.0, 117.0, 104.0)


def preprocess(pixels: Any, how: Preprocessing) -> Any:
    """Turn RGB pixels, uint8 [rows, height, width, 3], into the float32 input of a CNN."""
    tf = import_tensorflow()
    values = tf.cast(pixels, tf.float32)
    match how:
        case Preprocessing.NONE:
            return values
        case Preprocessing.UNIT:
            return values / 255.0
        case Preprocessing.TF:
            return values / 127.5 - 1.0
        case Preprocessing.TORCH:
            return (values / 255.0 - tf.constant(TORCH_MEAN)) / tf.constant(TORCH_STD)
        case Preprocessing.CAFFE:
            return tf.cast(pixels[..., ::-1], tf.float32) - tf.constant(CAFFE_MEAN[::-1])
        case Preprocessing.CAFFE_RGB:
            return values - tf.constant(ROUNDED_MEAN)
    assert_never(how)
