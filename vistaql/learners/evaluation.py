"""Scores of a learner on rows it has not seen, fold by fold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from statistics import fmean, stdev

import numpy as np
from threadpoolctl import ThreadpoolController

from vistaql.aside import side_by_side
from vistaql.errors import Code, VistaQLError
from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import UNUSED, check_folds, key_order
from vistaql.learners.learner import Learner, Model, TrainingFold
from vistaql.learners.matrix import Matrix, Vectors
from vistaql.learners.metrics import Metric
from vistaql.learners.shapes import ASIDE_ELEMENTS, rows_at_a_time


@dataclass(frozen=True, eq=False)
class Examples:
    """The rows to learn from: keys, class codes [rows], where each is tested (see folds), and the table's columns."""

    keys: tuple[str, ...]
    codes: np.ndarray
    classes: int
    tested: np.ndarray
    columns: StructuredColumns | None = None

    @cached_property
    def order(self) -> np.ndarray:
        """Row numbers in canonical order: everything is fitted in it, so bits do not depend on how rows arrive."""
        return key_order(self.keys)

    @property
    def folds(self) -> int:
        """How many times the learner is fitted."""
        return int(self.tested.max()) + 1

    @property
    def frequencies(self) -> np.ndarray:
        """Rows of each class that are trained on or tested."""
        return np.bincount(self.codes[self.tested != UNUSED], minlength=self.classes)

    @property
    def commonest(self) -> int:
        """The class with most rows; of equals the first."""
        return int(self.frequencies.argmax())

    def fold(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to train on, and rows to test on."""
        tested = self.tested[self.order]
        return self.order[(tested != number) & (tested != UNUSED)], self.order[tested == number]

    def training_fold(self, number: int, columns: StructuredColumns | None) -> TrainingFold:
        """What a learner may see of a fold."""
        tested = self.tested[self.order]
        ranks = np.flatnonzero((tested != number) & (tested != UNUSED))
        rows = self.order[ranks]
        return TrainingFold(rows, ranks, np.empty(0) if columns is None else columns.fill(rows))

    @property
    def sizes(self) -> tuple[float, float]:
        """Rows trained on and rows tested on, the mean over the folds."""
        parts = [self.fold(number) for number in range(self.folds)]
        return fmean(len(train) for train, _ in parts), fmean(len(test) for _, test in parts)


@dataclass(frozen=True)
class Scores:
    """A metric's value in each fold."""

    metric: Metric
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return fmean(self.folds)

    @property
    def std(self) -> float:
        """The sample standard deviation over the folds; 0 for one fold."""
        return stdev(self.folds) if len(self.folds) > 1 else 0.0


@dataclass(frozen=True)
class Evaluation:
    """What came of one learner on one set of features."""

    scores: tuple[Scores, ...]
    width: int
    fit_seconds: float
    """for all folds together, standardising and judging included, as the clock on the wall has it"""
    converged: bool


def evaluate(
    examples: Examples,
    image: Vectors | None,
    learner: Learner,
    metrics: Sequence[Metric],
    workers: int = 1,
    *,
    with_columns: bool = True,
) -> Evaluation:
    """Fit and score every fold with `workers` threads, each with one BLAS thread.

    `image` is float32 [rows, width] in the order of the examples, or None for the table alone. Without columns
    and image features the class frequencies are all there is, which is to say the commonest class.
    The result has the same bits for any number of workers and any order of the rows.
    """
    check_folds(examples.codes, examples.tested)
    check_finite(image)
    columns = examples.columns if with_columns else None
    matrix = matrix_of(columns, image, len(examples.codes))
    # Spinning BLAS threads beside each other made the same fits forty times slower.
    with blas().limit(limits=1, user_api="blas"), side_by_side(workers, "fit") as pool:
        started = time.perf_counter()
        folds = [examples.training_fold(number, columns) for number in range(examples.folds)]
        each = map if len(examples.codes) * matrix.width <= ASIDE_ELEMENTS else pool.map

        def test(number: int, model: Model) -> tuple[bool, list[float]]:
            _, rows = examples.fold(number)
            probabilities = model.probabilities(matrix, rows)
            return model.converged, [metric.score(examples.codes[rows], probabilities) for metric in metrics]

        tested = learner.fit(matrix, folds, examples.codes, examples.classes, each, test)
        seconds = time.perf_counter() - started
    scores = tuple(Scores(metric, tuple(fold[place] for _, fold in tested)) for place, metric in enumerate(metrics))
    return Evaluation(scores, matrix.width, seconds, all(converged for converged, _ in tested))


@cache
def blas() -> ThreadpoolController:
    """The BLAS that numpy has loaded; to look for it takes as long as a small fit."""
    return ThreadpoolController()


def matrix_of(columns: StructuredColumns | None, image: Vectors | None, rows: int) -> Matrix:
    """Columns and features beside each other; either may be absent."""
    features = np.empty((rows, 0), dtype=np.float32) if image is None else image
    if columns is None:
        return Matrix(np.empty((rows, 0)), np.empty((rows, 0)), np.empty(0, dtype=np.int64), features)
    return Matrix(columns.encoded, columns.gaps, columns.gap_columns, features)


def evaluate_majority(examples: Examples, metrics: Sequence[Metric]) -> tuple[Scores, ...]:
    """What always saying the commonest class of all rows scores, with the frequencies of the classes as probabilities.

    The commonest of the training rows would not do: where classes are of one size, it is the rarest of the tested.
    """
    probabilities = examples.frequencies / examples.frequencies.sum()
    folds = []
    for number in range(examples.folds):
        _, test = examples.fold(number)
        said = np.tile(probabilities, (len(test), 1))
        folds.append([metric.score(examples.codes[test], said) for metric in metrics])
    return tuple(Scores(metric, tuple(fold[place] for fold in folds)) for place, metric in enumerate(metrics))


def check_finite(image: Vectors | None) -> None:
    """Refuse features that a learner would choke on, and say how many rows have them."""
    if image is None:
        return
    bad, rows = 0, image.shape[0]
    step = rows_at_a_time(image.shape[1])
    for start in range(0, rows, step):
        block = image[start : start + step]
        if not np.isfinite(block.sum(dtype=np.float64)):
            bad += int((~np.isfinite(block).all(axis=1)).sum())
    if bad:
        raise VistaQLError(
            Code.NOT_FINITE,
            f"The layer gives values that are not finite for {bad} of {rows} rows.",
            hint="Choose an earlier layer, or trained weights.",
        )
