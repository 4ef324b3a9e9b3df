"""Laws of the choice among plans."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from vistaql.errors import Code, VistaQLError
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import layers_of
from vistaql.logical.rules import RULES
from vistaql.models import roster
from vistaql.optimizer.candidate import Pricing
from vistaql.optimizer.candidates import enumerate_candidates
from vistaql.optimizer.choose import Constraint, Decision, choose
from vistaql.optimizer.machine import Machine
from vistaql.physical.operators import RunPass
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import PlanChoice, Settings

Bind = Callable[..., BoundQuery]
CNNS = ("strokes", "mobilenet_v2", "resnet50", "vgg16")
SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def queries(draw: st.DrawFn) -> str:
    """An EXPLORE of some layers of one or two CNNs."""
    targets = []
    for name in draw(st.lists(st.sampled_from(CNNS), min_size=1, max_size=2, unique=True)):
        cnn = roster.load(name)
        assert cnn is not None
        layers = draw(st.lists(st.sampled_from(cnn.points), min_size=1, max_size=5, unique=True))
        targets.append(f"LAYERS {', '.join(layers)} OF {name}")
    return f"EXPLORE {', '.join(targets)} FROM photos JOIN products TRAIN logistic_regression"


COUNTS = st.integers(1, 200_000)


def scaled(sizes: Sizes, count: int) -> Sizes:
    return replace(sizes, images=count, all_images=count, rows=count)


def decide(bound: BoundQuery, sizes: Sizes, machine: Machine, plan: PlanChoice = PlanChoice.AUTO) -> Decision | None:
    """The choice; None where nothing fits."""
    query = rewrite(bound.plan, RULES)
    try:
        return choose(query, sizes, machine, replace(Settings(), plan=plan))  # type: ignore[arg-type]
    except VistaQLError as error:
        if error.code is not Code.NO_FEASIBLE_PLAN:
            raise
        return None


@SLOW
@given(text=queries(), count=COUNTS, less=st.integers(10**8, 10**10), more=st.integers(0, 10**11))
def test_more_memory_never_makes_the_chosen_plan_slower(
    bind: Bind, sizes: Sizes, text: str, count: int, less: int, more: int
) -> None:
    bound = bind(text)
    small = decide(bound, scaled(sizes, count), Machine(2, less))
    large = decide(bound, scaled(sizes, count), Machine(2, less + more))
    assume(small is not None)
    assert small is not None
    assert large is not None
    assert large.chosen.seconds <= small.chosen.seconds
    assert small.chosen.peak_bytes <= less


@SLOW
@given(text=queries(), count=COUNTS)
def test_costs_are_finite_and_not_negative(bind: Bind, sizes: Sizes, machine: Machine, text: str, count: int) -> None:
    query = rewrite(bind(text).plan, RULES)
    for item in enumerate_candidates(Pricing(query, scaled(sizes, count), machine, Settings())):  # type: ignore[arg-type]
        assert all(math.isfinite(price) and price >= 0 for _, price in item.prices)
        assert item.seconds > 0
        assert item.peak_bytes > machine.calibration.process_bytes


@SLOW
@given(text=queries(), count=COUNTS)
def test_every_candidate_gives_exactly_the_wanted_layers(
    bind: Bind, sizes: Sizes, machine: Machine, text: str, count: int
) -> None:
    bound = bind(text)
    query = rewrite(bound.plan, RULES)
    wanted = sorted((item.called, item.layer, str(item.pool)) for item in layers_of(query))
    for item in enumerate_candidates(Pricing(query, scaled(sizes, count), machine, Settings())):  # type: ignore[arg-type]
        passes = [node.inference for node in run_order(item.plan) if isinstance(node, RunPass)]
        given_layers = [(run.cnn.name, output.layer, str(output.pool)) for run in passes for output in run.outputs]
        assert sorted(given_layers) == wanted


@SLOW
@given(text=queries(), count=COUNTS)
def test_the_chosen_plan_is_the_cheapest_that_fits(
    bind: Bind, sizes: Sizes, machine: Machine, text: str, count: int
) -> None:
    decision = decide(bind(text), scaled(sizes, count), machine)
    assume(decision is not None)
    assert decision is not None
    limits = {Constraint.MEMORY: machine.memory_bytes, Constraint.DISK: machine.disk_bytes}
    assert all(decision.chosen.seconds <= loser.seconds for loser in decision.losers)
    assert all(item.needs > item.has == limits[item.constraint] for item in decision.rejections)


@pytest.mark.parametrize("plan", [PlanChoice.LAZY, PlanChoice.EAGER, PlanChoice.STAGED])
@pytest.mark.parametrize("layers", ["conv2", "conv2, conv4, fc6"])
def test_a_forced_plan_is_the_one_that_runs(
    bind: Bind, sizes: Sizes, machine: Machine, plan: PlanChoice, layers: str
) -> None:
    bound = bind(f"EXPLORE LAYERS {layers} OF strokes FROM photos JOIN products TRAIN logistic_regression")
    decision = decide(bound, sizes, machine, plan)
    assert decision is not None
    assert decision.chosen.strategy.value == plan.value
    assert decision.forced is plan


def test_one_layer_has_one_plan(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    decision = decide(bind("EXPLORE LAYER fc6 OF strokes FROM photos JOIN products TRAIN lr"), sizes, machine)
    assert decision is not None
    assert (decision.chosen.name, decision.rejections) == ("eager", ())
    assert [item.name for item in decision.losers] == ["eager, join after inference"]


def test_where_nothing_fits_the_nearest_plan_and_the_way_out_are_named(bind: Bind, sizes: Sizes) -> None:
    bound = bind("EXPLORE strokes FROM photos JOIN products TRAIN logistic_regression")
    with pytest.raises(VistaQLError) as caught:
        choose(bound.rewritten().plan, sizes, Machine(2, 10**8), Settings())
    assert caught.value.code is Code.NO_FEASIBLE_PLAN
    assert "100 MB" in caught.value.message
    assert "SET memory_limit = " in (caught.value.hint or "")
    assert "SET plan = auto" not in (caught.value.hint or "")
