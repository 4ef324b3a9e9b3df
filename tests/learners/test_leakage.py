"""Columns that give the label away are named, others are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from vistaql.learners.columns import StructuredColumns
from vistaql.learners.folds import deal
from vistaql.learners.leakage import giveaways

ROWS = 400
CODES = np.arange(ROWS) % 4
KEYS = [str(place) for place in range(ROWS)]


def named(columns: dict[str, object], codes: np.ndarray = CODES) -> list[str]:
    found = giveaways(StructuredColumns.of(pa.table(columns)), codes, deal(KEYS, codes, 5))
    assert all(0.98 < item.accuracy <= 1 for item in found)
    return [item.column for item in found]


def test_a_finer_category_and_a_code_of_the_label_are_named() -> None:
    random = np.random.default_rng(0)
    assert named(
        {
            "hint": [f"h{code // 2}" for code in CODES],
            "subcategory": [f"s{code * 3 + place % 3}" for place, code in enumerate(CODES)],
            "price band": CODES * 10.0 + random.random(ROWS),
            "noise": random.random(ROWS),
        }
    ) == ["subcategory", "price band"]


def test_an_identifier_gives_nothing_away() -> None:
    shuffled = np.random.default_rng(1).permutation(ROWS)
    assert named({"id": shuffled}) == []


def test_a_column_that_adds_nothing_to_the_commonest_class_is_not_named() -> None:
    rare = np.zeros(ROWS, dtype=np.int64)
    rare[:4] = 1
    noise = np.random.default_rng(2).integers(0, 3, ROWS)
    assert named({"noise": noise}, rare) == []
    assert named({"answer": rare * 7}, rare) == ["answer"]


def test_missing_values_can_give_the_label_away() -> None:
    codes = np.arange(ROWS) % 2
    assert named({"returned": [None if code else 1.0 for code in codes]}, codes) == ["returned"]


def test_a_table_without_columns_gives_nothing_away() -> None:
    assert giveaways(StructuredColumns.of(pa.table({"x": [None] * ROWS})), CODES, deal(KEYS, CODES, 5)) == ()
