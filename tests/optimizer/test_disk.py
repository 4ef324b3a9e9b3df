"""What is free on disk: plans that need more are rejected by name, and the search leaves them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistaql.errors import Code, VistaQLError
from vistaql.explain.account import account
from vistaql.explain.plan import plan_json
from vistaql.explain.text import render
from vistaql.frontend.ast import ExplainMode
from vistaql.frontend.binder import BoundQuery
from vistaql.optimizer import machine
from vistaql.optimizer.candidate import Pricing
from vistaql.optimizer.candidates import plan_space
from vistaql.optimizer.choose import Constraint, Decision, choose
from vistaql.optimizer.grouping import Strategy
from vistaql.optimizer.machine import Machine, detect
from vistaql.physical.engine import Storage
from vistaql.physical.sizes import Sizes
from vistaql.settings import EngineChoice, Persistence, Placement, PlanChoice, Settings
from vistaql.spark_settings import SparkSettings

Bind = Callable[..., BoundQuery]
NARROW = "EXPLORE LAYERS conv4_6, conv5_2, conv5_3 OF resnet50 FROM photos JOIN products TRAIN logistic_regression"
WIDE = """EXPLORE LAYERS block_6_expand_relu POOL none, block_13_expand_relu POOL none, out_relu OF mobilenet_v2
FROM photos JOIN products TRAIN logistic_regression"""
LAWFUL = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def many(sizes: Sizes, count: int) -> Sizes:
    return replace(sizes, images=count, all_images=count, rows=count)


def decide(text: str, bind: Bind, sizes: Sizes, here: Machine, chosen: Settings | None = None) -> Decision:
    return choose(bind(text).rewritten().plan, sizes, here, chosen or Settings())


def test_a_plan_that_needs_more_disk_is_rejected_with_what_it_needs_and_what_is_free(bind: Bind, sizes: Sizes) -> None:
    sizes, free = many(sizes, 40_000), 10**9
    ample = decide(NARROW, bind, sizes, Machine(2, 4 * 10**9))
    tight = decide(NARROW, bind, sizes, Machine(2, 4 * 10**9, disk_bytes=free))
    staged = next(item for item in ample.losers if item.name == "staged on disk")
    # The second pass reads the tensor of the first while it writes its own.
    assert staged.disk_bytes == 40_000 * 4 * (14 * 14 * 1024 + 7 * 7 * 2048)
    lacking = {item.candidate.name: item for item in tight.rejections if item.constraint is Constraint.DISK}
    assert all(item.needs == item.candidate.disk_bytes > item.has == free for item in lacking.values())
    assert lacking["staged on disk"].needs == staged.disk_bytes
    assert all(item.disk_bytes <= free for item in (tight.chosen, *tight.losers))
    told = account(tight, ExplainMode.CANDIDATES)
    assert "needs 48 GB  of disk, has 1.0 GB" in render(told)
    plan = json.loads(json.dumps(plan_json(told, with_graph=False)))
    assert {"plan": "staged on disk", "constraint": "disk", "needs": staged.disk_bytes, "has": free} in plan["rejected"]


def test_the_search_has_no_pass_that_keeps_more_than_is_free(bind: Bind, sizes: Sizes) -> None:
    query, sizes = bind(NARROW).rewritten().plan, many(sizes, 40_000)

    def storages(free: int) -> set[Storage]:
        pricing = Pricing(query, sizes, Machine(2, 10**12, disk_bytes=free), Settings())
        plans = plan_space(pricing, Placement.BEFORE_INFERENCE, disk=free).cheapest_first()
        return {group.storage for plan in plans for item in plan for group in item.kept}

    assert storages(10**12) == {Storage.MEMORY, Storage.DISK}
    assert storages(10**9) == {Storage.MEMORY}


def test_vectors_on_disk_count_with_those_of_the_best_layer(bind: Bind, sizes: Sizes) -> None:
    """Of the best layer so far the file stays; where each layer has a pass of its own, two lie there at most."""
    sizes = many(sizes, 1500)
    decision = decide(WIDE, bind, sizes, Machine(2, 2 * 10**9))
    assert decision.chosen.configuration.spools
    spooled = {item.strategy: item for item in (decision.chosen, *decision.losers) if item.configuration.spools}
    first, second, third = (4 * 1500 * size for size in (28 * 28 * 192, 14 * 14 * 576, 1280))
    assert third < 64_000_000
    assert spooled[Strategy.EAGER].disk_bytes == first + second
    assert spooled[Strategy.LAZY].disk_bytes == first + second
    with pytest.raises(VistaQLError) as caught:
        decide(WIDE, bind, sizes, Machine(2, 2 * 10**9, disk_bytes=first))
    assert caught.value.code is Code.NO_FEASIBLE_PLAN


def test_an_export_lays_all_vectors_on_disk_and_says_beforehand_that_they_have_no_room(
    bind: Bind, sizes: Sizes
) -> None:
    text = "EXPORT LAYERS conv4_6, avg_pool OF resnet50 FROM photos JOIN products TO 'features.parquet'"
    sizes = many(sizes, 100_000)
    needs = 4 * 100_000 * (1024 + 2048)
    assert decide(text, bind, sizes, Machine(2, 8 * 10**9)).chosen.disk_bytes == needs
    with pytest.raises(VistaQLError) as caught:
        decide(text, bind, sizes, Machine(2, 8 * 10**9, disk_bytes=needs - 1))
    assert caught.value.code is Code.NO_FEASIBLE_PLAN
    assert "of disk" in caught.value.message
    assert "TMPDIR" in (caught.value.hint or "")


@LAWFUL
@given(
    count=st.integers(10, 5000),
    limit=st.integers(15 * 10**8, 6 * 10**9),
    free=st.integers(0, 4 * 10**9),
    more=st.integers(0, 10**10),
)
def test_more_disk_never_raises_the_cost(
    bind: Bind, sizes: Sizes, count: int, limit: int, free: int, more: int
) -> None:
    try:
        small = decide(WIDE, bind, many(sizes, count), Machine(2, limit, disk_bytes=free))
    except VistaQLError as error:
        assert error.code is Code.NO_FEASIBLE_PLAN  # noqa: PT017 - the law is about those that fit
        return
    large = decide(WIDE, bind, many(sizes, count), Machine(2, limit, disk_bytes=free + more))
    assert large.chosen.seconds <= small.chosen.seconds
    assert small.chosen.fits(limit, free)


def test_a_forced_plan_that_lacks_disk_says_so(bind: Bind, sizes: Sizes) -> None:
    forced = Settings(plan=PlanChoice.STAGED)
    with pytest.raises(VistaQLError) as caught:
        decide(NARROW, bind, many(sizes, 40_000), Machine(2, 4 * 10**9, disk_bytes=10**9), forced)
    assert "staged on disk needs 48 GB of disk, and 1.0 GB are free" in caught.value.message
    assert (caught.value.hint or "").startswith("SET plan = auto")


def test_spark_keeps_on_disk_what_the_disk_takes(bind: Bind, sizes: Sizes) -> None:
    """On this machine; what the machines of a cluster have free is not known."""
    on_disk = Settings(engine=EngineChoice.SPARK, persistence=Persistence.DISK)
    here, sizes = Machine(2, 16 * 10**9, disk_bytes=10**9), many(sizes, 40_000)
    decision = decide(NARROW, bind, sizes, here, on_disk)
    assert decision.chosen.disk_bytes <= 10**9
    lacking = [item for item in decision.rejections if item.constraint is Constraint.DISK]
    assert lacking
    assert all(item.needs == item.candidate.disk_bytes > item.has == 10**9 for item in lacking)
    away = replace(on_disk, spark=SparkSettings((("spark.master", "yarn"),)))
    assert all(item.constraint is Constraint.MEMORY for item in decide(NARROW, bind, sizes, here, away).rejections)


def test_what_is_free_is_asked_where_runs_keep_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "temporary_folder", lambda: str(tmp_path))
    found = detect()
    assert found.disk_folder == str(tmp_path)
    assert found.disk_bytes > 0
    monkeypatch.setattr(machine, "free_disk", len)
    assert found.now().disk_bytes == len(str(tmp_path))
    described = Machine(2, 10**9)
    assert described.now() == described


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    assert machine.free_disk(str(tmp_path / "none")) == 0
