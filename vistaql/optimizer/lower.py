"""From what to how: one physical plan for a grouping of layers into passes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from vistaql.learners import Learner
from vistaql.logical.nodes import (
    Decode,
    Explore,
    Features,
    InferLayers,
    PickLayer,
    Query,
    Reduce,
    Together,
    Train,
    layer_of,
)  # fmt: skip
from vistaql.models.cnn import Cnn
from vistaql.optimizer.grouping import Grouping, Origin, Strategy, named
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
from vistaql.physical.operators import (
    Answer,
    Answers,
    BestSoFar,
    EitherRows,
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
from vistaql.settings import Placement

Passes = dict[Output, RunPass]
AllPasses = dict[str, Passes]
"""by digest of the CNN"""


def lower(
    query: Query, strategy: Strategy, storage: Storage, placement: Placement = Placement.BEFORE_INFERENCE
) -> Operator:
    """The physical plan of a strategy, all kept tensors in one place."""
    wanted = wanted_by_cnn(query).items()
    return lower_groupings(query, tuple(named(strategy, cnn, outputs, storage) for cnn, outputs in wanted), placement)


def lower_groupings(
    query: Query, groupings: tuple[Grouping, ...], placement: Placement = Placement.BEFORE_INFERENCE
) -> Operator:
    """The physical plan; every plan of a query has the same operators but for its passes and the images they read."""
    images = reader(query, placement)
    passes = {grouping.cnn.digest: passes_of(grouping, images) for grouping in groupings}
    if isinstance(query, Together):
        return Answers(tuple(answer(item, passes) for item in query.queries))
    if isinstance(query, Explore):
        return answer(query, passes)
    picked = tuple(pick(item, passes) for item in query.features)
    return WriteFeatures(ReadRows(query.rows), picked, export_names(picked), query.path)


def answer(query: Explore, passes: AllPasses) -> Answer:
    """The operators behind the passes of one EXPLORE."""
    fits = tuple(fit(training, learner, passes) for training, learner in query.answers)
    return Answer(alone(fits) if query.best_alone else None, fits)


def fit(training: Train, learner: Learner, passes: AllPasses) -> Fit:
    """The operator of one learner on one matrix."""
    features = training.matrix.features
    picked = None if features is None else pick(features, passes)
    return Fit(ReadRows(training.matrix.source), picked, learner, training.evaluation)


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


def pick(features: Features, passes: AllPasses) -> PickFeatures:
    """The output of the pass that computes a pooled layer; images of a key become one vector where that is asked."""
    layer, reduction = layer_of(features), features.reduction if isinstance(features, Reduce) else None
    if not isinstance(layer, PickLayer):
        message = f"{layer.layer} is pooled outside a pass: the rule pool_in_pass comes first"
        raise TypeError(message)
    output, named = layer.output, Output(layer.layer, layer.pool)
    return PickFeatures(passes[layer.inference.cnn.digest][output], output, reduction, layer.called, named)


@lru_cache(maxsize=64)
def wanted_by_cnn(query: Query) -> Mapping[Cnn, tuple[Output, ...]]:
    """The wanted outputs of each CNN, in network order.

    Raises ValueError where the rules have not made one inference of those of a CNN.
    """
    found = [node for node in query.walk() if isinstance(node, InferLayers)]
    if not found or len({node.cnn.digest for node in found}) < len(found):
        message = "layers are inferred apart: the rules pool_in_pass and infer_together come first"
        raise ValueError(message)
    return {node.cnn: node.outputs for node in found}


@lru_cache(maxsize=64)
def reader(query: Query, placement: Placement) -> ReadImages:
    """The images to read: those with a row, if the logical plan says so and the placement does not forbid it.

    Queries that are answered together read those for which any of them has a row.
    """
    decode = decode_of(query)
    if placement is Placement.AFTER_INFERENCE or not decode.rows:
        return ReadImages(decode.images, None)
    rows = tuple(map(ReadRows, decode.rows))
    return ReadImages(decode.images, rows[0] if len(rows) == 1 else EitherRows(rows))


def decode_of(query: Query) -> Decode:
    """The images of a query: whatever sizes CNNs take, they are the same."""
    return next(node for node in query.walk() if isinstance(node, Decode))


@lru_cache(maxsize=64)
def placements(query: Query) -> tuple[Placement, ...]:
    """Where the join can stand: before inference it saves images, if the logical plan found that it leaves any out."""
    if decode_of(query).rows:
        return Placement.BEFORE_INFERENCE, Placement.AFTER_INFERENCE
    return (Placement.AFTER_INFERENCE,)


def passes_of(grouping: Grouping, images: ReadImages) -> Passes:
    """The passes of one CNN; each resumes from what the one before kept, or from what that one resumed from."""
    passes: Passes = {}
    kept: Keep | None = None
    for group in grouping.groups:
        if group.origin is not Origin.RUN:
            message = f"{group.origin.value}: there is no operator that reads the store"
            raise ValueError(message)
        source = kept if group.source else images
        run = RunPass(source or images, group.inference(grouping.cnn), group.storage)
        passes.update(dict.fromkeys(group.outputs, run))
        kept = Keep(run, group.keep) if group.keep else kept
    return passes


def export_names(features: tuple[PickFeatures, ...]) -> tuple[str, ...]:
    """Column names of an export: the layer, with CNN and pooling where that is needed to tell two apart."""
    plain = [item.shown.layer for item in features]
    if len(set(plain)) == len(plain):
        return tuple(plain)
    return tuple(f"{item.cnn_name}.{item.shown.column}" for item in features)
