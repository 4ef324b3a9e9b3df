"""Inference passes, the tensors they keep, and the vectors that are picked from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistaql.logical.nodes import Reduction
from vistaql.models.cnn import Cnn
from vistaql.physical.engine import Engine, Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operator import FLOAT32, Operator
from vistaql.physical.reading import ReadImages
from vistaql.physical.resources import NOTHING, Resources
from vistaql.physical.sizes import Sizes

# While a graph is frozen its weights exist in Keras, as constants, and in TensorFlow's copies of the graph.
WEIGHT_COPIES = 5

# What TensorFlow holds for each byte of live tensors: peaks of ResNet50 and MobileNetV2, measured.
WORKSPACE = 4

# A decoded photo waiting for its batch: 8 bits a channel.
PIXEL_BYTES = 3


@dataclass(frozen=True)
class RunPass(Operator):
    """Decode (or resume from a kept tensor), infer, pool, in one streamed pass."""

    source: ReadImages | Keep
    inference: Pass
    storage: Storage

    @property
    def reader(self) -> ReadImages:
        """Where the images of this pass come from in the end."""
        source = self.source
        while isinstance(source, Keep):
            source = source.source.source
        return source

    @property
    def cnn(self) -> Cnn:
        """The CNN that runs."""
        return self.inference.cnn

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - held by those who pick from it
        """Counted where it is picked: features and kept tensors."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:
        """FLOPs by kind of layer for every image, and the decoding of a pass that starts from pixels."""
        images = self.reader.count(sizes)
        computed = self.inference.computed
        depthwise = sum(layer.flops for layer in computed if layer.kind == "DepthwiseConv2D")
        dense = sum(layer.flops for layer in computed if layer.kind in DENSE_KINDS)
        return self.decoding(sizes) + Resources(
            dense_flops=float(dense * images),
            depthwise_flops=float(depthwise * images),
            moved_bytes=float(sum(layer.bytes for layer in computed) * images),
            graphs=float(self.cnn.parameters),
        )

    def decoding(self, sizes: Sizes) -> Resources:
        """The part of the work that is decoding; nothing where the pass resumes from a tensor."""
        if self.inference.source is not None:
            return NOTHING
        images = self.reader.count(sizes)
        pixels = scaled_pixels(sizes.image_pixels, self.cnn.input_size)
        return Resources(
            decoded_pixels=pixels * images, opened_images=float(images), read_bytes=sizes.image_bytes * images
        )

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - a batch is a batch
        """Weights, the live tensors of one batch, and decoded batches waiting."""
        height, width = self.cnn.input_size
        weights = WEIGHT_COPIES * FLOAT32 * self.cnn.parameters
        waiting = 4 * self.cnn.batch_rows * height * width * PIXEL_BYTES
        return weights + WORKSPACE * self.inference.live_bytes * self.cnn.batch_rows + waiting

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """Features and kept tensors of all images."""
        return engine.infer(inputs[0], self.inference, self.storage)


DENSE_KINDS = frozenset({"Conv2D", "Dense", "SeparableConv2D", "Conv2DTranspose"})


def scaled_pixels(pixels: float, size: tuple[int, int]) -> float:
    """Pixels left after a JPEG is decoded at 1/2, 1/4 or 1/8, as far as it stays larger than the CNN's input.

    >>> scaled_pixels(4000 * 2667, (224, 224)), scaled_pixels(400 * 400, (224, 224))
    (166687.5, 160000)
    """
    for scale in (8, 4, 2):
        if pixels / scale**2 >= 1.5 * size[0] * size[1]:
            return pixels / scale**2
    return pixels


@dataclass(frozen=True)
class Keep(Operator):
    """A tensor of every image, kept until the pass that resumes from it has run."""

    source: RunPass
    layer: str

    def size(self, sizes: Sizes) -> int:
        """The whole tensor of every image; nothing in memory where it lies on disk."""
        return 0 if self.source.storage is Storage.DISK else self.bytes(sizes)

    def bytes(self, sizes: Sizes) -> int:
        """Bytes of the tensors, wherever they lie."""
        return self.source.cnn.by_name[self.layer].bytes * self.source.reader.count(sizes)

    def resources(self, sizes: Sizes) -> Resources:
        """Written once, read once."""
        moved = 2.0 * self.bytes(sizes)
        return Resources(spilled_bytes=moved) if self.source.storage is Storage.DISK else Resources(kept_bytes=moved)

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing but the result
        """Nothing besides the tensor."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The kept tensor."""
        return engine.kept(inputs[0], self.layer)


@dataclass(frozen=True)
class PickFeatures(Operator):
    """The vectors of one output of a pass, several images of a key reduced to one."""

    source: RunPass
    output: Output
    reduction: Reduction | None = None

    @property
    def width(self) -> int:
        """Numbers an image."""
        return self.output.pool.feature_width(self.source.cnn.by_name[self.output.layer].shape)

    def size(self, sizes: Sizes) -> int:
        """float32 for every image."""
        return FLOAT32 * self.width * self.source.reader.count(sizes)

    def resources(self, sizes: Sizes) -> Resources:  # noqa: ARG002 - pooled inside the pass
        """Nothing: pooling is part of the pass."""
        return NOTHING

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing but the result
        """Nothing besides the vectors."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The vectors."""
        return engine.features(inputs[0], self.output, self.reduction)
