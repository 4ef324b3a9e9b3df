"""Columns that give the label away: what they hold is the answer, and not a hint at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import UNUSED

GIVEN_AWAY = 0.98
"""Accuracy of one column alone, above which it is named."""
MOST_BINS = 256


@dataclass(frozen=True)
class Giveaway:
    """A column that alone predicts the label on rows it was not read from."""

    column: str
    accuracy: float


def giveaways(columns: StructuredColumns, codes: np.ndarray, tested: np.ndarray) -> tuple[Giveaway, ...]:
    """Columns whose values alone predict the class above GIVEN_AWAY, the surest first.

    Each value (of numbers, each of up to 256 ranges with equal numbers of rows) predicts the commonest class of its
    rows in the training folds; values met for the first time predict the commonest class of all. So an identifier,
    whose values are met once, gives nothing away. Where one class is nearly all rows, a column must also remove
    half of the errors that always saying that class makes.
    """
    classes = int(codes.max()) + 1
    judged = tested >= 0
    base = 1.0 - predict(np.zeros(len(codes), dtype=np.int64), codes, tested, classes)[judged].mean()
    found = []
    for name, values in columns.groups(MOST_BINS):
        accuracy = float(predict(values, codes, tested, classes)[judged].mean())
        if accuracy > GIVEN_AWAY and 1.0 - accuracy <= base / 2:
            found.append(Giveaway(name, accuracy))
    return tuple(sorted(found, key=lambda giveaway: -giveaway.accuracy))


def predict(values: np.ndarray, codes: np.ndarray, tested: np.ndarray, classes: int) -> np.ndarray:
    """Whether the commonest class of a row's value, in the other folds, is its class: bool [rows]."""
    right = np.zeros(len(codes), dtype=bool)
    size = int(values.max()) + 1
    for fold in range(int(tested.max()) + 1):
        train, test = (tested != fold) & (tested != UNUSED), tested == fold
        counts = np.bincount(values[train] * classes + codes[train], minlength=size * classes).reshape(size, classes)
        commonest = counts.sum(axis=0).argmax()
        guess = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), commonest)
        right[test] = guess[values[test]] == codes[test]
    return right
