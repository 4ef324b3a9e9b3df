"""Inference passes, the tensors they keep, and the vectors that are picked from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from vistaql.logical.nodes import Reduction
from vistaql.models.cnn import Cnn
from vistaql.physical.engine import Engine, Storage
from vistaql.physical.footprint import built, footprint
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operator import FLOAT32, Operator
from vistaql.physical.reading import ReadImages
from vistaql.physical.resources import NOTHING, Inferred, Resources, Traced
from vistaql.physical.sizes import Sizes


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
        """Layers computed for every image (padding included), the graph, and decoding in a pass from pixels."""
        batches = -(-self.reader.count(sizes) // self.cnn.batch_rows)
        return replace(
            self.resuming(sizes) if isinstance(self.source, Keep) else self.decoding(sizes),
            inferred=(Inferred(self.cnn, self.inference.computed_names, float(batches * self.cnn.batch_rows)),),
            batches=float(batches),
            traced=(self.graph,),
        )

    def resuming(self, sizes: Sizes) -> Resources:
        """Reading the tensors of all images; nothing in a pass from pixels."""
        if not isinstance(self.source, Keep):
            return NOTHING
        read = float(self.source.bytes(sizes))
        on_disk = self.source.source.storage is Storage.DISK
        return Resources(spilled_bytes=read) if on_disk else Resources(kept_bytes=read)

    @property
    def graph(self) -> Traced:
        """What is built for the pass: the whole CNN, of which the graph takes a part."""
        inference = self.inference
        parameters, layers = built(inference.alone.cnn)
        return Traced(layers, parameters, len(inference.computed), inference.parameters)

    def decoding(self, sizes: Sizes) -> Resources:
        """The part of the work that is decoding; nothing where the pass resumes from a tensor."""
        if self.inference.source is not None:
            return NOTHING
        images = self.reader.count(sizes)
        pixels = scaled_pixels(sizes.image_pixels, self.cnn.input_size)
        stored = sizes.image_bytes * images
        return Resources(
            decoded_pixels=pixels * images, decoded_bytes=stored, opened_images=float(images), read_bytes=stored
        )

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - a batch is a batch
        """The CNN as it is built, its graph, and a batch in work."""
        return footprint(self.inference)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """Features and kept tensors of all images."""
        return engine.infer(inputs[0], self.inference, self.storage)


# Of a photo that is not square: its shorter side to the longer one.
USUAL_RATIO = 0.75


def scaled_pixels(pixels: float, size: tuple[int, int]) -> float:
    """Pixels left after a JPEG is decoded at 1/2, 1/4 or 1/8, as long as no side gets shorter than the CNN's input.

    >>> scaled_pixels(4000 * 3000, (224, 224)), scaled_pixels(400 * 533, (224, 224)), scaled_pixels(400 * 533, (48, 48))
    (187500.0, 213200, 3331.25)
    """
    shorter = (pixels * USUAL_RATIO) ** 0.5
    for scale in (8, 4, 2):
        if shorter / scale >= max(size):
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
        """Written once; whoever resumes from it reads it."""
        moved = float(self.bytes(sizes))
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
    cnn_name: str = ""
    """what the query calls the CNN; equal CNNs of several names run once"""
    named: Output | None = field(default=None, compare=False)
    """the output with the query's name of its layer, where a union of CNNs has another one for it"""

    @property
    def shown(self) -> Output:
        """The output as the query names it."""
        return self.named or self.output

    @cached_property
    def width(self) -> int:
        """Numbers an image."""
        return self.output.pool.feature_width(self.source.cnn.by_name[self.output.layer].shape)

    def bytes(self, sizes: Sizes) -> int:
        """float32 for every image, wherever they lie."""
        return FLOAT32 * self.width * self.source.reader.count(sizes)

    def spooled(self, sizes: Sizes) -> bool:
        """Whether the vectors lie on disk; those that several images of a key are reduced to are small."""
        return self.reduction is None and sizes.spooled(self.bytes(sizes))

    def size(self, sizes: Sizes) -> int:
        """All vectors; nothing where they lie on disk."""
        return 0 if self.spooled(sizes) else self.bytes(sizes)

    def resources(self, sizes: Sizes) -> Resources:
        """Pooling is part of the pass; vectors are copied into one array, or written to disk."""
        moved = float(self.bytes(sizes))
        return Resources(spilled_bytes=moved) if self.spooled(sizes) else Resources(kept_bytes=moved)

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing but the result
        """Nothing besides the vectors."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The vectors."""
        return engine.features(inputs[0], self.output, self.reduction)
