"""Fit a linear classifier exactly, in the coordinates where that is quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vistaql.learners.logistic_regression import LogisticRegression
from vistaql.learners.matrix import Matrix, Standardisation
from vistaql.learners.minimise import Minimum, minimise

MOST_ROWS_ROTATED = 3000
"""Beyond it, the eigenvectors of rows x rows cost more than they save."""
MOST_COLUMNS_PRECONDITIONED = 4096
"""Beyond it, the inverse of columns x columns costs more than it saves."""
KEPT_ELEMENTS = 2**20
"""A fit keeps no more numbers than these (8 MiB) as float64; more are converted again in every step."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Scores are standardised columns times coefficients, plus intercepts."""

    coefficients: np.ndarray
    """float64 [columns, outputs], of standardised columns; one output for two classes, else one for each"""
    intercepts: np.ndarray
    standardisation: Standardisation
    evaluations: int
    converged: bool

    def probabilities(self, matrix: Matrix, rows: np.ndarray) -> np.ndarray:
        """The probability of each class for some rows: float64 [rows, classes]."""
        weights = self.coefficients * self.standardisation.inverse[:, None]
        scores = np.empty((len(rows), weights.shape[1]))
        for place, block in matrix.row_blocks(rows):
            block -= self.standardisation.mean
            scores[place] = block @ weights + self.intercepts
        if scores.shape[1] == 1:
            scores = np.hstack([np.zeros_like(scores), scores])
        return softmax(scores)[0]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a fit in the coordinates it is done in.

    A coordinate is `inverse` times its distance from `mean`. Both are left to the coefficients and the intercept,
    where they cost nothing; the blocks are as they were read.
    """

    read: Callable[[], Iterator[tuple[slice, np.ndarray]]]
    mean: np.ndarray
    inverse: np.ndarray


def fit_linear(
    learner: LogisticRegression, matrix: Matrix, rows: np.ndarray, codes: np.ndarray, classes: int
) -> LinearModel:
    """Standardise, choose coordinates, minimise, and turn back."""
    standardisation = Standardisation.of(matrix, rows)
    if len(rows) < matrix.width and len(rows) <= MOST_ROWS_ROTATED and learner.l1_ratio == 0:
        coefficients, intercepts, found = fit_rotated(learner, matrix, rows, codes, classes, standardisation)
    else:
        coefficients, intercepts, found = fit_columns(learner, matrix, rows, codes, classes, standardisation)
    return LinearModel(coefficients, intercepts, standardisation, found.evaluations, found.converged)


def fit_columns(
    learner: LogisticRegression,
    matrix: Matrix,
    rows: np.ndarray,
    codes: np.ndarray,
    classes: int,
    standardisation: Standardisation,
) -> tuple[np.ndarray, np.ndarray, Minimum]:
    """Fit in the coordinates of the columns: blocks of rows are read again in every step."""
    design = Rows(reader(matrix, rows), standardisation.mean, standardisation.inverse)
    bend = curvature(classes)
    inverse = None
    if learner.l1_ratio == 0 and matrix.width <= MOST_COLUMNS_PRECONDITIONED:
        inverse = inverse_hessian(design, len(rows), bend, learner.reg)

    def precondition(gradient: np.ndarray) -> np.ndarray:
        return gradient if inverse is None else inverse @ gradient.astype(np.float32)

    return solve(learner, design, codes, classes, precondition)


def fit_rotated(
    learner: LogisticRegression,
    matrix: Matrix,
    rows: np.ndarray,
    codes: np.ndarray,
    classes: int,
    standardisation: Standardisation,
) -> tuple[np.ndarray, np.ndarray, Minimum]:
    """Fit in the span of the rows, which holds the optimum of a penalty on squares (the representer theorem).

    With the eigenvalues s^2 and vectors U of X X', the rows are U s in an orthonormal basis s^-1 U' X.
    """
    products = np.zeros((len(rows), len(rows)))
    start = 0
    for block in matrix.column_blocks(rows):
        stop = start + block.shape[1]
        block -= standardisation.mean[start:stop]
        block *= standardisation.inverse[start:stop]
        products += block @ block.T
        start = stop
    squares, vectors = np.linalg.eigh(products)
    kept = squares > squares[-1] * len(rows) * np.finfo(np.float64).eps
    lengths, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    whole = ((slice(0, len(rows)), vectors * lengths),)
    rotated = Rows(lambda: iter(whole), np.zeros(len(lengths)), np.ones(len(lengths)))
    diagonal = 1 / (curvature(classes) * squares[kept] / len(rows) + learner.reg)

    inner, intercepts, found = solve(learner, rotated, codes, classes, lambda gradient: diagonal[:, None] * gradient)
    duals = vectors @ (inner / lengths[:, None])
    outer = [block.T @ duals for block in matrix.column_blocks(rows)]
    centred = np.vstack(outer) - np.outer(standardisation.mean, duals.sum(axis=0))
    return centred * standardisation.inverse[:, None], intercepts, found


def solve(
    learner: LogisticRegression,
    rows: Rows,
    codes: np.ndarray,
    classes: int,
    precondition: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray, Minimum]:
    """Minimise the learner's objective from the class frequencies: coefficients, intercepts, and how it went."""
    outputs = 1 if classes == 2 else classes
    shape = (len(rows.inverse) + 1, outputs)
    ridge, lasso = learner.reg * (1 - learner.l1_ratio), learner.reg * learner.l1_ratio
    target = np.eye(classes)[codes][:, -outputs:]
    logs = np.log(np.maximum(np.bincount(codes, minlength=classes), 0.5))
    start = np.zeros(shape)
    start[0] = logs[1:] - logs[0] if outputs == 1 else logs - logs.mean()

    def smooth(flat: np.ndarray) -> tuple[float, np.ndarray]:
        point = flat.reshape(shape)
        weights = point[1:] * rows.inverse[:, None]
        shift = point[0] - rows.mean @ weights
        gradient = np.zeros(shape)
        total = 0.0
        for place, block in rows.read():
            loss, residual = losses(block @ weights + shift, target[place])
            total += loss
            gradient[1:] += block.T @ residual
            gradient[0] += residual.sum(axis=0)
        gradient[1:] -= np.outer(rows.mean, gradient[0])
        gradient[1:] *= rows.inverse[:, None]
        gradient /= len(codes)
        gradient[1:] += ridge * point[1:]
        return total / len(codes) + ridge / 2 * float((point[1:] ** 2).sum()), gradient.ravel()

    def first_matrix(flat: np.ndarray) -> np.ndarray:
        vector = flat.reshape(shape)
        return np.vstack([vector[:1] / curvature(classes), precondition(vector[1:])]).ravel()

    def enough(flat: np.ndarray, gradient: np.ndarray) -> bool:
        size = np.linalg.norm(flat[outputs:])
        return bool(np.linalg.norm(gradient) <= learner.tol * (ridge or lasso) * max(size, 1e-6))

    absolute = np.full(shape, lasso)
    absolute[0] = 0.0
    found = minimise(smooth, start.ravel(), first_matrix, enough, absolute.ravel() if lasso else None, learner.max_iter)
    point = found.at.reshape(shape)
    return point[1:], point[0], found


