"""From what to how: one physical plan for a strategy of grouping layers into passes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from vistaql.logical.nodes import (
    Assemble,
    Decode,
    Explore,
    Export,
    PoolLayer,
    Reduce,
    Reduction,
    Train,
    layers_of,
    rows_of,
)  # fmt: skip
from vistaql.models.cnn import Cnn
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import (
    Answer,
    BestSoFar,
    Fit,
    FitAlone,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
    WriteFeatures,
)  # fmt: skip


class Strategy(Enum):
    """How the wanted layers of a CNN are grouped into passes."""

    LAZY = "lazy"
    """a pass from pixels for each layer"""
    EAGER = "eager"
    """one pass for all layers"""
    STAGED = "staged"
    """a chain of passes, each resuming from a tensor that the one before kept"""


Passes = dict[Output, RunPass]


def lower(query: Explore | Export, strategy: Strategy, storage: Storage) -> Operator:
    """The physical plan; every plan of a query has the same operators but for its passes."""
    rows = ReadRows(rows_of(query))
    groups = wanted_by_cnn(query)
    passes = {cnn: GROUPINGS[strategy](cnn, outputs, reader(query, rows), storage) for cnn, outputs in groups.items()}

    def pick(features: PoolLayer | Reduce) -> PickFeatures:
        pooled, reduction = (
            (features.features, features.reduction) if isinstance(features, Reduce) else (features, None)
        )
        return pick_pooled(pooled, reduction, passes)

    match query:
        case Explore(trainings, best_alone):
            fits = tuple(fit(training, rows, pick) for training in trainings)
            return Answer(alone(fits) if best_alone else None, fits)
        case Export(features, _, path):
            picked = tuple(pick(item) for item in features if isinstance(item, PoolLayer | Reduce))
            return WriteFeatures(rows, picked, export_names(picked), path)


def fit(training: Train, rows: ReadRows, pick: Callable[[PoolLayer | Reduce], PickFeatures]) -> Fit:
    """The operator of one training."""
    matrix: Assemble = training.matrix
    features = None if matrix.features is None else pick(matrix.features)
    return Fit(rows, features, training.learner, training.evaluation)


def alone(fits: tuple[Fit, ...]) -> FitAlone:
    """The best layer of the first learner, without the table."""
    first = [item for item in fits if item.learner == fits[0].learner and item.features is not None]
    best: BestSoFar | None = None
    for item in first:
        best = BestSoFar(best, item)
    if best is None:
        message = "an EXPLORE has at least one layer"
        raise ValueError(message)
    return FitAlone(best)


def pick_pooled(pooled: PoolLayer, reduction: Reduction | None, passes: dict[Cnn, Passes]) -> PickFeatures:
    """The output of the pass that computes a pooled layer."""
    output = Output(pooled.tensor.layer, pooled.pool)
    return PickFeatures(passes[pooled.tensor.cnn][output], output, reduction)


def wanted_by_cnn(query: Explore | Export) -> dict[Cnn, tuple[Output, ...]]:
    """The wanted outputs of each CNN, in network order."""
    groups: dict[Cnn, list[Output]] = {}
    for pooled in layers_of(query):
        groups.setdefault(pooled.tensor.cnn, []).append(Output(pooled.tensor.layer, pooled.pool))
    return {
        cnn: tuple(sorted(dict.fromkeys(outputs), key=lambda output: (cnn.position[output.layer], str(output.pool))))
        for cnn, outputs in groups.items()
    }


def reader(query: Explore | Export, rows: ReadRows) -> ReadImages:
    """The images to read: those with a row, if the logical plan says so."""
    decode = next(node for node in query.walk() if isinstance(node, Decode))
    return ReadImages(decode.images, rows if decode.rows else None)


def lazy(cnn: Cnn, outputs: tuple[Output, ...], images: ReadImages, storage: Storage) -> Passes:
    """One pass from pixels for each layer."""
    return {output: RunPass(images, Pass(cnn, None, (output,)), storage) for output in outputs}


def eager(cnn: Cnn, outputs: tuple[Output, ...], images: ReadImages, storage: Storage) -> Passes:
    """One pass for all layers."""
    together = RunPass(images, Pass(cnn, None, outputs), storage)
    return dict.fromkeys(outputs, together)


def staged(cnn: Cnn, outputs: tuple[Output, ...], images: ReadImages, storage: Storage) -> Passes:
    """A pass for each layer, resuming from the last cut point before it that an earlier pass went through."""
    passes: Passes = {}
    source: ReadImages | Keep = images
    resume: str | None = None
    for place, output in enumerate(outputs):
        keep = cnn.cut_point_at(output.layer) if place + 1 < len(outputs) else None
        fresh = keep is not None and keep != resume
        run = RunPass(source, Pass(cnn, resume, (output,), (keep,) if keep and fresh else ()), storage)
        passes[output] = run
        if keep and fresh:
            source, resume = Keep(run, keep), keep
    return passes


GROUPINGS = {Strategy.LAZY: lazy, Strategy.EAGER: eager, Strategy.STAGED: staged}


def export_names(features: tuple[PickFeatures, ...]) -> tuple[str, ...]:
    """Column names of an export: the layer, with CNN and pooling where that is needed to tell two apart."""
    plain = [item.output.layer for item in features]
    if len(set(plain)) == len(plain):
        return tuple(plain)
    return tuple(f"{item.source.cnn.name}.{item.output.column}" for item in features)
