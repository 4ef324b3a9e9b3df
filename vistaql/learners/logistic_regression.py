"""Logistic regression with an elastic net."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from vistaql.learners.learner import Each, Learner, Model, TrainingFold, option
from vistaql.learners.shapes import (
    KEPT_ELEMENTS,
    LEAST_BLOCK_ROWS,
    MOST_COLUMNS_PRECONDITIONED,
    MOST_ROWS_ROTATED,
    SLAB_ELEMENTS,
)

if TYPE_CHECKING:
    import numpy as np

    from vistaql.learners.matrix import Matrix

T = TypeVar("T")

EVALUATIONS = 110
"""Passes over the rows that a fit takes; 40 to 150 were measured on pooled features of MobileNetV2."""
SKINNY = 9.0
"""How much longer a product with few coefficients takes than a large one of as many operations, in the span of rows."""
BLOCKED = 2.2
"""The same for rows read in blocks."""
INVERTING = 6.0
"""The same for making the inverse of columns x columns."""
PRECONDITIONING = 11.0
"""The same for applying it, which reads all of it for a few coefficients."""
EIGENVECTORS = 18.0
"""Operations for each cube of rows that eigenvectors take; 21 with 800 rows, 17.6 with 2,000."""
READING = 1500.0
"""Operations for which one number is read, converted and standardised, column by column."""
STEP = 1.5e7
"""Operations for which a search takes one step, whatever the size."""
TEMPORARIES = 5
"""Arrays as large as a block of rows that standardising makes."""
FOLDS = 5
"""Folds that share a preconditioner, and are remembered together."""


@dataclass(frozen=True)
class LogisticRegression(Learner):
    """Logistic regression: a weighted sum of the features for each class, and the likeliest class wins.

    With features x standardised inside the training fold (sample standard deviation), the fit minimises
    over coefficients b and intercepts a

        mean of loss(a + b x, class) + reg (l1_ratio |b|_1 + (1 - l1_ratio) / 2 |b|_2^2)

    where the loss is minus the log of the softmax, for two classes that of one logistic function with one row of
    coefficients. Intercepts are not penalised. This is MLlib's objective (regParam, elasticNetParam, standardization).
    For l1_ratio < 1 the minimum is unique, and `tol` bounds the relative error of the coefficients: the search ends
    when |gradient| <= tol reg (1 - l1_ratio) |b|, and strong convexity does the rest.
    """

    name: ClassVar[str] = "logistic_regression"
    aliases: ClassVar[tuple[str, ...]] = ("lr", "logreg", "LogisticRegression")

    reg: float = option(0.01, 1e-9, 1e6, "strength of the penalty on the coefficients")
    l1_ratio: float = option(0.0, 0.0, 1.0, "part of the penalty on absolute values; the rest is on squares")
    tol: float = option(1e-4, 1e-9, 0.1, "largest relative error of the coefficients")
    max_iter: int = option(2000, 1, 1_000_000, "most steps of a fit")

    def fit(
        self,
        matrix: Matrix,
        folds: Sequence[TrainingFold],
        codes: np.ndarray,
        classes: int,
        each: Each,
        judge: Callable[[int, Model], T],
    ) -> Sequence[T]:
        """Learn one model from each fold, and judge it."""
        from vistaql.learners.linear import fit_linear

        return fit_linear(self, matrix, folds, codes, classes, each, judge)

    def flops(self, rows: int, width: int, classes: int) -> float:
        """The better coordinates, two products of rows and coefficients an evaluation, standardising, and overheads.

        The weights were fitted to the times of 16 shapes (200 x 64 to 800 x 100,000), which they meet within a third.
        """
        outputs = 1 if classes == 2 else classes
        steps = EVALUATIONS * STEP
        if self.in_span_of_rows(rows, width):
            coordinates = 2.0 * rows**2 * width + EIGENVECTORS * rows**3 + READING * rows * width
            return coordinates + SKINNY * EVALUATIONS * 4.0 * rows**2 * outputs + steps
        preconditioned = width <= MOST_COLUMNS_PRECONDITIONED and not self.l1_ratio
        shared = INVERTING * (2.0 * width**2 * rows + 4.0 * width**3) if preconditioned else 0.0
        applied = PRECONDITIONING * EVALUATIONS * 2.0 * width**2 * outputs if preconditioned else 0.0
        return shared / FOLDS + applied + BLOCKED * EVALUATIONS * 4.0 * rows * width * outputs + steps

    def in_span_of_rows(self, rows: int, width: int) -> bool:
        """Whether a fit works in the span of its rows."""
        return rows < width and rows <= MOST_ROWS_ROTATED and not self.l1_ratio

    def pieces(self, rows: int, width: int, folds: int) -> int:
        """Folds in the span of rows, slabs of rows otherwise; few rows are one slab."""
        if self.in_span_of_rows(rows, width):
            return folds
        return 1 if rows * width <= KEPT_ELEMENTS else -(-rows * width // SLAB_ELEMENTS)

    def reads(self, rows: int, width: int, folds: int) -> float:
        """In the span of rows each fold reads them five times; in that of the columns all folds read in every step."""
        return 5.0 * folds if self.in_span_of_rows(rows, width) else 3.0 * folds + EVALUATIONS

    def memory(self, rows: int, width: int, classes: int) -> int:
        """Eigenvectors or preconditioner, remembered steps, and a few numbers a row and class.

        In the span of rows a model lives until it is judged, which takes a scaled copy of it. In the coordinates of the
        columns all folds are fitted together, and this is half of what they take.
        """
        rotated = self.in_span_of_rows(rows, width)
        inner = rows if rotated else width
        coefficients = (inner + 1) * (1 if classes == 2 else classes)
        remembered = FOLDS * 8 * coefficients * 2 * max(5, min(20, 2**26 // (16 * coefficients)))
        preconditioned = width <= MOST_COLUMNS_PRECONDITIONED and not self.l1_ratio
        square = (64 if rotated else 28 if preconditioned else 0) * inner**2
        blocks = TEMPORARIES * 8 * LEAST_BLOCK_ROWS * width
        model = 8 * width * (2 * (1 if classes == 2 else classes) + 3) if rotated else 0
        return square + remembered // 2 + 48 * rows * classes + blocks + model + 32 * 2**20
