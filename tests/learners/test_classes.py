"""Labels become classes, or say why they cannot."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.learners.classes import read_classes


def test_rows_without_a_label_are_dropped_and_counted() -> None:
    classes = read_classes(pa.chunked_array([["b", None, "a", "", " ", "b"]]), "category")
    assert classes.names == ("a", "b")
    assert classes.codes.tolist() == [1, 0, 1]
    assert classes.labelled.tolist() == [True, False, True, False, False, True]
    assert classes.without_label == 3
    assert classes.commonest == "b"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([10, 9, 9], ("9", "10")),
        ([1.0, float("nan"), 2.5], ("1", "2.5")),
        ([True, False], ("false", "true")),
        ([dt.date(2024, 1, 2), dt.date(2024, 1, 1)], ("2024-01-01", "2024-01-02")),
    ],
)
def test_classes_are_named_as_a_person_writes_them(values: list[object], names: tuple[str, ...]) -> None:
    assert read_classes(pa.chunked_array([values]), "x").names == names


def test_classes_smaller_than_the_folds_are_named() -> None:
    classes = read_classes(pa.chunked_array([["a"] * 9 + ["b"] * 4 + ["c"]]), "category")
    assert classes.smaller_than(5) == ("b", "c")
    assert classes.notes(5) == ("Classes with fewer rows than the 5 folds: b, c. Their rows are kept.",)
    assert classes.notes(1) == ()


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ([None, None], Code.NO_ROWS, "No row has a value of label"),
        ([], Code.NO_ROWS, "No row"),
        (["x", "x", None], Code.ONE_CLASS, "All 2 rows have the same value of label: x"),
        ([float(place) for place in range(200)], Code.TOO_MANY_CLASSES, "label > 99.5"),
        ([place / 2 for place in range(30)] * 50, Code.TOO_MANY_CLASSES, "label > 7.25"),
        ([place % 400 for place in range(8000)], Code.TOO_MANY_CLASSES, "label > 199.5"),
        ([f"name {place}" for place in range(30)], Code.TOO_MANY_CLASSES, "30 different values in 30 rows"),
        ([[1], [2]], Code.TOO_MANY_CLASSES, "cannot be classes"),
    ],
)
def test_a_column_that_is_no_label_says_why(values: list[object], code: Code, words: str) -> None:
    kind = pa.string() if not values or values[0] is None else None
    with pytest.raises(VistaQLError) as refused:
        read_classes(pa.chunked_array([pa.array(values, kind)]), "label")
    assert refused.value.code is code
    assert words in refused.value.render()


def test_many_classes_with_many_rows_are_classes() -> None:
    assert len(read_classes(pa.chunked_array([[f"c{place % 300}" for place in range(3000)]]), "x").names) == 300
    assert len(read_classes(pa.chunked_array([[place % 80 for place in range(3000)]]), "x").names) == 80
