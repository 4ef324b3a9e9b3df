"""Training in this process: a layer's vectors beside the columns of the rows, judged over the folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vistaql.engines.inprocess.tensors import FeatureArray
from vistaql.engines.inprocess.vectors import Selection
from vistaql.errors import Code, VistaQLError
from vistaql.learners.columns import StructuredColumns
from vistaql.learners.evaluation import Examples, evaluate
from vistaql.learners.folds import deal, from_split, holdout
from vistaql.learners.metrics import metric_named
from vistaql.logical.evaluation import Dealing, Evaluation, Splitting
from vistaql.physical.engine import Extent, FitResult

if TYPE_CHECKING:
    import pyarrow as pa

    from vistaql.learners import Learner


@dataclass(frozen=True, eq=False)
class Learnable:
    """Rows to learn from, each with a key of its own: feature columns, class codes, and the split column's words."""

    keys: list[str]
    table: pa.Table
    codes: np.ndarray
    class_names: tuple[str, ...]
    split: list[str | None] | None = None
    _usable: dict[frozenset[str], Learnable] = field(default_factory=dict, init=False)
    _dealt: dict[Dealing, Examples] = field(default_factory=dict, init=False)

    @property
    def extent(self) -> Extent:
        """Rows, and the bytes of their columns."""
        return Extent(len(self.keys), self.table.nbytes)

    def without(self, bad: frozenset[str]) -> Learnable:
        """The rows whose images could be used. Raises NO_ROWS where none is left."""
        if bad.isdisjoint(self.keys):
            return self
        if bad not in self._usable:
            # Passes find more bad images; rows that had fewer of them are not asked for again.
            self._usable.clear()
            self._usable[bad] = self._left(bad)
        return self._usable[bad]

    def _left(self, bad: frozenset[str]) -> Learnable:
        if bad.issuperset(self.keys):
            raise VistaQLError(
                Code.NO_ROWS, f"None of the images of {len(self.keys):,} rows can be used.",
                hint="WITH (on_error = fail) tells what is wrong with the first.",
            )  # fmt: skip
        places = np.array([place for place, key in enumerate(self.keys) if key not in bad], dtype=np.int64)
        return Learnable(
            [self.keys[place] for place in places],
            self.table.take(places),
            self.codes[places],
            self.class_names,
            None if self.split is None else [self.split[place] for place in places],
        )

    def examples(self, evaluation: Evaluation) -> Examples:
        """The rows with the fold in which each is tested.

        Dealt and encoded once for all layers and learners, and for whatever is measured (`logical.Folds`).
        """
        dealing = evaluation.dealing
        if dealing not in self._dealt:
            columns = StructuredColumns.of(self.table) if self.table.num_columns else None
            self._dealt[dealing] = Examples(
                tuple(self.keys), self.codes, len(self.class_names), self.tested(evaluation), columns
            )
        return self._dealt[dealing]

    def tested(self, evaluation: Evaluation) -> np.ndarray:
        """Where each row is tested."""
        match evaluation.splitting:
            case Splitting.FOLDS:
                return deal(self.keys, self.codes, evaluation.folds)
            case Splitting.HOLDOUT:
                return holdout(self.keys, self.codes, evaluation.fraction)
            case Splitting.COLUMN:
                return from_split(self.split or [])


def fit_layer(
    rows: Learnable,
    features: FeatureArray | None,
    learner: Learner,
    evaluation: Evaluation,
    *,
    with_columns: bool,
    workers: int,
) -> FitResult:
    """Judge a learner on one layer; the digest names the features of the rows it learnt from."""
    examples = rows.examples(evaluation)
    values = None if features is None else aligned(rows.keys, features)
    metrics = [metric for name in evaluation.metrics if (metric := metric_named(name))]
    found = evaluate(examples, values, learner, metrics, workers, with_columns=with_columns)
    scores = tuple((score.metric.name, score.folds) for score in found.scores)
    digest = None if features is None or values is None else features.digest(rows.keys, values)
    return FitResult(scores, found.width, found.fit_seconds, digest, found.converged)


def aligned(keys: list[str], features: FeatureArray) -> FeatureArray | Selection:
    """The vectors in the order of the keys, not copied: another order is a matter of reading.

    They may go to disk while they are read, where memory gets tight.
    """
    if keys == features.keys:
        return features
    place = {key: row for row, key in enumerate(features.keys)}
    missing = [key for key in keys if key not in place]
    if missing:
        raise VistaQLError(
            Code.BAD_IMAGE, f"{len(missing):,} rows have no features, such as {missing[0]}: their image cannot be used."
        )
    return Selection(features, np.array([place[key] for key in keys], dtype=np.int64))
