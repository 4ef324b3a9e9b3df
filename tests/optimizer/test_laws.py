"""Laws of the search, without a run: what a plan costs, what more memory, filters and stored features do to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.optimizer.workloads import every_candidate, every_choice, layers, query_over, targets
from tests.planning.residual import RESIDUAL
from vistaql.errors import Code, VistaQLError
from vistaql.logical.nodes import Explore
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import enumerate_candidates, plan_space
from vistaql.optimizer.choose import choose
from vistaql.optimizer.cost import seconds as work_seconds
from vistaql.optimizer.enumerate import Stored, next_keeps, resume_points
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.lower import reader as reader_of
from vistaql.optimizer.lower import wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.search import PlanSpace
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Pass
from vistaql.physical.operators import Keep, Operator, ReadImages, RunPass
from vistaql.physical.resources import Resources
from vistaql.physical.sizes import Sizes
from vistaql.settings import EngineChoice, Placement, Settings

EARLY = Placement.BEFORE_INFERENCE
SIZES = Sizes(800, 1000, 800, 9, 5, 2e5, 9e4, 40_000, exact=True)

# Four laws of many examples, seven of few, and one of fewer yet, those on Spark and of the frontier among them: 2,000
# in all, and 100,000 where there is time.
MANY = pytest.mark.parametrize("examples", [425, pytest.param(23_200, marks=pytest.mark.volume)])
FEW = pytest.mark.parametrize("examples", [40, pytest.param(1_000, marks=pytest.mark.volume)])
FEWER = pytest.mark.parametrize("examples", [20, pytest.param(200, marks=pytest.mark.volume)])


def run_law(law: Callable[..., None], examples: int, **strategies: st.SearchStrategy[object]) -> None:
    """Check a law on so many examples."""
    quick = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    quick(given(**strategies)(law))()


COUNTS = st.integers(1, 10**7)
LIMITS = st.integers(5 * 10**8, 10**11)


def query_of(names: list[str], tail: str = "") -> Explore:
    return query_over(f"LAYERS {', '.join(names)} OF strokes", tail)


def pricing_of(names: list[str], count: int, tail: str = "") -> Pricing:
    sizes = replace(SIZES, images=count, all_images=count, rows=count)
    return Pricing(query_of(names, tail), sizes, Machine(2, 8 * 10**9), Settings())


def best_seconds(space: PlanSpace, limit: float = math.inf) -> float:
    """Of the passes of the cheapest plan below a limit."""
    return next((spent for spent, _ in space.paths(limit)), math.inf)


@MANY
def test_more_memory_never_raises_the_best_cost(examples: int) -> None:
    def law(names: list[str], count: int, less: int, more: int) -> None:
        space = plan_space(pricing_of(names, count), EARLY)
        assert best_seconds(space, less + more) <= best_seconds(space, less)

    run_law(law, examples, names=layers(4), count=COUNTS, less=LIMITS, more=LIMITS)


@MANY
def test_costs_are_finite_and_not_negative(examples: int) -> None:
    def law(names: list[str], count: int) -> None:
        edges = [edge for found in plan_space(pricing_of(names, count), EARLY).edges.values() for edge in found]
        assert edges
        assert all(math.isfinite(edge[0]) and edge[0] > 0 and edge[1] > 0 for edge in edges)

    run_law(law, examples, names=layers(3), count=COUNTS)


@MANY
def test_what_is_stored_never_raises_the_best_cost(examples: int) -> None:
    def law(names: list[str], count: int, data: st.DataObject, limit: int) -> None:
        pricing = pricing_of(names, count)
        ((cnn, outputs),) = wanted_by_cnn(pricing.query).items()
        vectors = [Stored(cnn.digest, item.layer, item.pool) for item in outputs]
        tensors = [Stored(cnn.digest, layer, None) for layer in resume_points(cnn, outputs)]
        stored = data.draw(st.sets(st.sampled_from(vectors + tensors)))
        fewer = data.draw(st.sets(st.sampled_from(sorted(stored, key=repr)))) if stored else set()
        found = [plan_space(pricing, EARLY, frozenset(some)) for some in (stored, fewer, set())]
        costs = [best_seconds(space, limit) for space in found]
        assert costs == sorted(costs)

    run_law(law, examples, names=layers(3), count=COUNTS, data=st.data(), limit=LIMITS)


COMPARISONS = st.sampled_from(["weight > 1", "width < 300", "brand = 'x'", "photos.key LIKE 'a%'", "weight IS NULL"])


@MANY
def test_more_filters_never_raise_rows_bytes_or_seconds(examples: int) -> None:
    def law(names: list[str], conditions: list[str], more: str) -> None:
        def figures(several: list[str]) -> tuple[int, float, int, float]:
            query = query_of(names, f" WHERE {' AND '.join(several)}" if several else "")
            sizes = estimate(query)
            space = plan_space(Pricing(query, sizes, Machine(2, 8 * 10**9), Settings()), EARLY)
            vectors = sum(item.vector for item in space.costs[0].readings)
            return sizes.rows, sizes.images * sizes.image_bytes, vectors, best_seconds(space)

        before, after = figures(conditions), figures([*conditions, more])
        assert all(less <= whole for less, whole in zip(after, before, strict=True))

    run_law(law, examples, names=layers(2), conditions=st.lists(COMPARISONS, max_size=2), more=COMPARISONS)


def pricing_over(wanted: str, count: int, fewer: float = 1.0, disk: int = 2**62) -> Pricing:
    some = max(1, int(fewer * count))
    sizes = replace(SIZES, images=some, all_images=count, rows=some)
    return Pricing(query_over(wanted), sizes, Machine(2, 8 * 10**9, disk_bytes=disk), Settings())


def cheapest(plans: Iterable[Candidate], limit: float, disk: float) -> float:
    """Seconds of the cheapest plan that fits."""
    return min((plan.seconds for plan in plans if plan.fits(limit, disk)), default=math.inf)


DISKS = st.one_of(st.just(2**62), st.integers(0, 10**9), st.integers(0, 10**12))
# Around what plans of the tiny CNNs need.
TIGHT = st.one_of(st.integers(8 * 10**8, 3 * 10**9), LIMITS)


@FEW
def test_the_search_finds_what_brute_force_finds(examples: int) -> None:
    """In a chain, in a residual CNN, and in both at once, below a limit of memory and one of disk."""

    def law(wanted: str, count: int, limit: int, disk: int) -> None:
        pricing = pricing_over(wanted, count, disk=disk)
        found = [item for item in enumerate_candidates(pricing, limit) if item.placement is EARLY]
        every = [pricing.candidate(item, EARLY) for item in every_choice(pricing)]
        assert cheapest(found, limit, disk) == pytest.approx(cheapest(every, limit, disk))

    run_law(law, examples, wanted=targets(3, 2), count=COUNTS, limit=TIGHT, disk=DISKS)


@FEW
def test_the_chosen_plan_is_the_cheapest_that_fits(examples: int) -> None:
    """Of every grouping with every storage and placement, with vectors in memory or on disk."""

    def law(wanted: str, count: int, fewer: float, limit: int, disk: int) -> None:
        pricing = pricing_over(wanted, count, fewer, disk)
        best = cheapest(every_candidate(pricing), limit, disk)
        settings = Settings(engine=EngineChoice.INPROCESS, memory_limit=limit)
        try:
            chosen = choose(pricing.query, pricing.sizes, pricing.machine, settings).chosen
        except VistaQLError as error:
            assert error.code is Code.NO_FEASIBLE_PLAN  # noqa: PT017 - the law is about those that fit
            assert best == math.inf
            return
        assert chosen.fits(limit, disk)
        assert chosen.seconds == pytest.approx(best)

    run_law(
        law, examples, wanted=targets(3, 2), count=COUNTS, fewer=st.sampled_from([1.0, 0.9, 0.3]), limit=TIGHT,
        disk=DISKS,
    )  # fmt: skip


def least_with(pricing: Pricing, stored: Collection[Stored]) -> float:
    """The least seconds of passes, kept tensors and reads from the store, each asked of operators of its own."""
    ((cnn, outputs),) = wanted_by_cnn(pricing.query).items()
    reader = reader_of(pricing.query, EARLY)
    configuration = pricing.configuration(Storage.MEMORY)
    points = resume_points(cnn, outputs)

    def price(operator: Operator) -> float:
        return pricing.seconds(operator, configuration)

    def fetch(size: int) -> float:
        read = Resources(read_bytes=float(size * reader.count(pricing.sizes)))
        return work_seconds(read, pricing.machine, configuration)

    def keep(layer: str, storage: Storage) -> Keep:
        return Keep(RunPass(reader, Pass(cnn, None, (), (layer,)), storage), layer)

    def starts(done: int, carried: Keep | None) -> Iterator[tuple[ReadImages | Keep, str | None, float]]:
        if carried is not None:
            yield carried, carried.layer, 0.0
            return
        yield reader, None, 0.0
        for item in stored:
            if item.pool is None and cnn.position[item.layer] <= cnn.position[outputs[done].layer]:
                yield keep(item.layer, Storage.MEMORY), item.layer, fetch(cnn.by_name[item.layer].bytes)

    def least(done: int, carried: Keep | None) -> float:
        """Of all ways to give the outputs that are left."""
        if done == len(outputs):
            return 0.0
        ways = [math.inf]
        for end in range(done + 1, len(outputs) + 1):
            if all(Stored(cnn.digest, item.layer, item.pool) in stored for item in outputs[done:end]):
                widths = sum(item.pool.feature_width(cnn.by_name[item.layer].shape) for item in outputs[done:end])
                ways += [fetch(4 * widths) + least(end, left) for left in {carried, None}]
            for reads, source, extra in starts(done, carried):
                alone = extra + price(RunPass(reads, Pass(cnn, source, outputs[done:end]), Storage.MEMORY))
                ways += [alone + least(end, left) for left in {carried, None}]
                for layer, storage in product(points_behind(end, source), Storage if end < len(outputs) else ()):
                    run = RunPass(reads, Pass(cnn, source, outputs[done:end], (layer,)), Storage.MEMORY)
                    left = keep(layer, storage)
                    ways.append(extra + price(run) + price(left) + least(end, left))
        return min(ways)

    def points_behind(end: int, source: str | None) -> tuple[str, ...]:
        if end == len(outputs):
            return ()
        return tuple(point for point in next_keeps(cnn, points, source, outputs[end]) if point)

    return least(0, None)


@FEW
def test_with_a_store_the_search_finds_what_brute_force_finds(examples: int) -> None:
    """Vectors of some layers are stored, and some tensors."""

    def law(wanted: str, count: int, data: st.DataObject) -> None:
        pricing = pricing_over(wanted, count)
        ((cnn, outputs),) = wanted_by_cnn(pricing.query).items()
        vectors = [Stored(cnn.digest, item.layer, item.pool) for item in outputs]
        tensors = [Stored(cnn.digest, layer, None) for layer in resume_points(cnn, outputs)]
        stored = data.draw(st.sets(st.sampled_from(vectors + tensors)))
        found = best_seconds(plan_space(pricing, EARLY, frozenset(stored)))
        assert found == pytest.approx(least_with(pricing, stored))

    one = st.one_of(
        layers(3).map(lambda names: f"LAYERS {', '.join(names)} OF strokes"),
        layers(3, RESIDUAL).map(lambda names: f"LAYERS {', '.join(names)} OF residual"),
    )
    run_law(law, examples, wanted=one, count=COUNTS, data=st.data())


@FEW
def test_seconds_and_disk_of_paths_are_those_of_their_plans_and_memory_is_never_more(examples: int) -> None:
    """The search and the plans it stands for agree: seconds up to what all plans share, in ascending order."""

    def law(names: list[str], count: int, *, spools: bool) -> None:
        pricing = pricing_of(names, count)
        pricing = replace(pricing, sizes=replace(pricing.sizes, spools=spools))
        space = plan_space(pricing, EARLY)
        paths = list(islice(space.paths(), 12))
        plans: list[Candidate] = [pricing.candidate(space.groupings(path), EARLY) for _, path in paths]
        shared = [plan.seconds - spent for plan, (spent, _) in zip(plans, paths, strict=True)]
        assert max(shared) == pytest.approx(min(shared), abs=1e-6 * plans[0].seconds)
        assert [spent for spent, _ in paths] == sorted(spent for spent, _ in paths)
        for plan, (_, path) in zip(plans, paths, strict=True):
            assert plan.peak_bytes >= max(edge[1] for edge in path)
            assert plan.disk_bytes == max(edge[5] for edge in path)

    run_law(law, examples, names=layers(4), count=COUNTS, spools=st.booleans())
