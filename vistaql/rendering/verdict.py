"""What may be concluded from the rows of an EXPLORE: which is best, and what is as good within noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vistaql.learners import comparison
from vistaql.learners.metrics import metric_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vistaql.outcome import Exploration, ScoreRow


@dataclass(frozen=True)
class Contest:
    """The rows of one metric and one learner, in network order, and the table alone (None for FEATURES NONE)."""

    metric: str
    learner: str
    layers: tuple[ScoreRow, ...]
    alone: ScoreRow | None

    @property
    def greater_is_better(self) -> bool:
        """Whether more of the metric is better; of losses less is."""
        metric = metric_named(self.metric)
        return metric is None or metric.greater_is_better

    @cached_property
    def best(self) -> ScoreRow:
        """The layer with the best mean; of equals the first. A mean that is no number wins over nothing."""
        measured = [row for row in self.layers if math.isfinite(row.mean)] or self.layers
        return (max if self.greater_is_better else min)(measured, key=lambda row: row.mean)

    def ahead(self, row: ScoreRow, other: ScoreRow) -> float:
        """By how much `row` is better than `other`."""
        return (row.mean - other.mean) * (1 if self.greater_is_better else -1)

    @cached_property
    def as_good(self) -> tuple[ScoreRow, ...]:
        """The layers that the folds cannot tell from the best one; none where there is one fold only."""
        return tuple(row for row in self.layers if row is not self.best and within_noise(self.best, row))

    @property
    def last(self) -> ScoreRow:
        """The last layer asked for of the CNN that has the best one."""
        return [row for row in self.layers if row.cnn == self.best.cnn][-1]


def contests(result: Exploration) -> tuple[Contest, ...]:
    """The rows by metric and learner, the metric that was asked for first at the front."""
    pairs = dict.fromkeys((row.metric, row.learner) for row in result.rows)
    ordered = sorted(pairs, key=lambda pair: pair[0] != result.metric)
    made = (contest(result.rows, metric, learner) for metric, learner in ordered)
    return tuple(one for one in made if one.layers)


def contest(rows: Iterable[ScoreRow], metric: str, learner: str) -> Contest:
    """Pick the rows of one metric and one learner."""
    own = [row for row in rows if (row.metric, row.learner) == (metric, learner)]
    alone = next((row for row in own if row.layer is None), None)
    return Contest(metric, learner, tuple(row for row in own if row.layer is not None), alone)


def within_noise(one: ScoreRow, other: ScoreRow) -> bool:
    """Whether the difference between two rows may be chance; one fold tells nothing, and does not say so."""
    folds = len(one.folds)
    if folds < 2 or len(other.folds) != folds:
        return False
    # Each fold is tested by what was learnt from the folds - 1 others.
    return comparison.within_noise(one.folds, other.folds, n_train=folds - 1, n_test=1)
