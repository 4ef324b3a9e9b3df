from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import Assemble, Decode, Explore, Filter, PoolLayer, Rows, rows_of
from vistaql.logical.rules import RULES, rewritten
from vistaql.logical.rules.decode_only_matching import decode_only_matching
from vistaql.logical.schema import same_schema
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


def without_layers(node: Node) -> Node:
    """A rule that loses the features."""
    return replace(node, features=None) if isinstance(node, Assemble) else node


def without_columns(node: Node) -> Node:
    """A rule that loses a table that a filter needs."""
    return replace(node, rows=node.rows.inputs[0]) if isinstance(node, Filter) else node


def with_another_layer(node: Node) -> Node:
    """A rule that infers something else."""
    return replace(node, tensor=replace(node.tensor, layer="conv3")) if isinstance(node, PoolLayer) else node


def with_fewer_columns(node: Node) -> Node:
    """A rule that learns from less."""
    return replace(node, columns=node.columns[1:]) if isinstance(node, Rows) else node


def with_fewer_trainings(node: Node) -> Node:
    """A rule that leaves out an answer."""
    return replace(node, trainings=node.trainings[:-1]) if isinstance(node, Explore) else node


@pytest.mark.parametrize(
    "rule", [without_layers, without_columns, with_another_layer, with_fewer_columns, with_fewer_trainings]
)
def test_a_rule_that_changes_what_a_query_gives_is_named(bind: Bind, rule: Callable[[Node], Node]) -> None:
    plan = bind(f"EXPLORE LAYERS conv1, conv3 OF strokes FROM photos JOIN products WHERE weight > 1 {TRAIN}").plan
    with pytest.raises(ValueError, match="a rewritten plan") as caught:
        rewrite(plan, (decode_only_matching, rule), same_schema(plan))
    assert caught.value.__notes__ == [f"after the rule {rule.__name__}"]


@pytest.mark.parametrize(
    "text",
    [
        f"EXPLORE LAYERS conv1, conv3 OF strokes FROM photos JOIN products WHERE weight > 1 {TRAIN}",
        f"EXPLORE strokes FROM photos LEFT JOIN products {TRAIN} PREDICT width > 3",
        "EXPORT LAYERS fc5 OF strokes FROM photos JOIN products TO 'f.parquet'",
    ],
)
def test_the_rules_of_the_session_pass_their_check(bind: Bind, text: str) -> None:
    plan = bind(text).plan
    assert rewritten(plan) == rewrite(plan, RULES)
