"""Fit linear classifiers exactly, in the coordinates where that is quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from vistaql.aside import aside
from vistaql.learners.learner import Each, TrainingFold
from vistaql.learners.logistic_regression import LogisticRegression
from vistaql.learners.matrix import Matrix, Standardisation
from vistaql.learners.minimise import Terms
from vistaql.learners.objective import Fold, Rows, minimise_together
from vistaql.learners.shapes import MOST_COLUMNS_PRECONDITIONED, MOST_ROWS_ROTATED

T = TypeVar("T")

NO_GAPS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Scores are standardised columns times coefficients, plus intercepts."""

    coefficients: np.ndarray
    """float64 [outputs, columns], of standardised columns; one output for two classes, else one for each"""
    intercepts: np.ndarray
    standardisation: Standardisation
    fill: np.ndarray
    evaluations: int
    converged: bool

    def probabilities(self, matrix: Matrix, rows: np.ndarray) -> np.ndarray:
        """The probability of each class for some rows: float64 [rows, classes]."""
        weights = (self.coefficients * self.standardisation.inverse).T
        shift = self.intercepts - self.standardisation.mean @ weights
        scores = np.empty((len(rows), len(shift)))
        for place, block in matrix.filled_blocks(rows, self.fill):
            scores[place] = block @ weights + shift
        if scores.shape[1] == 1:
            scores = np.hstack([np.zeros_like(scores), scores])
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def fit_linear(
    learner: LogisticRegression,
    matrix: Matrix,
    folds: Sequence[TrainingFold],
    codes: np.ndarray,
    classes: int,
    each: Each,
    judge: Callable[[int, LinearModel], T],
) -> tuple[T, ...]:
    """Fit and judge every fold: with fewer rows than columns each in the span of its rows, else all together."""
    fewest = min(len(fold.rows) for fold in folds)
    if fewest < matrix.width and fewest <= MOST_ROWS_ROTATED and learner.l1_ratio == 0:

        def fitted(number: int) -> T:
            return judge(number, fit_rotated(learner, matrix, folds[number], codes, classes))

        return tuple(each(fitted, range(len(folds))))
    models = fit_columns(learner, matrix, folds, codes, classes, each)
    return tuple(each(judge, range(len(folds)), models))


def fit_columns(
    learner: LogisticRegression,
    matrix: Matrix,
    folds: Sequence[TrainingFold],
    codes: np.ndarray,
    classes: int,
    each: Each,
) -> tuple[LinearModel, ...]:
    """Fit in the coordinates of the columns: all folds read the same blocks of rows, again in every step."""
    standardisations = list(each(lambda fold: Standardisation.of(matrix, fold.rows, fold.fill), folds))
    inverse = None
    if learner.l1_ratio == 0 and matrix.width <= MOST_COLUMNS_PRECONDITIONED:
        # The first fold stands for all: the others are so alike that their own would cost more than it saves.
        # It steers the search and not what it finds, and it knows no labels.
        inverse = inverse_hessian(matrix, folds[0], standardisations[0], curvature(classes), learner.reg)

    def precondition(slopes: np.ndarray) -> np.ndarray:
        return slopes if inverse is None else slopes.astype(np.float32) @ inverse

    order, trains = together(folds)
    fitted = tuple(
        Fold(train, standardisation, matrix.gap_columns, fold.fill, classes, learner.reg * (1 - learner.l1_ratio))
        for fold, train, standardisation in zip(folds, trains, standardisations, strict=True)
    )
    starts = [start_of(fold, codes[order]) for fold in fitted]
    terms = [terms_of(learner, fold, precondition) for fold in fitted]
    minima = minimise_together(Rows.of(matrix, order, codes), fitted, starts, terms, each)
    return tuple(
        LinearModel(*fold.split(found.at), fold.standardisation, fold.fill, found.evaluations, found.converged)
        for fold, found in zip(fitted, minima, strict=True)
    )


