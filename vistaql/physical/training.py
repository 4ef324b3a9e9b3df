"""Training on each layer, on the table alone, and on the best layer alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistaql.learners import Learner
from vistaql.learners.names import greater_is_better
from vistaql.logical.evaluation import Evaluation, Splitting
from vistaql.physical.engine import Engine, FitResult
from vistaql.physical.infer import PickFeatures
from vistaql.physical.operator import FLOAT32, Operator
from vistaql.physical.reading import ReadRows
from vistaql.physical.resources import NOTHING, Fitted, Resources
from vistaql.physical.sizes import STRIPE_BYTES, Sizes
from vistaql.plan.node import Node


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
        """The learner's own estimate for as many fits as run side by side, and a stripe of vectors on disk for each."""
        width = sizes.columns + (self.features.width if self.features else 0)
        folds, trained = pieces(self.evaluation), round(sizes.rows * trained_share(self.evaluation))
        apart = self.learner.pieces(trained, width, folds) == folds
        side_by_side = min(sizes.fit_workers, folds) if apart else 2
        one = self.learner.memory(trained, width, sizes.classes)
        return side_by_side * (one + (STRIPE_BYTES if self.spooled(sizes) else 0))

    def spooled(self, sizes: Sizes) -> bool:
        """Whether the vectors are read from disk."""
        return self.features is not None and self.features.spooled(sizes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """Scores over the folds."""
        features = inputs[1] if len(inputs) > 1 else None
        return engine.fit(inputs[0], features, self.learner, self.evaluation, with_columns=True)


def fitting(fit: Fit, sizes: Sizes, columns: int) -> Resources:
    """The work of fitting and judging on a layer beside so many columns, and of making its digest.

    Vectors on disk are read again by each fold: twice to standardise, once to judge, and as often as the learner does.
    """
    features = fit.features.width if fit.features else 0
    folds = pieces(fit.evaluation)
    trained = round(sizes.rows * trained_share(fit.evaluation))
    vectors = FLOAT32 * features * sizes.rows
    flops = folds * fit.learner.flops(trained, columns + features, sizes.classes)
    reads = fit.learner.reads(trained, columns + features, folds) if fit.spooled(sizes) else 0.0
    return Resources(
        fitted=(Fitted(flops, fit.learner.pieces(trained, columns + features, folds)),),
        hashed_bytes=float(vectors),
        hashed_rows=float(sizes.rows if features else 0),
        spilled_bytes=reads * vectors,
    )


def pieces(evaluation: Evaluation) -> int:
    """How many times a learner is fitted on each layer."""
    return max(1, evaluation.folds) if evaluation.splitting is Splitting.FOLDS else 1


def trained_share(evaluation: Evaluation) -> float:
    """The share of the rows that a fit learns from."""
    match evaluation.splitting:
        case Splitting.FOLDS:
            return 1 - 1 / max(2, evaluation.folds)
        case Splitting.HOLDOUT:
            return 1 - evaluation.fraction
        case Splitting.COLUMN:
            return 0.75


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
        widest = 0
        best: BestSoFar | None = self
        while best is not None:
            widest = max(widest, best.fit.features.size(sizes) if best.fit.features else 0)
            best = best.before
        return widest

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
        own = Winner(self.fit, mean if greater_is_better(metric) else -mean, features)
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
class Answers(Operator):
    """The answers of several queries that were planned together."""

    answers: tuple[Answer, ...]

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
        """The scores of each."""
        return inputs


@dataclass(frozen=True)
class Scores:
    """What an EXPLORE came to."""

    fits: tuple[FitResult, ...]
    alone: tuple[Fit, FitResult] | None
