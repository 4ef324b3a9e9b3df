"""The ledger of memory, and Vista's published mistakes, which it does not repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.rules import RULES
from vistaql.optimizer.configuration import configure
from vistaql.optimizer.grouping import Strategy
from vistaql.optimizer.lower import lower
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import Ledger, Region, ledger, peak_bytes, peaks
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Fit, Operator, RunPass
from vistaql.physical.run import run_order
from vistaql.physical.sizes import SPOOLED_BYTES, Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import Settings

Bind = Callable[..., BoundQuery]
TAIL = "FROM photos JOIN products TRAIN logistic_regression"
LAWFUL = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plan(bind: Bind, layers: str, strategy: Strategy, storage: Storage = Storage.MEMORY) -> Operator:
    query = rewrite(bind(f"EXPLORE {layers} {TAIL}").plan, RULES)
    return lower(query, strategy, storage)  # type: ignore[arg-type]


def many(sizes: Sizes, count: int) -> Sizes:
    return replace(sizes, images=count, all_images=count, rows=count)


def region(found: Ledger, wanted: Region) -> int:
    return next(line.bytes for line in found.lines if line.region is wanted)


@LAWFUL
@given(count=st.integers(1, 10**6), strategy=st.sampled_from([Strategy.LAZY, Strategy.EAGER, Strategy.STAGED]))
def test_the_lines_add_up_to_the_peak(
    bind: Bind, sizes: Sizes, machine: Machine, count: int, strategy: Strategy
) -> None:
    root = plan(bind, "LAYERS conv2, conv4 POOL none OF strokes", strategy)
    found = ledger(root, many(sizes, count), machine)
    assert [line.region for line in found.lines] == [item for item in Region if item is not Region.JAVA]
    assert abs(found.needs - peak_bytes(root, many(sizes, count), machine)) <= len(Region)
    assert found.slack == found.limit - found.needs
    assert found.fits == (found.needs <= machine.memory_bytes)


def test_vista_1_what_the_system_keeps_is_told_and_not_spent_twice(bind: Bind, sizes: Sizes) -> None:
    root = plan(bind, "LAYERS conv2 OF strokes", Strategy.EAGER)
    plain, reserved = (ledger(root, sizes, Machine(2, 8 * 10**9, reserve_bytes=size)) for size in (0, 10**9))
    assert region(reserved, Region.SYSTEM) == 10**9
    assert plain.needs == reserved.needs


def test_vista_2_the_storage_of_a_machine_is_compared_with_what_lies_on_that_machine(bind: Bind, sizes: Sizes) -> None:
    root = plan(bind, "LAYERS conv2 POOL none, conv4 OF strokes", Strategy.EAGER)
    found = ledger(root, many(sizes, 100_000), Machine(2, 8 * 10**9))
    assert region(found, Region.STORAGE) >= 100_000 * 4 * 24 * 24 * 32
    assert not found.fits


def test_vista_3_the_size_of_a_layer_is_its_own_wherever_it_stands(bind: Bind, sizes: Sizes) -> None:
    early, late = (
        region(
            ledger(plan(bind, f"LAYERS {layer} POOL none OF strokes", Strategy.EAGER), sizes, Machine(2, 10**10)),
            Region.STORAGE,
        )
        for layer in ("conv2", "conv4")
    )
    assert early >= 800 * 4 * 24 * 24 * 32
    assert early > late >= 800 * 4 * 6 * 6 * 64


def test_vista_4_the_two_largest_tables_lie_in_memory_together(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    root = plan(bind, "LAYERS conv1, conv2, conv3, conv4 OF strokes", Strategy.STAGED)
    order = run_order(root)
    many_images = many(sizes, 10**6)
    resumed = next(
        place for place, node in enumerate(order) if isinstance(node, RunPass) and node.inference.source == "conv1"
    )
    run = order[resumed]
    assert isinstance(run, RunPass)
    (kept,) = run.inference.keep
    both = sum(run.cnn.by_name[name].bytes for name in ("conv1", kept)) * 10**6
    assert peaks(root, many_images, machine)[resumed] >= both


def test_vista_5_the_copy_of_the_rows_and_the_driver_stand_inside_the_inequality(bind: Bind, sizes: Sizes) -> None:
    root = plan(bind, "LAYERS conv4 OF strokes", Strategy.EAGER)
    few, more = (ledger(root, replace(sizes, rows=count), Machine(2, 8 * 10**9)) for count in (10**3, 10**7))
    assert region(more, Region.DRIVER) - region(few, Region.DRIVER) >= (10**7 - 10**3) * 8
    assert more.needs > few.needs


def test_vista_6_all_cores_are_tried() -> None:
    assert [configure(Machine(cores, 10**9), Settings(), Storage.MEMORY).threads for cores in (1, 2, 16)] == [1, 2, 16]


def test_vista_7_sizes_have_no_fudge_factor(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    root = plan(bind, "LAYERS conv2 POOL none OF strokes", Strategy.EAGER)
    one, two = (region(ledger(root, many(sizes, count), machine), Region.STORAGE) for count in (10**5, 10**5 + 1))
    assert two - one == 4 * 24 * 24 * 32


def test_vista_8_a_graph_takes_what_its_tensors_and_weights_take(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    needs = [
        ledger(plan(bind, f"LAYER {layer} OF {cnn}", Strategy.EAGER), sizes, machine).needs
        for cnn, layer in (("strokes", "conv4"), ("resnet50", "conv4_6"), ("resnet50", "conv5_3"), ("vgg16", "fc6"))
    ]
    assert needs == sorted(needs)


@pytest.mark.parametrize("workers", [1, 2, 5, 16])
def test_fits_side_by_side_take_memory_each(bind: Bind, sizes: Sizes, workers: int) -> None:
    root = plan(bind, "LAYER conv2 POOL none OF strokes", Strategy.EAGER)
    order = run_order(root)
    alone, together = (
        max(node.memory(replace(sizes, fit_workers=count)) for node in order if isinstance(node, Fit) and node.features)
        for count in (1, workers)
    )
    assert together == min(workers, 5) * alone


def test_vectors_on_disk_take_no_memory(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    root = plan(bind, "LAYERS conv2 POOL none, conv4 OF strokes", Strategy.EAGER)
    vectors = 4 * 24 * 24 * 32
    count = SPOOLED_BYTES // vectors + 1
    held, spooled = (
        region(ledger(root, replace(many(sizes, count), spools=spools), machine), Region.STORAGE)
        for spools in (False, True)
    )
    assert held - spooled == vectors * count
    assert peak_bytes(root, replace(many(sizes, count), spools=True), machine) < peak_bytes(
        root, many(sizes, count), machine
    )
