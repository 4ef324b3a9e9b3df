"""Metrics: from true classes and predicted probabilities to one number.

Binding needs their names only, so numpy is imported when one is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Score = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Metric:
    """A named score of `codes` [rows] (classes from 0) against `probabilities` [rows, classes]."""

    name: str
    meaning: str
    score: Score
    greater_is_better: bool = True
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def accuracy(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """The part of the rows whose likeliest class is the true one."""
    return float((probabilities.argmax(axis=1) == codes).mean())


def confusion(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How often each class (row) was taken for each class (column): int64 [classes, classes]."""
    import numpy as np

    classes = probabilities.shape[1]
    pairs = codes * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def f1_macro(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes of F1, the harmonic mean of precision and recall.

    Classes that are neither present nor predicted do not count.
    """
    table = confusion(codes, probabilities)
    hits, either = table.diagonal(), table.sum(axis=0) + table.sum(axis=1)
    return float((2 * hits[either > 0] / either[either > 0]).mean())


def balanced_accuracy(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes present of the part of their rows that was found."""
    table = confusion(codes, probabilities)
    present = table.sum(axis=1)
    return float((table.diagonal()[present > 0] / present[present > 0]).mean())


def log_loss(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of minus the natural logarithm of the probability given to the true class."""
    import numpy as np

    chosen = probabilities[np.arange(len(codes)), codes]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).eps)).mean())


def roc_auc(codes: np.ndarray, probabilities: np.ndarray) -> float:
    """The chance that a row of a class gets a higher probability of it than a row of another class.

    With more than two classes, the mean over the classes that are present; 0.5 where none can be compared.
    """
    classes = probabilities.shape[1]
    compared = range(1, 2) if classes == 2 else range(classes)
    areas = [area(codes == code, probabilities[:, code]) for code in compared if 0 < (codes == code).sum() < len(codes)]
    return sum(areas) / len(areas) if areas else 0.5


def area(positive: np.ndarray, scores: np.ndarray) -> float:
    """The area under the ROC curve, from the ranks of the scores (ties count half)."""
    import numpy as np

    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    members = int(positive.sum())
    return float((ranks[positive].sum() - members * (members + 1) / 2) / (members * (len(scores) - members)))


METRICS: tuple[Metric, ...] = (
    Metric("accuracy", "part of the rows whose class is predicted", accuracy, aliases=("acc",)),
    Metric("f1_macro", "F1 of each class, averaged over the classes", f1_macro, aliases=("f1",)),
    Metric("balanced_accuracy", "recall of each class, averaged over the classes", balanced_accuracy),
    Metric("log_loss", "minus the log of the probability of the true class", log_loss, greater_is_better=False),
    Metric("roc_auc", "area under the ROC curve, one class against the rest", roc_auc, aliases=("auc",)),
)


def metric_named(name: str) -> Metric | None:
    """The metric of a name or alias; case does not matter.

    >>> metric_named("AUC").name
    'roc_auc'
    """
    wanted = name.casefold()
    return next((metric for metric in METRICS if wanted in (metric.name, *metric.aliases)), None)
