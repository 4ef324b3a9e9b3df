"""A residual CNN of three blocks: a resnet20 that is a third as deep, as facts only."""

from __future__ import annotations

from collections.abc import Iterator

from vistaql.models.cnn import Cnn, Layer, Preprocessing, Weights, WeightsKind


def convolution(name: str, source: str, side: int, taken: int, given: int, kernel: int = 3) -> Layer:
    """A convolution; its output is square."""
    parameters = kernel * kernel * taken * given
    return Layer(name, "Conv2D", (side, side, given), (source,), 2 * parameters * side * side, parameters)


def layers() -> Iterator[Layer]:
    """The input, a stem, blocks with a shortcut each, and a head."""
    yield Layer("image", "InputLayer", (32, 32, 3), (), 0, 0)
    yield convolution("stem", "image", 32, 3, 16)
    before, taken = "stem", 16
    for number, (side, given) in enumerate(((32, 16), (16, 32), (8, 64)), start=1):
        first, second, shortcut, end = (f"block{number}_{part}" for part in ("a", "b", "short", "out"))
        yield convolution(first, before, side, taken, given)
        yield convolution(second, first, side, given, given)
        if taken != given:
            yield convolution(shortcut, before, side, taken, given, kernel=1)
        shape = (side, side, given)
        yield Layer(end, "Add", shape, (second, before if taken == given else shortcut), side * side * given, 0)
        before, taken = end, given
    yield Layer("pool", "GlobalAveragePooling2D", (64,), (before,), 8 * 8 * 64, 0)
    yield Layer("head", "Dense", (10,), ("pool",), 2 * 640, 650)


RESIDUAL = Cnn(
    "residual", "file:residual.keras", (32, 32), Preprocessing.NONE, tuple(layers()),
    ("stem", "block1_out", "block2_b", "block2_out", "block3_out", "head"), (),
    Weights(WeightsKind.RANDOM, seed=1), "residual",
)  # fmt: skip
