"""What a limit of memory does to the choice: vectors go to disk where that is what fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistaql.errors import Code, VistaQLError
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.rules import RULES
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import ledger
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import Settings

Bind = Callable[..., BoundQuery]
WIDE = """EXPLORE LAYERS block_6_expand_relu POOL none, block_13_expand_relu POOL none, out_relu OF mobilenet_v2
FROM photos JOIN products TRAIN logistic_regression"""
LAWFUL = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def decide(bind: Bind, sizes: Sizes, count: int, limit: int) -> Decision:
    query = rewrite(bind(WIDE).plan, RULES)
    many = replace(sizes, images=count, all_images=count, rows=count)
    return choose(query, many, Machine(2, limit), Settings())  # type: ignore[arg-type]


def test_with_ample_memory_vectors_stay_in_it(bind: Bind, sizes: Sizes) -> None:
    assert not decide(bind, sizes, 1500, 20 * 10**9).chosen.configuration.spools


def test_vectors_go_to_disk_where_that_is_what_fits(bind: Bind, sizes: Sizes) -> None:
    decision = decide(bind, sizes, 1500, 2 * 10**9)
    assert decision.chosen.configuration.spools
    assert decision.sizes.spools
    assert decision.chosen.name.endswith("vectors on disk")
    found = ledger(decision.chosen.plan, decision.sizes, decision.machine, decision.limit_bytes)
    assert found.fits
    assert found.needs <= decision.chosen.peak_bytes


@LAWFUL
@given(count=st.integers(10, 5000), less=st.integers(10**9, 8 * 10**9), more=st.integers(0, 10**10))
def test_more_memory_never_raises_the_cost(bind: Bind, sizes: Sizes, count: int, less: int, more: int) -> None:
    try:
        small = decide(bind, sizes, count, less)
    except VistaQLError as error:
        assert error.code is Code.NO_FEASIBLE_PLAN  # noqa: PT017 - the law is about those that fit
        return
    assert decide(bind, sizes, count, less + more).chosen.seconds <= small.chosen.seconds
    assert small.chosen.peak_bytes <= less


@pytest.mark.parametrize("limit", [1_500_000_000, 2_000_000_000, 4_000_000_000])
def test_what_is_chosen_fits(bind: Bind, sizes: Sizes, limit: int) -> None:
    assert decide(bind, sizes, 1000, limit).chosen.peak_bytes <= limit
