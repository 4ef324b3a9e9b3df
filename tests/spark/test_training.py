"""MLlib finds the minimum that our own learner finds: same objective, same rows, standardised inside the fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.spark.conftest import Both
from vistaql.engines.inprocess.fitting import Learnable
from vistaql.engines.spark.frames import beside, configured, from_arrow
from vistaql.engines.spark.memory import running_conf
from vistaql.engines.spark.training import Fitted, fit_folds, structured_table
from vistaql.learners.evaluation import Examples, evaluate, matrix_of
from vistaql.learners.folds import deal
from vistaql.learners.logistic_regression import LogisticRegression
from vistaql.learners.metrics import metric_named
from vistaql.logical.evaluation import Evaluation, Splitting
from vistaql.physical.choices import ClusterChoices
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace

ROWS, WIDTH = 240, 6
CHOICES = ClusterChoices(
    2, 1, 1, 2, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.DESERIALIZED, TrainingPlace.CLUSTER
)
LEARNER = LogisticRegression(reg=0.02, tol=1e-7)
BY_ONE_HOLDOUT = Evaluation(("accuracy",), Splitting.HOLDOUT, fraction=0.25)


def examples_of(classes: int) -> tuple[Examples, np.ndarray]:
    """Rows with a number that is missing here and there, a text, and features of very different spread."""
    rng = np.random.default_rng(classes)
    features = (rng.normal(size=(ROWS, WIDTH)) * np.logspace(-2, 3, WIDTH) + 5).astype(np.float32)
    scores = features @ rng.normal(size=(WIDTH, classes)) / np.logspace(-2, 3, WIDTH).sum() * 40
    codes = (scores + rng.gumbel(size=(ROWS, classes))).argmax(axis=1)
    numbers = [None if place % 9 == 0 else float(place % 13) for place in range(ROWS)]
    table = pa.table({"n": numbers, "t": [["x", "y", None][place % 3] for place in range(ROWS)], "c": [4.0] * ROWS})
    rows = Learnable([f"k{place}" for place in range(ROWS)], table, codes, tuple("abc"[:classes]))
    return rows.examples(BY_ONE_HOLDOUT), features


def fitted(both: Both, examples: Examples, features: np.ndarray) -> list[Fitted]:
    """Every fold as the cluster fits it."""
    session = both.spark.spark
    assert session is not None
    with configured(session, running_conf(CHOICES)):
        vectors = pa.table({"key": examples.keys, "vector": [row.tobytes() for row in features]})
        structured = from_arrow(session, structured_table(examples, with_columns=True))
        joined = beside(from_arrow(session, vectors), structured, JoinMethod.BROADCAST)
        return fit_folds(joined, examples, WIDTH, LEARNER, CHOICES, with_columns=True)


@pytest.mark.parametrize("classes", [2, pytest.param(3, marks=pytest.mark.volume)])
def test_coefficients_agree_to_a_ten_thousandth(classes: int, both: Both) -> None:
    """In each fold: coefficients within 1e-4 relative, accuracy within one row, probabilities within 1e-4."""
    holdout, features = examples_of(classes)
    examples = replace(holdout, tested=deal(holdout.keys, holdout.codes, 2))
    matrix = matrix_of(examples.columns, features, ROWS)
    training = [examples.training_fold(number, examples.columns) for number in range(2)]
    models = LEARNER.fit(matrix, training, examples.codes, classes, map, lambda _, model: model)
    accuracy = metric_named("accuracy")
    assert accuracy is not None
    (ours,) = evaluate(examples, features, LEARNER, [accuracy]).scores
    for number, (theirs, mine) in enumerate(zip(fitted(both, examples, features), models, strict=True)):
        expected = mine.coefficients * mine.standardisation.inverse
        found = theirs.model.coefficientMatrix.toArray()
        assert np.linalg.norm(found - expected) <= 1e-4 * np.linalg.norm(expected)
        assert np.allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
        places = np.sort(examples.fold(number)[1])
        assert np.array_equal(theirs.places, places)
        assert np.allclose(theirs.probabilities, mine.probabilities(matrix, places), atol=1e-4)
        score = accuracy.score(examples.codes[places], theirs.probabilities)
        assert abs(score - ours.folds[number]) <= 1 / len(places) + 1e-12


@pytest.mark.volume
def test_a_class_that_a_fold_does_not_learn_from_is_a_class_of_its_answers(both: Both) -> None:
    """One row of the last class: the fold that tests it has never seen it, and gives it next to no probability."""
    examples, features = examples_of(2)
    codes = examples.codes.copy()
    codes[0] = 2
    rare = replace(examples, codes=codes, classes=3, tested=deal(examples.keys, codes, 2))
    folds = fitted(both, rare, features)
    assert [fold.probabilities.shape for fold in folds] == [(120, 3), (120, 3)]
    blind = folds[int(rare.tested[0])]
    assert blind.probabilities[:, 2].max() < 0.05
    accuracy = metric_named("accuracy")
    assert accuracy is not None
    (ours,) = evaluate(rare, features, LEARNER, [accuracy]).scores
    theirs = [accuracy.score(codes[fold.places], fold.probabilities) for fold in folds]
    assert theirs == pytest.approx(list(ours.folds), abs=1 / 120 + 1e-12)
