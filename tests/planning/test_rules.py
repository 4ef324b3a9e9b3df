from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import Decode, rows_of
from vistaql.logical.rules import RULES
from vistaql.logical.rules.decode_only_matching import decode_only_matching
from vistaql.plan.node import Node
from vistaql.plan.rewrite import rewrite, transform

Bind = Callable[..., BoundQuery]
TRAIN = "TRAIN logistic_regression"


def with_rows(plan: Node) -> Node:
    """The plan as it must be when every image that is decoded has a row."""
    rows = rows_of(plan)
    return transform(plan, lambda node: replace(node, rows=rows) if isinstance(node, Decode) else node)


@pytest.mark.parametrize(
    "clauses",
    [
        f"photos JOIN products {TRAIN}",
        f"photos LEFT JOIN products {TRAIN}",
        f"photos LEFT JOIN products WHERE weight > 1 {TRAIN} PREDICT width > 3",
        f"filed SAMPLE 10 {TRAIN}",
        f"filed WHERE width > 10 {TRAIN}",
    ],
)
def test_only_images_with_a_row_are_decoded(bind: Bind, clauses: str) -> None:
    before = bind(f"EXPLORE LAYERS conv1, conv3 OF strokes FROM {clauses}").plan
    assert decode_only_matching(before) == with_rows(before) != before


@pytest.mark.parametrize(
    "text",
    [
        f"EXPLORE strokes FROM filed {TRAIN}",
        "EXPORT LAYERS fc5 OF strokes FROM photos TO 'f.parquet'",
        "EXPORT LAYERS fc5 OF strokes FROM photos LEFT JOIN products TO 'f.parquet'",
    ],
)
def test_a_query_that_needs_every_image_is_left_as_it_is(bind: Bind, text: str) -> None:
    before = bind(text).plan
    assert decode_only_matching(before) is before


def test_a_second_time_changes_nothing(bind: Bind) -> None:
    once = rewrite(bind(f"EXPLORE strokes FROM photos JOIN products {TRAIN}").plan, RULES)
    assert rewrite(once, RULES) == once
