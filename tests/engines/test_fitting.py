"""What trainings of a run share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from vistaql.engines.inprocess.fitting import Learnable
from vistaql.logical.evaluation import Evaluation, Splitting

FOLDS = Evaluation(("accuracy",), Splitting.FOLDS, 2)


def rows() -> Learnable:
    """Eight rows of two classes."""
    return Learnable([f"k{place}" for place in range(8)], pa.table({"x": list(range(8))}), np.arange(8) % 2, ("a", "b"))


def test_rows_are_dealt_and_encoded_once_for_all_layers_and_metrics() -> None:
    learnable = rows()
    assert learnable.examples(FOLDS) is learnable.examples(replace(FOLDS))
    assert learnable.examples(FOLDS) is learnable.examples(replace(FOLDS, metrics=("f1_macro",)))
    assert learnable.examples(FOLDS) is not learnable.examples(replace(FOLDS, folds=4))


def test_rows_without_bad_images_are_taken_once() -> None:
    learnable = rows()
    fewer = learnable.without(frozenset({"k3"}))
    assert fewer.keys == ["k0", "k1", "k2", "k4", "k5", "k6", "k7"]
    assert learnable.without(frozenset({"k3"})) is fewer
    assert learnable.without(frozenset({"elsewhere"})) is learnable
    assert (fewer.examples(FOLDS).codes == [0, 1, 0, 0, 1, 0, 1]).all()
