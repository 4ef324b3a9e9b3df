"""The physical operators: each tells its size, its resources and the memory it holds, and runs in engine verbs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistaql.learners import Learner
from vistaql.learners.metrics import metric_named
from vistaql.logical.nodes import Evaluation, Reduction, Rows, ScanImages
from vistaql.models.cnn import Cnn
from vistaql.physical.engine import Engine, FitResult, Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.resources import NOTHING, Resources
from vistaql.physical.sizes import Sizes
from vistaql.plan.node import Node

FLOAT32 = 4

# A decoded photo waiting for its batch: 8 bits a channel.
PIXEL_BYTES = 3


@dataclass(frozen=True)
class Operator(Node):
    """A step that runs. `run` gets the values of its inputs in the order of `inputs`."""

    def size(self, sizes: Sizes) -> int:
        """Bytes of what the operator gives, held until everyone has read it."""
        raise NotImplementedError

    def resources(self, sizes: Sizes) -> Resources:
        """The work it takes."""
        raise NotImplementedError

    def memory(self, sizes: Sizes) -> int:
        """Bytes it needs while it runs, besides its inputs and its result."""
        raise NotImplementedError

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The result, made by the engine."""
        raise NotImplementedError


@dataclass(frozen=True)
class ReadRows(Operator):
    """Scan the tables, join, filter, sample: everything that needs no image."""

    rows: Rows

    @property
    def inputs(self) -> tuple[Node, ...]:
        """None: the logical rows are what it does, not what it reads."""
        return ()

    def size(self, sizes: Sizes) -> int:
        """Rows of eight-byte values."""
        return sizes.rows * (len(self.rows.columns) + 2) * 8

    def resources(self, sizes: Sizes) -> Resources:
        """Reading the tables once."""
        return Resources(read_bytes=sizes.table_bytes)

    def memory(self, sizes: Sizes) -> int:
        """A hash table as large as the rows."""
        return self.size(sizes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:  # noqa: ARG002 - reads nothing
        """Rows, joined and filtered."""
        return engine.rows(self.rows)


@dataclass(frozen=True)
class ReadImages(Operator):
    """Stream the image files; `rows`: only the images that have a row there (a semi-join before inference)."""

    images: ScanImages
    rows: ReadRows | None

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The rows, where they filter."""
        return () if self.rows is None else (self.rows,)

    def count(self, sizes: Sizes) -> int:
        """Images that are read."""
        return sizes.all_images if self.rows is None else sizes.images

    def size(self, sizes: Sizes) -> int:
        """Keys and paths; the files are streamed."""
        return self.count(sizes) * 200

    def resources(self, sizes: Sizes) -> Resources:  # noqa: ARG002 - files are read by each pass
        """Loading TensorFlow, which whoever reads images needs; the list of files is there already."""
        return Resources(libraries=1.0)

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing but the result
        """Nothing besides the list."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The source of the passes."""
        return engine.images(self.images, inputs[0] if inputs else None)


@dataclass(frozen=True)
class RunPass(Operator):
    """Decode (or resume from a kept tensor), infer, pool, in one streamed pass."""

    source: ReadImages | Keep
    inference: Pass
    storage: Storage

    @property
    def reader(self) -> ReadImages:
        """Where the images of this pass come from in the end."""
        return self.source if isinstance(self.source, ReadImages) else self.source.source.reader

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
        work = Resources(graphs=float(self.cnn.parameters))
        for layer in self.inference.computed:
            if layer.kind == "DepthwiseConv2D":
                work += Resources(depthwise_flops=float(layer.flops * images))
            elif layer.kind in DENSE_KINDS:
                work += Resources(dense_flops=float(layer.flops * images))
            work += Resources(moved_bytes=float(layer.bytes * images))
        if self.inference.source is None:
            pixels = scaled_pixels(sizes.image_pixels, self.cnn.input_size)
            work += Resources(decoded_pixels=pixels * images, read_bytes=sizes.image_bytes * images)
        return work

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - a batch is a batch
        """Weights, the live tensors of one batch, and decoded batches waiting."""
        height, width = self.cnn.input_size
        weights = 2 * FLOAT32 * self.cnn.parameters
        waiting = 4 * self.cnn.batch_rows * height * width * PIXEL_BYTES
        return weights + self.inference.live_bytes * self.cnn.batch_rows + waiting

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


@dataclass(frozen=True)
class Fit(Operator):
    """Judge a learner on a layer's features beside the columns of the rows."""

    rows: ReadRows
    features: PickFeatures | None
    learner: Learner
    evaluation: Evaluation

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - a few numbers
        """Scores only."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:
        """The learner's own estimate, for every fold."""
        return fitting(self, sizes, sizes.columns)

    def memory(self, sizes: Sizes) -> int:
        """The learner's own estimate, for two folds side by side."""
        width = sizes.columns + (self.features.width if self.features else 0)
        return 2 * self.learner.memory(sizes.rows, width, sizes.classes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """Scores over the folds."""
        features = inputs[1] if len(inputs) > 1 else None
        return engine.fit(inputs[0], features, self.learner, self.evaluation, with_columns=True)


def fitting(fit: Fit, sizes: Sizes, columns: int) -> Resources:
    """The work of fitting and judging on a layer beside so many columns."""
    width = columns + (fit.features.width if fit.features else 0)
    folds = max(1, fit.evaluation.folds)
    return Resources(fit_flops=folds * fit.learner.flops(sizes.rows, width, sizes.classes))


@dataclass(frozen=True)
class Winner:
    """The best layer so far, with its features."""

    fit: Fit
    score: float
    features: Any


@dataclass(frozen=True)
class BestSoFar(Operator):
    """Remember the better of the best before and this layer, so that only one layer's features are held."""

    before: BestSoFar | None
    fit: Fit

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The best before, the scores of this layer, and its features."""
        own = (self.fit, *([self.fit.features] if self.fit.features else []))
        return own if self.before is None else (self.before, *own)

    def size(self, sizes: Sizes) -> int:
        """The widest features so far."""
        own = self.fit.features.size(sizes) if self.fit.features else 0
        return max(own, self.before.size(sizes) if self.before else 0)

    def resources(self, sizes: Sizes) -> Resources:  # noqa: ARG002 - nothing to do
        """Nothing."""
        return NOTHING

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing to hold
        """Nothing."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:  # noqa: ARG002 - a comparison
        """The winner; of equal layers the earlier one."""
        *before, result, features = inputs
        metric = self.fit.evaluation.metrics[0]
        mean = sum(dict(result.scores)[metric]) / len(dict(result.scores)[metric])
        known = metric_named(metric)
        better = known is None or known.greater_is_better
        own = Winner(self.fit, mean if better else -mean, features)
        return own if not before or own.score > before[0].score else before[0]


@dataclass(frozen=True)
class FitAlone(Operator):
    """Judge the best layer once more, without the columns of the table."""

    best: BestSoFar

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The winner, and the rows."""
        return (self.best, self.best.fit.rows)

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - a few numbers
        """Scores only."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:
        """As for the last layer: which one wins is not known beforehand."""
        return fitting(self.best.fit, sizes, 0)

    def memory(self, sizes: Sizes) -> int:
        """As for the last layer."""
        return self.best.fit.memory(sizes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The layer that won, and its scores without the table."""
        winner: Winner = inputs[0]
        fit = winner.fit
        return fit, engine.fit(inputs[1], winner.features, fit.learner, fit.evaluation, with_columns=False)


@dataclass(frozen=True)
class Answer(Operator):
    """All trainings of an EXPLORE; `alone` comes first, so that each layer's features are let go in their turn."""

    alone: FitAlone | None
    fits: tuple[Fit, ...]

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - a few numbers
        """Scores only."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:  # noqa: ARG002 - nothing to do
        """Nothing."""
        return NOTHING

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing to hold
        """Nothing."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:  # noqa: ARG002 - the engine has done its part
        """The scores of the trainings in their order, and of the best layer alone."""
        return Scores(inputs[1:] if self.alone else inputs, inputs[0] if self.alone else None)


@dataclass(frozen=True)
class Scores:
    """What an EXPLORE came to."""

    fits: tuple[FitResult, ...]
    alone: tuple[Fit, FitResult] | None


@dataclass(frozen=True)
class WriteFeatures(Operator):
    """The features of every key as a Parquet file."""

    rows: ReadRows
    features: tuple[PickFeatures, ...]
    names: tuple[str, ...]
    path: str

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - a number
        """The count of rows only."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:
        """Writing the file."""
        return Resources(spilled_bytes=float(sum(item.size(sizes) for item in self.features)))

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - batches
        """A batch of the widest row."""
        return 64 * FLOAT32 * sum(item.width for item in self.features)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """How many rows were written."""
        return engine.export(inputs[0], inputs[1:], self.names, self.path)
