from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistaql.frontend.binder import BoundQuery
from vistaql.optimizer.estimate import ENCODED_TEXT, estimate
from vistaql.physical.sizes import Sizes

Bind = Callable[..., BoundQuery]
TRAIN = "TRAIN logistic_regression"


@pytest.mark.parametrize(
    ("clauses", "rows"),
    [
        ("filed", 1000),
        ("photos JOIN products", 800),
        ("photos LEFT JOIN products", 1000),
        ("photos JOIN products WHERE weight > 1", 267),
        ("filed SAMPLE 50", 50),
        ("filed SAMPLE 5000", 1000),
        ("filed SAMPLE 5 PERCENT", 50),
        ("photos JOIN products WHERE weight > 1 SAMPLE 10 PERCENT", 27),
        ("filed SAMPLE 0.001 PERCENT", 1),
    ],
)
def test_rows(bind: Bind, clauses: str, rows: int) -> None:
    found = estimate(bind(f"EXPLORE strokes FROM {clauses} {TRAIN}").plan)
    assert (found.rows, found.images, found.all_images, found.exact) == (rows, rows, 1000, False)


def test_a_table_that_is_looked_up_in_adds_no_rows(bind: Bind) -> None:
    text = f"EXPLORE strokes FROM photos JOIN products AS a JOIN products AS b {TRAIN} PREDICT a.category"
    assert estimate(bind(text).plan).rows == 800


def test_columns_are_those_that_are_learnt_from(bind: Bind) -> None:
    text = f"EXPLORE strokes FROM photos JOIN products {TRAIN}"
    # Brand and weight: the key, the label and the path are no features.
    assert estimate(bind(text).plan).columns == ENCODED_TEXT + 1
    assert estimate(bind(f"{text} FEATURES weight").plan).columns == 1
    assert estimate(bind(f"{text} FEATURES NONE").plan).columns == 0


COMPARISONS = st.sampled_from(["weight > 1", "width < 300", "brand = 'x'", "photos.key LIKE 'a%'", "weight IS NULL"])
SAMPLES = st.sampled_from(["", " SAMPLE 10", " SAMPLE 7 PERCENT", " SAMPLE 5000"])


@settings(deadline=None)
@given(left=st.booleans(), conditions=st.lists(COMPARISONS, min_size=1, max_size=4), sample=SAMPLES)
def test_a_filter_never_raises_the_estimate(bind: Bind, left: bool, conditions: list[str], sample: str) -> None:  # noqa: FBT001
    start = f"EXPLORE strokes FROM photos {'LEFT ' if left else ''}JOIN products"
    whole = estimate(bind(f"{start}{sample} {TRAIN}").plan)
    less = estimate(bind(f"{start} WHERE {' AND '.join(conditions)}{sample} {TRAIN}").plan)
    assert 1 <= less.rows <= whole.rows
    assert less.images <= whole.images
    assert isinstance(less, Sizes)
