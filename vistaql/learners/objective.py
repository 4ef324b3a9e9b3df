"""The loss of linear classifiers and its gradient, for several folds in one pass over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vistaql.learners.learner import Each
from vistaql.learners.matrix import Matrix, Standardisation
from vistaql.learners.minimise import Answer, Minimum, Terms, search
from vistaql.learners.shapes import KEPT_ELEMENTS, SLAB_ELEMENTS


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that folds are fitted on, in slabs, each read as blocks with their places among all rows."""

    codes: np.ndarray
    """the class of each row"""
    slabs: tuple[Callable[[], Iterator[tuple[slice, np.ndarray]]], ...]

    @classmethod
    def of(cls, matrix: Matrix, rows: np.ndarray, codes: np.ndarray) -> Rows:
        """Read some rows of a matrix; few are read once and kept."""
        if len(rows) * matrix.width <= KEPT_ELEMENTS:
            return cls.whole(matrix.block(rows), codes[rows])
        step = max(256, SLAB_ELEMENTS // matrix.width)
        return cls(codes[rows], tuple(slab_reader(matrix, rows, start, step) for start in range(0, len(rows), step)))

    @classmethod
    def whole(cls, block: np.ndarray, codes: np.ndarray) -> Rows:
        """Rows that are in memory as one block."""
        return cls(codes, (lambda: iter(((slice(0, len(block)), block),)),))


def slab_reader(
    matrix: Matrix, rows: np.ndarray, start: int, step: int
) -> Callable[[], Iterator[tuple[slice, np.ndarray]]]:
    """Read the blocks of one slab; their places count from the first of all rows."""

    def read() -> Iterator[tuple[slice, np.ndarray]]:
        for place, block in matrix.blocks(rows[start : start + step]):
            yield slice(start + place.start, start + place.stop), block

    return read


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold in the coordinates it is fitted in.

    A coordinate is `inverse` times the distance from `mean`. Both are left to coefficients and intercept, where
    they cost nothing, and so is the fill of missing values: the blocks are as they were read.
    """

    train: np.ndarray
    """bool [rows]: whether the fold learns from the row"""
    standardisation: Standardisation
    gap_columns: np.ndarray
    fill: np.ndarray
    classes: int
    ridge: float

    @property
    def outputs(self) -> int:
        """Rows of coefficients: one for two classes, else one for each."""
        return 1 if self.classes == 2 else self.classes

    def split(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients [outputs, width] and intercepts [outputs] of a point; they are views."""
        point = flat.reshape(self.outputs, -1)
        return point[:, :-1], point[:, -1]

    def weights(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A point as weights of the numbers in a block [outputs, width + gaps], and what is added [outputs]."""
        coefficients, intercepts = self.split(flat)
        weights = coefficients * self.standardisation.inverse
        gaps = weights[:, self.gap_columns] * self.fill
        return np.hstack([weights, gaps]), intercepts - weights @ self.standardisation.mean

    def answer(self, flat: np.ndarray, loss: float, products: np.ndarray, sums: np.ndarray) -> Answer:
        """Value and gradient at a point, from summed losses, residuals times blocks, and summed residuals."""
        coefficients, _ = self.split(flat)
        width = coefficients.shape[1]
        slopes = products[:, :width] - np.outer(sums, self.standardisation.mean)
        slopes[:, self.gap_columns] += products[:, width:] * self.fill
        count = int(self.train.sum())
        gradient = np.empty((self.outputs, width + 1))
        gradient[:, :-1] = slopes * (self.standardisation.inverse / count) + self.ridge * coefficients
        gradient[:, -1] = sums / count
        return loss / count + self.ridge / 2 * float((coefficients**2).sum()), gradient.ravel()


def minimise_together(
    rows: Rows, folds: Sequence[Fold], starts: Sequence[np.ndarray], terms: Sequence[Terms], each: Each
) -> tuple[Minimum, ...]:
    """Search the minimum of every fold; what they ask for in a round is answered by one pass over the rows."""
    searches = [search(start, term) for start, term in zip(starts, terms, strict=True)]
    minima: dict[int, Minimum] = {}
    asked = {number: next(one) for number, one in enumerate(searches)}

    def go_on(number: int, answer: Answer) -> np.ndarray | None:
        try:
            return searches[number].send(answer)
        except StopIteration as end:
            minima[number] = end.value
            return None

    while asked:
        answers = answer_together(rows, [folds[number] for number in asked], list(asked.values()), each)
        points = each(go_on, asked, answers)
        asked = {number: point for number, point in zip(list(asked), points, strict=True) if point is not None}
    return tuple(minima[number] for number in range(len(folds)))


def answer_together(rows: Rows, folds: Sequence[Fold], points: Sequence[np.ndarray], each: Each) -> tuple[Answer, ...]:
    """Value and gradient of each fold at its point."""
    pairs = [fold.weights(point) for fold, point in zip(folds, points, strict=True)]
    weights, shifts = np.vstack([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])
    trains = np.array([fold.train for fold in folds])
    each_fold = (len(folds), folds[0].outputs, -1)

    def work(read: Callable[[], Iterator[tuple[slice, np.ndarray]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        totals, sums, products = np.zeros(len(folds)), np.zeros(len(shifts)), np.zeros_like(weights)
        for place, block in read():
            scores = weights @ block.T
            scores += shifts[:, None]
            totals += losses(scores.reshape(each_fold), rows.codes[place], trains[:, place])
            sums += scores.sum(axis=1)
            products += scores @ block
        return totals, sums, products

    parts = list(each(work, rows.slabs))
    totals, sums, products = (sum(part[place] for part in parts[1:]) + parts[0][place] for place in range(3))
    return tuple(
        fold.answer(point, float(total), own_products, own_sums)
        for fold, point, total, own_products, own_sums in zip(
            folds, points, totals, products.reshape(each_fold), sums.reshape(each_fold[:2]), strict=True
        )
    )


def losses(scores: np.ndarray, codes: np.ndarray, trains: np.ndarray) -> np.ndarray:
    """The summed loss of each fold's training rows; scores become the loss's derivative in them, in place.

    `scores` are float64 [folds, outputs, rows], `codes` int64 [rows], `trains` bool [folds, rows].
    """
    if scores.shape[1] == 1:
        margins = scores[:, 0]
        loss = np.logaddexp(0.0, margins) - margins * codes
        margins[:] = np.exp(-np.logaddexp(0.0, -margins)) - codes
    else:
        places = np.arange(scores.shape[2])
        scores -= scores.max(axis=1, keepdims=True)
        chosen = scores[:, codes, places]
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        loss = np.log(total[:, 0]) - chosen
        scores /= total
        scores[:, codes, places] -= 1.0
    scores *= trains[:, None]
    return np.asarray((loss * trains).sum(axis=1))
