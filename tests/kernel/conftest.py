"""CNNs with real and random weights, photos, and the ways to run a pass over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from vistaql.engines.tensorflow.builders import build
from vistaql.engines.tensorflow.graph import FrozenGraph, freeze_model
from vistaql.engines.tensorflow.register import Builder, CnnOptions, read_cnn
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind
from vistaql.models.pool import GAP, WHOLE
from vistaql.physical.inference import Output, Pass

FILES = {
    "resnet20": ("resnet20_cifar10_32", Preprocessing.TORCH),
    "squeezenet": ("squeezenet_v1.0_227", Preprocessing.CAFFE_RGB),
    "mobilenet_v1": ("mobilenet_v1_0.25_128", Preprocessing.TF),
    "mobilenet_v2": ("mobilenet_v2_1.0_224", Preprocessing.TF),
}


@cache
def real_cnn(folder: Path, name: str) -> Cnn:
    stem, preprocessing = FILES[name]
    return read_cnn(name, Builder.FILE, str(folder / f"{stem}.keras"), options=CnnOptions(preprocessing))


@pytest.fixture(scope="session")
def real(weights: Path) -> Callable[[str], Cnn]:
    """A CNN of the test data, by its short name."""
    return lambda name: real_cnn(weights, name)


@pytest.fixture(scope="session")
def random() -> Callable[[str], Cnn]:
    """A built-in CNN with random weights."""

    def load(name: str) -> Cnn:
        found = roster.load(name)
        assert found is not None
        return replace(found, weights=Weights(WeightsKind.RANDOM, seed=1))

    return load


@pytest.fixture(scope="session")
def strokes() -> Cnn:
    """The small CNN that the project ships, with its weights."""
    found = roster.load("strokes")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def photos(test_data: Path) -> list[str]:
    """Paths of small photos."""
    return sorted(map(str, (test_data / "datasets" / "clothing-small" / "images").iterdir()))


@pytest.fixture(scope="session")
def model() -> Callable[[Cnn], Any]:
    """The Keras model of a CNN, built once."""
    return lru_cache(maxsize=4)(build)


@pytest.fixture(scope="session")
def freeze(model: Callable[[Cnn], Any]) -> Callable[[Pass], FrozenGraph]:
    """Freeze a pass, once for as long as the tests are about one CNN."""
    return lru_cache(maxsize=2)(lambda pass_: freeze_model(model(pass_.cnn), pass_))


@pytest.fixture(scope="session")
def blobs() -> Callable[[Cnn], np.ndarray]:
    """A batch of smooth coloured pictures, each another one, the same in every run."""

    def draw(cnn: Cnn) -> np.ndarray:
        from PIL import Image

        coarse = np.random.default_rng(0).integers(0, 256, (cnn.batch_rows, 7, 7, 3), np.uint8)
        return np.stack([np.asarray(Image.fromarray(cells).resize(cnn.input_size[::-1])) for cells in coarse])

    return draw


@pytest.fixture(scope="session")
def output() -> Callable[[Cnn, str], Output]:
    """A layer with the pooling it has by default."""
    return lambda cnn, layer: Output(layer, GAP if cnn.by_name[layer].spatial else WHOLE)


@pytest.fixture(scope="session")
def batches() -> Callable[..., list[pa.RecordBatch]]:
    """Images (paths or bytes) as record batches of a size; keys are given or counted."""

    def cut(images: list[str] | list[bytes], size: int = 50, keys: list[str] | None = None) -> list[pa.RecordBatch]:
        keys = keys or [f"k{number}" for number in range(len(images))]
        places = range(0, len(images), size)
        return [pa.record_batch({"key": keys[at : at + size], "image": images[at : at + size]}) for at in places]

    return cut
