"""Each rule by itself: the plan that it makes of one that the binder makes, and what it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.evaluation import Dealing, Splitting
from vistaql.logical.nodes import (
    Assemble,
    Decode,
    Explore,
    Export,
    Filter,
    Folds,
    Infer,
    InferLayers,
    PickLayer,
    PoolLayer,
    Rows,
    ScanImages,
    ScanTable,
    Together,
    Train,
    images_of,
    layers_of,
    rows_of,
)  # fmt: skip
from vistaql.logical.rules import RULES, rewritten
from vistaql.logical.rules.decode_only_matching import decode_only_matching
from vistaql.logical.rules.drop_repeated_layers import drop_repeated_layers
from vistaql.logical.rules.infer_together import infer_together
from vistaql.logical.rules.pool_in_pass import pool_in_pass
from vistaql.logical.rules.project_early import project_early
from vistaql.logical.rules.share_folds import share_folds
from vistaql.logical.rules.share_matrix import share_matrix
from vistaql.logical.rules.share_prefix import share_prefix
from vistaql.logical.schema import same_schema
from vistaql.models.cnn import Cnn
from vistaql.models.output import Output
from vistaql.models.pool import GAP, WHOLE, Pool, PoolKind
from vistaql.plan.node import Node
from vistaql.plan.rewrite import Rule, rewrite, transform

Bind = Callable[..., BoundQuery]
TRAIN = "TRAIN logistic_regression"
TAIL = f"FROM photos JOIN products {TRAIN}"
GRID = Pool(PoolKind.MAX, 2, 2)


def apply(rule: Rule, plan: Node) -> Node:
    """The plan after one rule, which gives what it gave."""
    return rewrite(plan, (rule,), same_schema(plan))


def changed(plan: Node, kind: type[Node], **fields: object) -> Node:
    """The plan with other values in all nodes of a kind."""
    return transform(plan, lambda node: replace(node, **fields) if isinstance(node, kind) else node)


@pytest.mark.parametrize("layers", ["conv5_3, avg_pool", "conv5_3, avg_pool, conv4_6"])
def test_of_layers_that_pool_to_equal_numbers_one_is_left(bind: Bind, layers: str) -> None:
    before = bind(f"EXPLORE LAYERS {layers} OF resnet50 {TAIL}, lr(reg = 1)").plan
    alone = bind(f"EXPLORE LAYERS {layers.replace(', avg_pool', '')} OF resnet50 {TAIL}, lr(reg = 1)").plan
    assert apply(drop_repeated_layers, before) == alone != before


def test_the_layer_that_is_left_has_the_names_of_the_others(bind: Bind) -> None:
    after = apply(drop_repeated_layers, bind(f"EXPLORE LAYERS avg_pool, conv5_3 OF resnet50 {TAIL}").plan)
    assert [(item.layer, item.also) for item in layers_of(after)] == [("conv5_block3_out", ("conv5_3", "avg_pool"))]


def test_a_repeated_layer_is_written_to_a_file_once(bind: Bind) -> None:
    text = "EXPORT LAYERS {} OF resnet50 FROM photos PER KEY mean TO 'f.parquet'"
    before, alone = (bind(text.format(layers)).plan for layers in ("conv5_3, avg_pool", "conv5_3"))
    assert apply(drop_repeated_layers, before) == alone != before


@pytest.mark.parametrize("layers", ["conv2, conv4", "conv4, conv4 POOL gmp, conv4 POOL none"])
def test_layers_of_other_numbers_stay(bind: Bind, layers: str) -> None:
    before = bind(f"EXPLORE LAYERS {layers} OF strokes {TAIL}").plan
    assert drop_repeated_layers(before) is before


def test_layers_are_pooled_where_they_are_computed(bind: Bind) -> None:
    before = bind("EXPORT LAYERS conv2, conv4 POOL max(2, 2) OF strokes FROM photos TO 'f.parquet'").plan
    assert isinstance(before, Export)
    pixels = next(node for node in before.walk() if isinstance(node, Decode))
    cnn = next(node.cnn for node in before.walk() if isinstance(node, Infer))
    first = PickLayer(InferLayers(pixels, cnn, (Output("conv2", GAP),)), "strokes", "conv2", GAP)
    second = PickLayer(InferLayers(pixels, cnn, (Output("conv4", GRID),)), "strokes", "conv4", GRID)
    assert apply(pool_in_pass, before) == replace(before, features=(first, second)) != before


@pytest.mark.parametrize(
    ("clauses", "columns"),
    [
        ("FEATURES weight", ("sku", "category", "weight")),
        ("FEATURES NONE PREDICT brand", ("sku", "brand")),
        ("FEATURES NONE WHERE weight > 1", ("sku", "category", "weight")),
        ("FEATURES NONE EVALUATE accuracy USING SPLIT brand", ("sku", "category", "brand")),
        ("FEATURES * EXCEPT (weight)", ("sku", "category", "brand")),
    ],
)
def test_only_named_columns_are_read(bind: Bind, clauses: str, columns: tuple[str, ...]) -> None:
    before = bind(f"EXPLORE LAYER conv3 OF strokes {TAIL} {clauses}").plan
    expected = changed(changed(before, ScanTable, columns=columns), ScanImages, columns=("key",))
    assert apply(project_early, before) == expected != before


def test_image_files_are_opened_for_their_size_only_where_it_is_named(bind: Bind) -> None:
    after = apply(project_early, bind(f"EXPLORE LAYER conv3 OF strokes FROM filed WHERE width > 10 {TRAIN}").plan)
    decode = next(node for node in after.walk() if isinstance(node, Decode))
    assert images_of(rows_of(after)).columns == ("key", "width", "label")
    assert decode.images.columns == ("key",)


def with_rows(plan: Node) -> Node:
    """The plan as it must be when every image that is decoded has a row."""
    return changed(plan, Decode, rows=(rows_of(plan),))


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
    assert apply(decode_only_matching, before) == with_rows(before) != before


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


def inferred(plan: Node) -> tuple[InferLayers, ...]:
    """The inferences of a plan."""
    return tuple(node for node in plan.walk() if isinstance(node, InferLayers))


def test_layers_of_a_cnn_are_inferred_as_one(bind: Bind) -> None:
    before = apply(pool_in_pass, bind(f"EXPLORE LAYERS fc5, conv2 OF strokes, LAYER fc6 OF vgg16 {TAIL}").plan)
    strokes, vgg = (item.cnn for item in inferred(before)[1:])
    expected = transform(
        before,
        lambda node: (
            replace(node, outputs=(Output("conv2", GAP), Output("fc5", WHOLE)))
            if isinstance(node, InferLayers) and node.cnn == strokes
            else node
        ),
    )
    assert apply(infer_together, before) == expected != before
    assert [item.cnn for item in inferred(expected)] == [strokes, vgg]


def renamed(plan: Node, layer: str, name: str) -> Node:
    """The plan with a layer taken from a CNN that is called otherwise, and is the same."""

    def other(cnn: Cnn) -> Cnn:
        return replace(cnn, name=name)

    return transform(
        plan,
        lambda node: replace(node, cnn=other(node.cnn)) if isinstance(node, Infer) and node.layer == layer else node,
    )


def test_cnns_of_equal_graph_and_weights_are_one_and_keep_their_names_in_the_answer(bind: Bind) -> None:
    plan = renamed(bind(f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL}").plan, "conv4", "lines")
    after = rewrite(plan, (pool_in_pass, infer_together), same_schema(plan))
    assert [str(item.cnn) for item in inferred(after)] == ["strokes"]
    assert [(item.called, item.layer) for item in layers_of(after)] == [("strokes", "conv2"), ("lines", "conv4")]


def test_cnns_that_begin_alike_are_inferred_as_one_and_keep_their_names_in_the_answer(bind: Bind) -> None:
    text = f"EXPLORE LAYERS conv4_6, conv5_1 OF birds, LAYERS conv4_6, fc6 OF fish, LAYER fc6 OF vgg16 {TAIL}"
    plan = bind(text).plan
    after = rewrite(plan, (pool_in_pass, infer_together, share_prefix), same_schema(plan))
    union, vgg = inferred(after)
    assert (union.cnn.name, vgg.cnn.name) == ("birds + fish", "vgg16")
    assert [output.layer for output in union.outputs] == ["conv4_block6_out", "conv5_block1_out", "fish.avg_pool"]
    assert [(item.called, item.layer) for item in layers_of(after)] == [
        ("birds", "conv4_block6_out"), ("birds", "conv5_block1_out"),
        ("fish", "conv4_block6_out"), ("fish", "avg_pool"),
        ("vgg16", "fc1"),
    ]  # fmt: skip
    assert "conv4_block6_out" not in {layer.name.removeprefix("fish.") for layer in union.cnn.layers[-20:]}


def test_a_plan_of_one_cnn_is_no_union_for_another_query(bind: Bind) -> None:
    """What is answered together is united anew, whatever each query had united by itself."""
    texts = (f"EXPLORE LAYER conv5_1 OF {targets} {TAIL}" for targets in ("birds, LAYER fc6 OF fish", "bugs", "fish"))
    queries = tuple(bind(text).rewritten().plan for text in texts)
    together = Together(queries)  # type: ignore[arg-type]
    (union,) = inferred(rewritten(together))
    assert union.cnn.name == "birds + fish + bugs"
    assert [output.layer for output in union.outputs] == [
        "conv5_block1_out", "fish.conv5_block1_out", "fish.avg_pool", "bugs.conv5_block1_out",
    ]  # fmt: skip


def test_queries_that_are_answered_together_are_inferred_as_one_from_the_images_of_both(bind: Bind) -> None:
    one, other = (
        bind(f"EXPLORE LAYERS {layers} OF strokes FROM photos JOIN products WHERE weight > {least} {TRAIN}")
        .rewritten()
        .plan
        for layers, least in (("conv2, conv4", 1), ("conv4, fc5", 2))
    )
    before = Together((one, other))  # type: ignore[arg-type]  # both are EXPLOREs
    after = apply(infer_together, before)
    expected = changed(before, InferLayers, outputs=(Output("conv2", GAP), Output("conv4", GAP), Output("fc5", WHOLE)))
    assert after == changed(expected, Decode, rows=(rows_of(one), rows_of(other))) != before
    assert rewritten(before) == after


def test_where_one_of_several_queries_needs_every_image_all_are_decoded(bind: Bind) -> None:
    one, other = (
        bind(f"EXPLORE LAYERS conv4 OF strokes FROM filed {where} {TRAIN}").rewritten().plan
        for where in ("WHERE width > 10", "")
    )
    after = rewritten(Together((one, other)))  # type: ignore[arg-type]  # both are EXPLOREs
    assert [node.rows for node in after.walk() if isinstance(node, Decode)] == [()]


@pytest.mark.parametrize(
    ("clause", "dealing"),
    [
        ("", Dealing(Splitting.FOLDS, 5, 0.2)),
        ("EVALUATE f1_macro USING CROSS VALIDATION (3)", Dealing(Splitting.FOLDS, 3, 0.2)),
        ("EVALUATE accuracy USING HOLDOUT (0.4)", Dealing(Splitting.HOLDOUT, 1, 0.4)),
    ],
)
def test_rows_are_dealt_once_for_all_trainings(bind: Bind, clause: str, dealing: Dealing) -> None:
    before = bind(f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL}, lr(reg = 1) {clause}").plan
    expected = changed(before, Assemble, rows=Folds(rows_of(before), dealing))
    assert apply(share_folds, before) == expected != before


def test_what_is_measured_does_not_make_folds_others(bind: Bind) -> None:
    metrics = "accuracy", "f1_macro"
    texts = (f"EXPLORE LAYER conv2 OF strokes {TAIL} EVALUATE {name}" for name in metrics)
    first, second = (apply(share_folds, bind(text).plan) for text in texts)
    folds = {node for plan in (first, second) for node in plan.walk() if isinstance(node, Folds)}
    assert first != second
    assert len(folds) == 1


def test_learners_of_a_layer_are_trained_on_one_matrix(bind: Bind) -> None:
    one, both = (bind(f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL}{more}").plan for more in ("", ", lr(reg = 1)"))
    assert isinstance(both, Explore)
    learners = tuple(dict.fromkeys(learner for _, learner in both.answers))
    after = apply(share_matrix, both)
    assert after == changed(one, Train, learners=learners) != both
    assert [str(learner) for _, learner in after.answers] == [str(learner) for _, learner in both.answers]  # type: ignore[attr-defined]


def test_a_learner_of_its_own_needs_no_sharing(bind: Bind) -> None:
    before = bind(f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL}").plan
    assert share_matrix(before) is before


EVERYTHING = (
    "EXPLORE LAYERS conv5_3, avg_pool, conv4_6 OF birds, LAYERS conv4_6, fc6 OF fish "
    f"FROM photos JOIN products WHERE weight > 1 {TRAIN}, lr(reg = 1) FEATURES brand"
)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_changes_what_the_binder_makes_and_a_second_time_nothing(bind: Bind, rule: Rule) -> None:
    before = bind(EVERYTHING).plan
    place = RULES.index(rule)
    plan = rewrite(before, RULES[:place], same_schema(before))
    assert rule in (infer_together, share_prefix) or transform(before, rule) != before
    once = transform(plan, rule)
    assert once != plan
    assert transform(once, rule) == once
    assert rewrite(rewritten(before), RULES) == rewritten(before)


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_every_rule_changes_a_plan_of_the_golden_scripts(checkout: Path, rule: str) -> None:
    text = (checkout / "tests" / "golden" / "plans.vql").read_text(encoding="utf-8")
    assert re.search(rf"^--: after {rule}: \d+ of \d+ nodes as before, and$", text, re.MULTILINE)


def without_layers(node: Node) -> Node:
    """A rule that loses the features."""
    return replace(node, features=None) if isinstance(node, Assemble) else node


def without_columns(node: Node) -> Node:
    """A rule that loses a table that a filter needs."""
    return replace(node, rows=node.rows.inputs[0]) if isinstance(node, Filter) else node


def with_another_layer(node: Node) -> Node:
    """A rule that infers something else."""
    return replace(node, tensor=replace(node.tensor, layer="conv2")) if isinstance(node, PoolLayer) else node


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
