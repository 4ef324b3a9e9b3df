"""Where the ImageNet weights of the built-in CNNs are: on the network, and, once fetched, on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from vistaql.models.cnn import Cnn

GOOGLE = "https://storage.googleapis.com/"
APPLICATIONS = f"{GOOGLE}tensorflow/keras-applications/"
PUBLISHED = {
    "keras:MobileNetV2": f"{APPLICATIONS}mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    "keras:VGG16": f"{APPLICATIONS}vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    "keras:ResNet50": f"{APPLICATIONS}resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    "keras:EfficientNetB0": f"{GOOGLE}keras-applications/efficientnetb0.h5",
}
"""where Keras downloads from"""
PATIENCE = 5.0
"""seconds to wait for the network"""


def url_of(cnn: Cnn) -> str:
    """Where Keras fetches the weights of a CNN; empty where that is not known."""
    return PUBLISHED.get(cnn.builder, "")


def kept_file(url: str) -> Path:
    """Where Keras keeps what it has fetched."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser() / "models" / (url.rsplit("/", 1)[-1] or "none")


def unreachable(url: str) -> str:
    """Why a file cannot be fetched from this machine; empty where it can be. Nothing is fetched."""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE):  # noqa: S310, https
            return ""
    except (urllib.error.URLError, OSError, ValueError) as failure:
        reason = getattr(failure, "reason", failure)
        return str(getattr(reason, "strerror", None) or reason)
