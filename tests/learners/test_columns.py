"""Odd tables become numbers, or are left out with a reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from vistaql.learners import LogisticRegression
from vistaql.learners.columns import MOST_LEVELS, StructuredColumns
from vistaql.learners.evaluation import Examples, evaluate
from vistaql.learners.folds import deal
from vistaql.learners.matrix import Matrix
from vistaql.learners.metrics import METRICS

ROWS = 40
DAY = dt.date(2024, 2, 29)
ODD = {
    "null": [None] * ROWS,
    "NaN": [float("nan")] * ROWS,
    "constant": [3] * ROWS,
    "some infinite": [float("inf"), float("-inf"), float("nan"), None, *range(ROWS - 4)],
    "huge": [1.7e308 * (-1) ** place for place in range(ROWS)],
    "tiny": [5e-324 * place for place in range(ROWS)],
    "far from zero": [1e15 + place for place in range(ROWS)],
    "one number": [None] * (ROWS - 1) + [4.5],
    "true or false": [place % 3 == 0 if place % 4 else None for place in range(ROWS)],
    "text": ["a", "b", None, "ä"] * (ROWS // 4),
    "empty text": [""] * ROWS,
    "date": [DAY + dt.timedelta(days=place) for place in range(ROWS)],
    "moment": [dt.datetime(2024, 2, 29, tzinfo=dt.UTC) + dt.timedelta(seconds=place) for place in range(ROWS)],
    "time": [dt.time(place % 24) for place in range(ROWS)],
    "duration": [dt.timedelta(seconds=place) for place in range(ROWS)],
    "decimal": [Decimal(place) / 7 for place in range(ROWS)],
    "big integer": pa.array([2**64 - 1 - place for place in range(ROWS)], pa.uint64()),
    "dictionary": pa.array(["x", None] * (ROWS // 2)).dictionary_encode(),
    "list": [[1]] * ROWS,
    "struct": [{"a": 1}] * ROWS,
    "bytes": [b"x"] * ROWS,
    '日本 "quoted" select': [place % 2 for place in range(ROWS)],
}
UNUSABLE = {"null", "NaN", "list", "struct", "bytes"}


def encoded(columns: StructuredColumns, train: np.ndarray | None = None) -> np.ndarray:
    rows = np.arange(len(columns.numbers))
    matrix = Matrix(columns.encoded, columns.gaps, columns.gap_columns, np.empty((len(rows), 0), dtype=np.float32))
    return matrix.filled(rows, columns.fill(rows if train is None else train))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_column_is_used_or_left_out_with_a_reason(name: str) -> None:
    columns = StructuredColumns.of(pa.table({name: ODD[name]}))
    assert (columns.names == ()) is (name in UNUSABLE)
    assert [left for left, reason in columns.left_out if reason] == ([name] if name in UNUSABLE else [])
    values = encoded(columns)
    assert values.shape == (ROWS, columns.width)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", ODD)
def test_every_odd_column_can_be_learnt_from(name: str) -> None:
    keys = tuple(map(str, range(ROWS)))
    codes = np.arange(ROWS) % 2
    some = Examples(keys, codes, 2, deal(keys, codes, 5), StructuredColumns.of(pa.table({name: ODD[name]})))
    found = evaluate(some, None, LogisticRegression(), METRICS)
    assert np.isfinite([scores.mean for scores in found.scores]).all()


def test_all_odd_columns_together_can_be_learnt_from() -> None:
    keys = tuple(map(str, range(ROWS)))
    codes = np.arange(ROWS) % 2
    columns = StructuredColumns.of(pa.table(ODD))
    some = Examples(keys, codes, 2, deal(keys, codes, 5), columns)
    found = evaluate(some, None, LogisticRegression(), METRICS)
    assert found.converged
    assert found.scores[0].mean > 0.9
    assert any("null (no values)" in note for note in columns.notes)


def test_missing_numbers_are_the_median_of_the_training_rows() -> None:
    columns = StructuredColumns.of(pa.table({"ink": [1.0, 2.0, 9.0, None]}))
    one, two, nine, missing = encoded(columns, train=np.array([1, 2, 3])).ravel()
    assert missing == pytest.approx((two + nine) / 2)
    assert encoded(columns, train=np.array([0])).ravel()[3] == one
    assert columns.missing == (("ink", 1),)


def test_missing_texts_are_the_commonest_of_the_training_rows() -> None:
    columns = StructuredColumns.of(pa.table({"colour": ["red", "red", "blue", "blue", "blue", None]}))
    assert encoded(columns, train=np.array([0, 1, 2])).tolist()[5] == [0, 1]
    assert encoded(columns, train=np.arange(6)).tolist()[5] == [1, 0]


def test_missing_truths_are_the_commoner_one() -> None:
    columns = StructuredColumns.of(pa.table({"kids": [True, True, False, None]}))
    assert encoded(columns).ravel().tolist() == [1, 1, 0, 1]


def test_text_is_one_column_a_level_in_the_order_of_the_texts() -> None:
    columns = StructuredColumns.of(pa.table({"colour": ["b", "a", "b", "c", "a", "c"]}))
    assert encoded(columns)[:3].tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]


def test_text_with_too_many_levels_is_left_out_and_said() -> None:
    many = [f"t{place % (MOST_LEVELS + 1)}" for place in range(1000)]
    names = [f"n{place}" for place in range(90)] + [None] * 910
    columns = StructuredColumns.of(pa.table({"many": many, "names": names}))
    assert columns.names == ()
    (note,) = columns.notes
    assert f"many (101 different texts, more than {MOST_LEVELS})" in note
    assert "names (90 different texts in 1000 rows)" in note


def test_the_order_of_rows_does_not_matter() -> None:
    table = pa.table({name: values for name, values in ODD.items() if name not in UNUSABLE})
    order = np.random.default_rng(3).permutation(ROWS)
    straight, shuffled = StructuredColumns.of(table), StructuredColumns.of(table.take(order))
    np.testing.assert_array_equal(encoded(straight)[order], encoded(shuffled))


def test_ten_thousand_columns_are_read_and_learnt_from() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 10_000))
    values[random.random(values.shape) < 0.01] = np.nan
    columns = StructuredColumns.of(pa.table({f"c{place}": values[:, place] for place in range(10_000)}))
    keys = tuple(map(str, range(60)))
    codes = np.arange(60) % 2
    found = evaluate(Examples(keys, codes, 2, deal(keys, codes, 2), columns), None, LogisticRegression(), METRICS)
    assert found.width == 10_000