def curvature(classes: int) -> float:
    """How much the loss bends in a score, on average: the Hessian is near this times the covariance.

    An eighth for two classes, 1 / (4 classes) for more; chosen by measurement, and only the speed depends on it.
    """
    return 0.25 / classes


def losses(scores: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The summed loss, and its derivative in the scores."""
    if scores.shape[1] == 1:
        loss = float((np.logaddexp(0.0, scores) - scores * target).sum())
        return loss, 1 / (1 + np.exp(-np.clip(scores, -700, 700))) - target
    probabilities, normaliser = softmax(scores)
    return float(normaliser.sum() - (scores * target).sum()), probabilities - target


def softmax(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of the scores, and the log of their sum of exponentials a row."""
    largest = scores.max(axis=1, keepdims=True)
    raised = np.exp(scores - largest)
    sums = raised.sum(axis=1, keepdims=True)
    return raised / sums, np.log(sums[:, 0]) + largest[:, 0]


def reader(matrix: Matrix, rows: np.ndarray) -> Callable[[], Iterator[tuple[slice, np.ndarray]]]:
    """Read the rows a block at a time, again and again; few numbers are read once and kept."""
    if matrix.width * len(rows) > KEPT_ELEMENTS:
        return lambda: matrix.row_blocks(rows)
    whole = ((slice(0, len(rows)), matrix.block(rows)),)
    return lambda: iter(whole)


def inverse_hessian(rows: Rows, count: int, bend: float, ridge: float) -> np.ndarray:
    """The inverse of the Hessian near no coefficients, float32: it only preconditions, and changes no result."""
    width = len(rows.mean)
    products = np.zeros((width, width), dtype=np.float32)
    for _, block in rows.read():
        scaled = ((block - rows.mean) * rows.inverse).astype(np.float32)
        products += scaled.T @ scaled
    hessian = products.astype(np.float64)
    hessian *= bend / count
    # The float32 sums are good to a millionth of the largest eigenvalue, which must not turn the smallest negative.
    hessian[np.diag_indices(width)] += ridge + 1e-6 * float(np.trace(hessian))
    return np.linalg.inv(hessian).astype(np.float32)
