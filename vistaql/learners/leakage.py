"""Columns that give the label away: what they hold is the answer, and not a hint at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import UNUSED

GIVEN_AWAY = 0.98
"""Accuracy of one column alone, above which it is named."""
HOPELESS = 0.8
"""A column with a fold below this accuracy is not looked at further."""
MOST_GROUPS = 4096
"""More different numbers of a column are put together in ranges."""


@dataclass(frozen=True)
class Giveaway:
    """A column that alone predicts the label on rows it was not read from."""

    column: str
    accuracy: float


def giveaways(columns: StructuredColumns, codes: np.ndarray, tested: np.ndarray) -> tuple[Giveaway, ...]:
    """Columns whose values alone predict the class above GIVEN_AWAY, the surest first.

    A value predicts the commonest class of its rows in the training folds. A number that is not met there predicts
    what its neighbour does, a text the commonest class of all; so an identifier gives nothing away, unless it
    was given out in the order of the classes. Where one class is nearly all rows, a column must also remove half
    of the errors that always saying that class makes.
    """
    classes = int(codes.max()) + 1
    judged = tested >= 0
    most_errors = float((codes != np.bincount(codes).argmax()).mean()) / 2
    found = []
    for name, groups, ordered in columns.groups(MOST_GROUPS):
        accuracy = float(predict(groups, codes, tested, classes, ordered=ordered)[judged].mean())
        if accuracy > GIVEN_AWAY and 1.0 - accuracy <= most_errors:
            found.append(Giveaway(name, accuracy))
    return tuple(sorted(found, key=lambda giveaway: -giveaway.accuracy))


def predict(groups: np.ndarray, codes: np.ndarray, tested: np.ndarray, classes: int, *, ordered: bool) -> np.ndarray:
    """Whether the commonest class of a row's group, in the other folds, is its class: bool [rows].

    False from the first hopeless fold on.
    """
    right = np.zeros(len(codes), dtype=bool)
    size = int(groups.max()) + 1
    for fold in range(int(tested.max()) + 1):
        train, test = (tested != fold) & (tested != UNUSED), tested == fold
        counts = np.bincount(groups[train] * classes + codes[train], minlength=size * classes).reshape(size, classes)
        guess = counts.argmax(axis=1)
        met = np.flatnonzero(counts.any(axis=1))
        if ordered:
            guess = guess[nearest_of(met, size)]
        else:
            guess[counts.sum(axis=1) == 0] = counts.sum(axis=0).argmax()
        right[test] = guess[groups[test]] == codes[test]
        if test.any() and right[test].mean() < HOPELESS:
            break
    return right


def nearest_of(met: np.ndarray, size: int) -> np.ndarray:
    """For each group the nearest one of those met; of two equally near the lower.

    >>> nearest_of(np.array([1, 4]), 6)
    array([1, 1, 1, 4, 4, 4])
    """
    places = np.arange(size)
    above = met[np.minimum(np.searchsorted(met, places), len(met) - 1)]
    below = met[np.maximum(np.searchsorted(met, places, side="right") - 1, 0)]
    return np.where(np.abs(above - places) < np.abs(places - below), above, below)
