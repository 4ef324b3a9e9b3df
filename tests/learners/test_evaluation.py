"""What evaluation promises: unseen rows, the same bits in any order and for any number of workers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.learners import LogisticRegression
from vistaql.learners.columns import StructuredColumns
from vistaql.learners.evaluation import Evaluation, Examples, evaluate, evaluate_majority
from vistaql.learners.folds import TRAINED_ONLY, UNUSED, deal, from_split
from vistaql.learners.metrics import METRICS, metric_named

LEARNER = LogisticRegression()
ACCURACY = [metric for metric in METRICS if metric.name == "accuracy"]


def table(rows: int, classes: int = 3) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, pa.Table]:
    """Keys, codes, features, and a table with missing values of every kind."""
    random = np.random.default_rng(rows)
    codes = np.arange(rows) % classes
    features = (random.normal(size=(rows, 30)) + codes[:, None] * np.linspace(0, 0.5, 30)).astype(np.float32)
    ink = [None if place % 7 == 0 else float(code + random.normal()) for place, code in enumerate(codes)]
    colour = [None if place % 5 == 0 else ["red", "blue"][int(code == 0)] for place, code in enumerate(codes)]
    flag = [None if place % 11 == 0 else bool(code) for place, code in enumerate(codes)]
    columns = pa.table({"ink": ink, "colour": colour, "flag": flag})
    return tuple(f"k{place}" for place in range(rows)), codes, features, columns


def examples(keys: tuple[str, ...], codes: np.ndarray, columns: pa.Table | None) -> Examples:
    read = None if columns is None else StructuredColumns.of(columns)
    return Examples(keys, codes, int(codes.max()) + 1, deal(keys, codes, 5), read)


def numbers(found: Evaluation) -> tuple[tuple[float, ...], ...]:
    return tuple(scores.folds for scores in found.scores)


@pytest.mark.parametrize(("rows", "parts"), [(60, 1), (25, 1), (600, 40)], ids=["tall", "wide", "several slabs"])
def test_bits_depend_neither_on_workers_nor_on_the_order_of_rows(rows: int, parts: int) -> None:
    keys, codes, features, columns = table(rows)
    features = np.tile(features, parts) + 0.001 * np.arange(30 * parts, dtype=np.float32) * features[:, :1]
    expected = evaluate(examples(keys, codes, columns), features, LEARNER, METRICS, workers=1)
    assert numbers(evaluate(examples(keys, codes, columns), features, LEARNER, METRICS, workers=2)) == numbers(expected)
    order = np.random.default_rng(1).permutation(rows)
    shuffled = examples(tuple(keys[place] for place in order), codes[order], columns.take(order))
    assert numbers(evaluate(shuffled, features[order], LEARNER, METRICS, workers=2)) == numbers(expected)


def test_nothing_of_a_tested_row_reaches_the_fit() -> None:
    keys, codes, features, columns = table(60)
    plain = examples(keys, codes, columns)
    _, tested = plain.fold(0)
    spoilt = features.copy()
    spoilt[tested[0]] = 1e6
    before = LEARNER.fit(*fit_arguments(plain, features))[0]
    after = LEARNER.fit(*fit_arguments(plain, spoilt))[0]
    matrix = fit_arguments(plain, features)[0]
    np.testing.assert_array_equal(before.probabilities(matrix, tested), after.probabilities(matrix, tested))


def fit_arguments(some: Examples, features: np.ndarray):  # noqa: ANN201 - the arguments of Learner.fit
    from vistaql.learners.evaluation import matrix_of

    fold = some.training_fold(0, some.columns)
    return (
        matrix_of(some.columns, features, len(some.codes)),
        [fold],
        some.codes,
        some.classes,
        map,
        lambda _, model: model,
    )


def test_shuffled_labels_are_not_learnt() -> None:
    keys, codes, features, columns = table(300)
    shuffled = np.random.default_rng(2).permutation(codes)
    found = evaluate(examples(keys, shuffled, columns), features, LEARNER, ACCURACY)
    assert found.scores[0].mean == pytest.approx(1 / 3, abs=0.1)


def test_without_columns_and_features_the_commonest_class_is_said() -> None:
    keys, codes, _, columns = table(60)
    codes = np.where(codes == 2, 0, codes)
    some = examples(keys, codes, columns)
    found = evaluate(some, None, LEARNER, METRICS, with_columns=False)
    assert found.width == 0
    for scores, majority in zip(found.scores, evaluate_majority(some, METRICS), strict=True):
        assert scores.folds == pytest.approx(majority.folds)
    assert found.scores[0].mean == pytest.approx(2 / 3)


def test_widths_add_up() -> None:
    keys, codes, features, columns = table(60)
    some = examples(keys, codes, columns)
    widths = [evaluate(some, image, LEARNER, ACCURACY, with_columns=both).width
              for image, both in ((features, True), (features, False), (None, True))]  # fmt: skip
    assert widths == [34, 30, 4]


def test_rows_of_a_split_column_stay_where_they_are_put() -> None:
    keys, codes, features, _ = table(60)
    words = ["test" if place % 4 == 0 else None if place % 4 == 1 else "train" for place in range(60)]
    some = Examples(keys, codes, 3, from_split(words))
    train, test = some.fold(0)
    assert {words[place] for place in train} == {"train"}
    assert {words[place] for place in test} == {"test"}
    found = evaluate(some, features, LEARNER, ACCURACY)
    assert len(found.scores[0].folds) == 1
    assert found.scores[0].std == 0


def test_a_class_that_a_fold_has_never_seen_is_only_never_guessed() -> None:
    keys, codes, features, _ = table(30)
    rare = codes.copy()
    rare[0] = 3
    found = evaluate(examples(keys, rare, None), features, LEARNER, METRICS)
    assert np.isfinite([scores.mean for scores in found.scores]).all()
    assert found.converged


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(bad: float) -> None:
    keys, codes, features, _ = table(60)
    features[3, 3] = bad
    with pytest.raises(VistaQLError, match="1 of 60 rows") as refused:
        evaluate(examples(keys, codes, None), features, LEARNER, ACCURACY)
    assert refused.value.code is Code.NOT_FINITE


def test_huge_features_are_learnt_from() -> None:
    keys, codes, features, _ = table(60)
    some = examples(keys, codes, None)
    huge = evaluate(some, features * np.float32(1e30), LEARNER, ACCURACY)
    assert huge.scores[0].folds == evaluate(some, features, LEARNER, ACCURACY).scores[0].folds


def test_too_few_rows_are_refused() -> None:
    keys, codes, features, _ = table(4)
    with pytest.raises(VistaQLError) as refused:
        evaluate(examples(keys, codes, None), features, LEARNER, ACCURACY)
    assert refused.value.code is Code.TOO_FEW_ROWS


def test_unused_rows_are_in_no_fold() -> None:
    some = Examples(("a", "b", "c", "d"), np.array([0, 1, 0, 1]), 2, np.array([TRAINED_ONLY, TRAINED_ONLY, 0, UNUSED]))
    train, test = some.fold(0)
    assert sorted(train.tolist()) == [0, 1]
    assert test.tolist() == [2]
    assert some.sizes == (2, 1)


def test_a_metric_asked_for_is_the_metric_given() -> None:
    keys, codes, features, _ = table(60)
    wanted = [metric for name in ("roc_auc", "log_loss") if (metric := metric_named(name))]
    found = evaluate(replace(examples(keys, codes, None)), features, LEARNER, wanted)
    assert [scores.metric.name for scores in found.scores] == ["roc_auc", "log_loss"]
