"""From what to how: one physical plan for a grouping of layers into passes."""

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
from vistaql.optimizer.grouping import Grouping, Strategy, named
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
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

Passes = dict[Output, RunPass]


class Placement(Enum):
    """Where rows are joined and filtered: before inference, so that only images with a row run, or after it."""

    BEFORE_INFERENCE = "before inference"
    AFTER_INFERENCE = "after inference"


def lower(query: Explore | Export, strategy: Strategy, storage: Storage) -> Operator:
    """The physical plan of a strategy, all kept tensors in one place."""
    wanted = wanted_by_cnn(query)
    return lower_groupings(query, tuple(named(strategy, cnn, outputs, storage) for cnn, outputs in wanted.items()))


def lower_groupings(
    query: Explore | Export, groupings: tuple[Grouping, ...], placement: Placement = Placement.BEFORE_INFERENCE
) -> Operator:
    """The physical plan; every plan of a query has the same operators but for its passes and the images they read."""
    rows = ReadRows(rows_of(query))
    images = reader(query, rows, placement)
    passes = {grouping.cnn: passes_of(grouping, images) for grouping in groupings}

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


def reader(query: Explore | Export, rows: ReadRows, placement: Placement) -> ReadImages:
    """The images to read: those with a row, if the logical plan says so and the placement does not forbid it."""
    decode = next(node for node in query.walk() if isinstance(node, Decode))
    matching = decode.rows is not None and placement is Placement.BEFORE_INFERENCE
    return ReadImages(decode.images, rows if matching else None)


def placements(query: Explore | Export) -> tuple[Placement, ...]:
    """Where the join can stand: before inference it saves images, if the logical plan found that it leaves any out."""
    saves = any(isinstance(node, Decode) and node.rows is not None for node in query.walk())
    return (Placement.BEFORE_INFERENCE, Placement.AFTER_INFERENCE) if saves else (Placement.AFTER_INFERENCE,)


def passes_of(grouping: Grouping, images: ReadImages) -> Passes:
    """The passes of one CNN; each resumes from what the one before kept, or from what that one resumed from."""
    passes: Passes = {}
    kept: Keep | None = None
    for group in grouping.groups:
        source = kept if group.source else images
        run = RunPass(source or images, group.inference(grouping.cnn), group.storage)
        passes.update(dict.fromkeys(group.outputs, run))
        kept = Keep(run, group.keep) if group.keep else kept
    return passes


def export_names(features: tuple[PickFeatures, ...]) -> tuple[str, ...]:
    """Column names of an export: the layer, with CNN and pooling where that is needed to tell two apart."""
    plain = [item.output.layer for item in features]
    if len(set(plain)) == len(plain):
        return tuple(plain)
    return tuple(f"{item.source.cnn.name}.{item.output.column}" for item in features)
