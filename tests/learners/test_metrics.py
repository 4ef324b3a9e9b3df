"""Metrics are those of scikit-learn, where it can compute them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from vistaql.learners.metrics import METRICS, accuracy, balanced_accuracy, f1_macro, log_loss, metric_named, roc_auc
from vistaql.learners.names import METRIC_NAMES, greater_is_better


def drawn(classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    codes = random.integers(0, classes, 80)
    scores = random.random((80, classes)).round(1) + 0.05
    scores[np.arange(80), codes] += 0.3
    return codes, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 5])
def test_metrics_agree_with_scikit_learn(classes: int) -> None:
    codes, probabilities = drawn(classes)
    guessed = probabilities.argmax(axis=1)
    assert accuracy(codes, probabilities) == pytest.approx(reference.accuracy_score(codes, guessed))
    assert f1_macro(codes, probabilities) == pytest.approx(reference.f1_score(codes, guessed, average="macro"))
    assert balanced_accuracy(codes, probabilities) == pytest.approx(reference.balanced_accuracy_score(codes, guessed))
    assert log_loss(codes, probabilities) == pytest.approx(reference.log_loss(codes, probabilities))
    columns = probabilities[:, 1] if classes == 2 else probabilities
    assert roc_auc(codes, probabilities) == pytest.approx(reference.roc_auc_score(codes, columns, multi_class="ovr"))


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_metrics_stand_classes_that_are_not_there(metric) -> None:  # noqa: ANN001 - a Metric
    codes, probabilities = np.zeros(6, dtype=np.int64), np.full((6, 3), 1 / 3)
    assert np.isfinite(metric.score(codes, probabilities))


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_knowing_is_better_than_not_knowing(metric) -> None:  # noqa: ANN001 - a Metric
    codes = np.arange(30) % 3
    known, unknown = metric.score(codes, np.eye(3)[codes]), metric.score(codes, np.eye(3)[(codes + 1) % 3])
    assert (known > unknown) is metric.greater_is_better
    assert greater_is_better(metric.name) is metric.greater_is_better


def test_metrics_have_names_and_aliases() -> None:
    assert METRIC_NAMES[0] == "accuracy"
    assert metric_named("F1") is metric_named("f1_macro")
    assert metric_named("unheard") is None
