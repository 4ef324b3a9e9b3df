from __future__ import annotations

from collections.abc import Callable

import pytest

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import layers_of
from vistaql.logical.rules import RULES
from vistaql.models import roster
from vistaql.models.pool import GAP, WHOLE, Pool, PoolKind
from vistaql.optimizer.grouping import NAMED, Strategy
from vistaql.optimizer.lower import lower
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import FitAlone, Keep, Operator, PickFeatures, ReadImages, RunPass
from vistaql.physical.run import last_readers, run_order
from vistaql.plan.rewrite import rewrite

Bind = Callable[..., BoundQuery]
TAIL = "FROM photos JOIN products TRAIN logistic_regression"
STROKES = roster.load("strokes")
assert STROKES is not None
CONV2, CONV4, FC6 = Output("conv2", GAP), Output("conv4", GAP), Output("fc6", WHOLE)


def lowered(bind: Bind, text: str, strategy: Strategy) -> Operator:
    return lower(rewrite(bind(text).plan, RULES), strategy, Storage.MEMORY)  # type: ignore[arg-type]


def passes(plan: Operator) -> list[Pass]:
    return [node.inference for node in run_order(plan) if isinstance(node, RunPass)]


THREE = f"EXPLORE LAYERS conv2, conv4, fc6 OF strokes {TAIL}"


def test_lazy_runs_a_pass_from_pixels_for_each_layer(bind: Bind) -> None:
    assert passes(lowered(bind, THREE, Strategy.LAZY)) == [
        Pass(STROKES, None, (CONV2,)),
        Pass(STROKES, None, (CONV4,)),
        Pass(STROKES, None, (FC6,)),
    ]


def test_eager_runs_one_pass(bind: Bind) -> None:
    assert passes(lowered(bind, THREE, Strategy.EAGER)) == [Pass(STROKES, None, (CONV2, CONV4, FC6))]


def test_staged_resumes_each_pass_from_the_tensor_before(bind: Bind) -> None:
    assert passes(lowered(bind, THREE, Strategy.STAGED)) == [
        Pass(STROKES, None, (CONV2,), ("conv2",)),
        Pass(STROKES, "conv2", (CONV4,), ("conv4",)),
        Pass(STROKES, "conv4", (FC6,)),
    ]


def test_two_poolings_of_a_layer_resume_from_one_kept_tensor(bind: Bind) -> None:
    text = f"EXPLORE LAYERS conv4, conv4 POOL max(2, 2), fc5 OF strokes {TAIL}"
    grid = Output("conv4", Pool(PoolKind.MAX, 2, 2))
    assert passes(lowered(bind, text, Strategy.STAGED)) == [
        Pass(STROKES, None, (CONV4,), ("conv4",)),
        Pass(STROKES, "conv4", (grid,)),
        Pass(STROKES, "conv4", (Output("fc5", WHOLE),)),
    ]


# Alexnet has no published weights, and is not bound without a file of them.
@pytest.mark.parametrize("cnn", [name for name in roster.names() if name != "alexnet"])
def test_passes_resume_at_cut_points_that_an_earlier_pass_kept(bind: Bind, cnn: str) -> None:
    kept: set[str] = set()
    for item in passes(lowered(bind, f"EXPLORE {cnn} {TAIL}", Strategy.STAGED)):
        assert item.source is None or item.source in kept
        assert set(item.keep) <= set(item.cnn.cut_points) - item.cnn.fused
        kept.update(item.keep)


@pytest.mark.parametrize("strategy", NAMED)
@pytest.mark.parametrize(
    "targets",
    [
        "strokes",
        "LAYERS conv5_3, avg_pool, conv4_6 POOL max(2, 2) OF resnet50, LAYERS fc6, fc7 OF vgg16",
        "mobilenet_v2",
    ],
)
def test_every_plan_gives_exactly_the_wanted_layers(bind: Bind, targets: str, strategy: Strategy) -> None:
    text = f"EXPLORE {targets} {TAIL}"
    wanted = {(item.called, item.layer, item.pool) for item in layers_of(bind(text).rewritten().plan)}
    plan = lowered(bind, text, strategy)
    given = [(item.cnn.name, output.layer, output.pool) for item in passes(plan) for output in item.outputs]
    picked = {
        (node.source.cnn.name, node.output.layer, node.output.pool)
        for node in run_order(plan)
        if isinstance(node, PickFeatures)
    }
    assert sorted(map(str, given)) == sorted(map(str, wanted))
    assert picked == wanted


def test_a_kept_tensor_is_last_read_by_the_pass_that_resumes_from_it(bind: Bind) -> None:
    order = run_order(lowered(bind, THREE, Strategy.STAGED))
    last = last_readers(order)
    for node in order:
        if isinstance(node, Keep):
            reader = order[last[node.digest]]
            assert isinstance(reader, RunPass)
            assert reader.source == node


def test_a_layer_is_learnt_from_before_the_next_is_computed(bind: Bind) -> None:
    order = run_order(lowered(bind, THREE, Strategy.STAGED))
    kinds = [type(node).__name__ for node in order if type(node).__name__ in ("RunPass", "Fit")]
    assert kinds == ["RunPass", "Fit", "RunPass", "Fit", "RunPass", "Fit", "Fit"]


def test_without_columns_nothing_is_learnt_twice(bind: Bind) -> None:
    plan = lowered(bind, f"EXPLORE strokes {TAIL} FEATURES NONE", Strategy.EAGER)
    assert not any(isinstance(node, FitAlone) for node in run_order(plan))


def test_all_passes_read_the_images_that_have_a_row(bind: Bind) -> None:
    (reader,) = (node for node in run_order(lowered(bind, THREE, Strategy.LAZY)) if isinstance(node, ReadImages))
    assert reader.rows is not None