def together(folds: Sequence[TrainingFold]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All rows that some fold learns from, in canonical order, and for each fold whether it learns from them."""
    ranks = np.unique(np.concatenate([fold.ranks for fold in folds]), return_index=True)
    rows = np.concatenate([fold.rows for fold in folds])[ranks[1]]
    return rows, [np.isin(ranks[0], fold.ranks) for fold in folds]


def fit_rotated(
    learner: LogisticRegression, matrix: Matrix, fold: TrainingFold, codes: np.ndarray, classes: int
) -> LinearModel:
    """Fit in the span of the rows, which holds the optimum of a penalty on squares (the representer theorem).

    With the eigenvalues s^2 and vectors U of X X', the rows are U s in the orthonormal basis s^-1 U' X.
    """
    count = len(fold.rows)
    standardisation = Standardisation.of(matrix, fold.rows, fold.fill)
    products = np.zeros((count, count))
    for place, block in matrix.column_blocks(fold.rows, fold.fill):
        centred = (block - standardisation.mean[place]) * standardisation.inverse[place]
        products += centred @ centred.T
    squares, vectors = np.linalg.eigh(products)
    kept = squares > squares[-1] * count * np.finfo(np.float64).eps
    lengths, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    diagonal = 1 / (curvature(classes) * squares[kept] / count + learner.reg)

    plain = Standardisation(np.zeros(len(lengths)), np.ones(len(lengths)))
    rotated = Fold(np.ones(count, dtype=bool), plain, NO_GAPS, np.empty(0), classes, learner.reg)
    rows = Rows.whole(vectors * lengths, codes[fold.rows])
    terms = terms_of(learner, rotated, lambda slopes: slopes * diagonal)
    (found,) = minimise_together(rows, [rotated], [start_of(rotated, rows.codes)], [terms], map)

    inner, intercepts = rotated.split(found.at)
    duals = (inner / lengths) @ vectors.T
    coefficients = np.empty((len(inner), matrix.width))
    for place, block in matrix.column_blocks(fold.rows, fold.fill):
        coefficients[:, place] = duals @ (block - standardisation.mean[place]) * standardisation.inverse[place]
    return LinearModel(coefficients, intercepts, standardisation, fold.fill, found.evaluations, found.converged)


def start_of(fold: Fold, codes: np.ndarray) -> np.ndarray:
    """No coefficients, and the intercepts that give the class frequencies of the training rows."""
    start = np.zeros((fold.outputs, len(fold.standardisation.mean) + 1))
    logs = np.log(np.maximum(np.bincount(codes[fold.train], minlength=fold.classes), 0.5))
    start[:, -1] = logs[1:] - logs[0] if fold.outputs == 1 else logs - logs.mean()
    return start.ravel()


def terms_of(learner: LogisticRegression, fold: Fold, precondition: Callable[[np.ndarray], np.ndarray]) -> Terms:
    """Preconditioner, tolerance and absolute values of a fit."""
    lasso = learner.reg * learner.l1_ratio

    def first_matrix(flat: np.ndarray) -> np.ndarray:
        slopes, sums = fold.split(flat)
        return np.column_stack([precondition(slopes), sums / curvature(fold.classes)]).ravel()

    def enough(flat: np.ndarray, gradient: np.ndarray) -> bool:
        size = float(np.linalg.norm(fold.split(flat)[0]))
        return bool(np.linalg.norm(gradient) <= learner.tol * (fold.ridge or lasso) * max(size, 1e-6))

    absolute = np.full((fold.outputs, len(fold.standardisation.mean) + 1), lasso)
    absolute[:, -1] = 0.0
    return Terms(first_matrix, enough, absolute.ravel() if lasso else None, learner.max_iter)


def curvature(classes: int) -> float:
    """How much the loss bends in a score, on average: the Hessian is near this times the covariance.

    An eighth for two classes, 1 / (4 classes) for more; chosen by measurement, and only the speed depends on it.
    """
    return 0.25 / classes


def inverse_hessian(
    matrix: Matrix, fold: TrainingFold, standardisation: Standardisation, bend: float, ridge: float
) -> np.ndarray:
    """The inverse of a fold's Hessian near no coefficients, float32: it only preconditions, and changes no result."""
    products = np.zeros((matrix.width, matrix.width), dtype=np.float32)
    for _, block in matrix.filled_blocks(fold.rows, fold.fill):
        scaled = ((block - standardisation.mean) * standardisation.inverse).astype(np.float32)
        products += scaled.T @ scaled
    hessian = products.astype(np.float64)
    hessian *= bend / len(fold.rows)
    # The float32 sums are good to a millionth of the largest eigenvalue, which must not turn the smallest negative.
    hessian[np.diag_indices(matrix.width)] += ridge + 1e-6 * float(np.trace(hessian))
    inverse = aside(lambda: np.linalg.inv(hessian))
    return np.asarray((inverse + inverse.T) / 2, dtype=np.float32)
