from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.rules import RULES
from vistaql.optimizer.grouping import NAMED, Strategy
from vistaql.optimizer.lower import lower
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import Held, held_by, peak_bytes
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator, RunPass
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite

Bind = Callable[..., BoundQuery]
TAIL = "FROM photos JOIN products TRAIN logistic_regression"
EXPLORE = f"EXPLORE LAYERS conv2, conv4 OF strokes {TAIL}"
CONV2_VECTOR, CONV4_VECTOR = 4 * 32, 4 * 64
CONV2_TENSOR = 4 * 24 * 24 * 32


def plan(bind: Bind, text: str, strategy: Strategy, storage: Storage = Storage.MEMORY) -> Operator:
    return lower(rewrite(bind(text).plan, RULES), strategy, storage)  # type: ignore[arg-type]


def held(root: Operator, sizes: Sizes) -> dict[tuple[str, str], int]:
    """Bytes an image by the operators between which they are held."""
    order = run_order(root)
    names = [f"{place} {type(node).__name__}" for place, node in enumerate(order)]
    return {
        (names[item.born], names[item.dies]): item.bytes // sizes.images
        for item in held_by(order, sizes)
        if item.bytes > 0 and type(order[item.born]).__name__ == "RunPass"
    }


def test_a_pass_holds_all_its_vectors_at_once(bind: Bind, sizes: Sizes) -> None:
    root = plan(bind, EXPLORE, Strategy.EAGER)
    names = [f"{place} {type(node).__name__}" for place, node in enumerate(run_order(root))]
    run = next(name for name in names if name.endswith("RunPass"))
    assert {born for born, _ in held(root, sizes)} == {run}
    assert sorted(held(root, sizes).values()) == [CONV2_VECTOR, CONV4_VECTOR]


def test_a_kept_tensor_is_held_until_the_pass_that_resumes_from_it(bind: Bind, sizes: Sizes) -> None:
    found = held(plan(bind, EXPLORE, Strategy.STAGED), sizes)
    tensor = [place for place, size in found.items() if size == CONV2_TENSOR]
    assert [(born.split()[1], dies.split()[1]) for born, dies in tensor] == [("RunPass", "RunPass")]


def test_a_tensor_on_disk_takes_no_memory(bind: Bind, sizes: Sizes) -> None:
    assert CONV2_TENSOR not in held(plan(bind, EXPLORE, Strategy.STAGED, Storage.DISK), sizes).values()


def test_an_export_holds_no_vectors(bind: Bind, sizes: Sizes) -> None:
    root = plan(bind, "EXPORT LAYERS conv2, conv4 OF strokes FROM photos TO 'f.parquet'", Strategy.EAGER)
    assert held(root, sizes) == {}


def test_the_peak_is_the_largest_sum_of_what_is_held_and_needed(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    root = plan(bind, EXPLORE, Strategy.STAGED)
    order = run_order(root)
    items = list(held_by(order, sizes))
    sums = [
        sum(item.bytes for item in items if item.born <= place <= item.dies)
        + (0 if isinstance(node, RunPass) else node.memory(sizes))
        + max(other.memory(sizes) for other in order[: place + 1] if isinstance(other, RunPass))
        for place, node in enumerate(order)
        if any(isinstance(other, RunPass) for other in order[: place + 1])
    ]
    process = machine.calibration.process_bytes + machine.calibration.library_bytes
    assert peak_bytes(root, sizes, machine) == int(process + max(sums))
    assert all(isinstance(item, Held) and item.born <= item.dies for item in items)


@pytest.mark.parametrize("strategy", NAMED)
def test_more_images_never_take_less_memory(bind: Bind, sizes: Sizes, machine: Machine, strategy: Strategy) -> None:
    root = plan(bind, EXPLORE, strategy)
    peaks = [
        peak_bytes(root, replace(sizes, images=count, all_images=count, rows=count), machine)
        for count in (10, 1000, 100_000, 1_000_000)
    ]
    assert peaks == sorted(peaks)
    assert peaks[-1] >= 1_000_000 * CONV2_VECTOR


def test_staging_in_memory_holds_the_tensors(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    many = replace(sizes, images=50_000, all_images=50_000, rows=50_000)
    in_memory, on_disk = (
        peak_bytes(plan(bind, EXPLORE, Strategy.STAGED, storage), many, machine)
        for storage in (Storage.MEMORY, Storage.DISK)
    )
    assert in_memory - on_disk >= 0.9 * 50_000 * CONV2_TENSOR


def test_a_chain_of_passes_may_be_as_deep_as_a_cnn(bind: Bind, sizes: Sizes, machine: Machine) -> None:
    root = plan(bind, f"EXPLORE LAYERS LIKE '%' OF efficientnet_b0 {TAIL}", Strategy.STAGED)
    assert sum(isinstance(node, RunPass) for node in run_order(root)) > 200
    assert peak_bytes(root, sizes, machine) > max(item.bytes for item in held_by(run_order(root), sizes))
