"""The CNNs that need no REGISTER: their facts lie beside this module, and no TensorFlow is loaded to read them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from vistaql.models.cnn import Cnn, WeightsKind
from vistaql.models.stored import from_json

FOLDER = Path(__file__).parent / "data"

# Bytes of the files that Keras downloads, as its progress bar prints them.
DOWNLOADS = {
    "keras:VGG16": 553_467_096,
    "keras:ResNet50": 102_967_424,
    "keras:MobileNetV2": 14_536_120,
    "keras:EfficientNetB0": 21_834_768,
}


def names() -> tuple[str, ...]:
    """The CNNs that are built in, in alphabetical order.

    >>> names()
    ('alexnet', 'efficientnet_b0', 'mobilenet_v2', 'resnet50', 'strokes', 'vgg16')
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load(name: str) -> Cnn | None:
    """The facts about a built-in CNN, case ignored; None where there is none of that name.

    >>> load("VGG16").layer("fc6").name
    'fc1'
    """
    if name.casefold() not in names():
        return None
    return from_json((FOLDER / f"{name.casefold()}.json").read_text(encoding="utf-8"))


def published(cnn: Cnn) -> bool:
    """Whether trained weights come with the CNN: from Keras, in this package, or in its own file."""
    return cnn.weights.kind is not WeightsKind.IMAGENET or cnn.builder.startswith("keras:")


def download_bytes(cnn: Cnn) -> int:
    """About how much has to be downloaded for the ImageNet weights."""
    return DOWNLOADS.get(cnn.builder, 4 * cnn.parameters)


def shipped_weights(name: str) -> Path:
    """The file of weights that this package carries for one of its own CNNs."""
    return FOLDER / f"{name}.weights.h5"


def other_weights(cnn: Cnn) -> str:
    """What to type where the ImageNet weights of a CNN are not to be had.

    >>> other_weights(load("vgg16"))
    "REGISTER CNN my_vgg16 FROM vgg16 WEIGHTS 'file.weights.h5', or without training: .. WEIGHTS RANDOM (SEED = 1)"
    """
    keras = cnn.builder.removeprefix("keras:")
    source = cnn.name if cnn.name in names() else f"keras '{keras}'"
    return (
        f"REGISTER CNN my_{cnn.name} FROM {source} WEIGHTS 'file.weights.h5', "
        "or without training: .. WEIGHTS RANDOM (SEED = 1)"
    )
