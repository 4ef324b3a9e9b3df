"""What the rules of the logical plan come to in physical ones."""

from __future__ import annotations

import pytest

from tests.planning.conftest import PRODUCTS, bind
from vistaql.engines.inprocess.relational import relation_sql
from vistaql.logical.nodes import rows_of
from vistaql.logical.rules.pool_in_pass import pool_in_pass
from vistaql.optimizer.grouping import NAMED
from vistaql.optimizer.lower import lower
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Fit, Operator, PickFeatures, ReadImages, ReadRows, RunPass
from vistaql.physical.run import run_order
from vistaql.plan.rewrite import Rule, rewrite

TAIL = "FROM photos JOIN products WHERE weight > 1"


def plans(text: str) -> list[tuple[Operator, ...]]:
    """The operators of every named plan of a query."""
    query = bind(text).rewritten().plan
    return [run_order(lower(query, strategy, Storage.MEMORY)) for strategy in NAMED]


def test_layers_are_pooled_inside_the_pass() -> None:
    for order in plans(f"EXPLORE LAYERS conv2, conv4 POOL max(2, 2) OF strokes {TAIL} TRAIN lr"):
        picked = {item.output for item in order if isinstance(item, PickFeatures)}
        assert picked == {output for item in order if isinstance(item, RunPass) for output in item.inference.outputs}


@pytest.mark.parametrize(("rules", "named"), [((), "pool_in_pass"), ((pool_in_pass,), "infer_together")])
def test_a_plan_that_was_not_rewritten_is_refused_and_the_rules_are_named(rules: tuple[Rule, ...], named: str) -> None:
    query = rewrite(bind(f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL} TRAIN lr").plan, rules)
    with pytest.raises(ValueError, match=named):
        lower(query, NAMED[0], Storage.MEMORY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("features", "read"), [("weight", {"sku", "category", "weight"}), ("NONE", {"sku", "category"})]
)
def test_tables_are_asked_for_the_named_columns(features: str, read: set[str]) -> None:
    query = f"EXPLORE LAYER conv2 OF strokes FROM photos JOIN products TRAIN lr FEATURES {features}"
    asked, every = (relation_sql(rows_of(plan).rows) for plan in (bind(query).rewritten().plan, bind(query).plan))
    assert {column.name for column in PRODUCTS.columns if f"products.{column.name}" in asked} == read
    assert all(f"products.{column.name}" in every for column in PRODUCTS.columns)
    assert "photos.width" not in asked


def test_layers_that_nobody_uses_do_not_run() -> None:
    for order in plans(f"EXPLORE LAYERS conv2 OF strokes {TAIL} TRAIN lr"):
        (run,) = (item for item in order if isinstance(item, RunPass))
        assert run.inference.computed[-1].name == "conv2"
    for order in plans(f"EXPLORE LAYERS conv5_3, avg_pool OF resnet50 {TAIL} TRAIN lr"):
        (run,) = (item for item in order if isinstance(item, RunPass))
        assert run.inference.computed[-1].name == "conv5_block3_out"


def test_rows_are_joined_filtered_and_projected_once_and_before_images_are_read() -> None:
    for order in plans(f"EXPLORE LAYERS conv2, fc5 OF strokes {TAIL} TRAIN lr, lr(reg = 0.5) FEATURES weight"):
        (rows,) = (item for item in order if isinstance(item, ReadRows))
        (images,) = (item for item in order if isinstance(item, ReadImages))
        assert images.rows == rows
        assert rows.rows.columns == ("products.weight",)


def test_learners_share_a_layer_and_equal_trainings_are_one() -> None:
    for order in plans(f"EXPLORE LAYERS conv2, fc5 OF strokes {TAIL} TRAIN lr, lr(reg = 0.5)"):
        picks = [item for item in order if isinstance(item, PickFeatures)]
        fits = [item for item in order if isinstance(item, Fit)]
        assert len(picks) == 2
        assert len({item.digest for item in fits}) == len(fits) == 6


def test_no_pass_starts_while_vectors_wait_to_be_learnt_from() -> None:
    """Whoever wants a layer, and however often, has it before the next pass runs."""
    for order in plans(f"EXPLORE LAYERS conv2, conv4, fc5 OF strokes {TAIL} TRAIN lr, lr(reg = 0.5)"):
        for place, item in enumerate(order):
            if isinstance(item, RunPass):
                made = {pick.digest for pick in order[:place] if isinstance(pick, PickFeatures)}
                late = [fit for fit in order[place:] if isinstance(fit, Fit) and fit.features]
                assert made.isdisjoint(fit.features.digest for fit in late if fit.features)
