"""Laws of the search, without a run: what a plan costs, what more memory, filters and stored features do to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.planning.conftest import bind
from vistaql.logical.nodes import Explore
from vistaql.logical.rules import RULES
from vistaql.models import roster
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import enumerate_candidates, named_groupings, plan_space
from vistaql.optimizer.enumerate import Stored, every_grouping, resume_points
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.lower import wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.search import PlanSpace
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import Placement, Settings

EARLY = Placement.BEFORE_INFERENCE
STROKES = roster.load("strokes")
assert STROKES is not None
SIZES = Sizes(800, 1000, 800, 9, 5, 2e5, 9e4, 40_000, exact=True)

# Four laws of many and two of few examples: 2,000 in all, and 100,000 where there is time.
MANY = pytest.mark.parametrize("examples", [485, pytest.param(24_500, marks=pytest.mark.volume)])
FEW = pytest.mark.parametrize("examples", [30, pytest.param(1_000, marks=pytest.mark.volume)])


def run_law(law: Callable[..., None], examples: int, **strategies: st.SearchStrategy[object]) -> None:
    """Check a law on so many examples."""
    quick = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    quick(given(**strategies)(law))()


def layers(most: int) -> st.SearchStrategy[list[str]]:
    """Some layers of the tiny CNN, pooled or whole."""
    points = st.sampled_from(STROKES.points)  # type: ignore[union-attr]
    pools = st.sampled_from(["", " POOL none", " POOL max(2, 2)"])
    pooled = st.tuples(points, pools).map(lambda pair: pair[0] + (pair[1] if pair[0].startswith("conv") else ""))
    return st.lists(pooled, min_size=1, max_size=most, unique=True)


COUNTS = st.integers(1, 10**7)
LIMITS = st.integers(5 * 10**8, 10**11)


def query_of(names: list[str], tail: str = "") -> Explore:
    text = f"EXPLORE LAYERS {', '.join(names)} OF strokes FROM photos JOIN products{tail} TRAIN logistic_regression"
    return rewrite(bind(text).plan, RULES)  # type: ignore[return-value]


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


def brute_force(pricing: Pricing, limit: float) -> float:
    """The seconds of the cheapest plan of the whole space that fits, each lowered and priced by itself."""
    ((cnn, outputs),) = wanted_by_cnn(pricing.query).items()
    every = {(item,) for item in every_grouping(cnn, outputs)} | set(named_groupings(pricing.query))
    plans = [pricing.candidate(item, EARLY) for item in every]
    return min((plan.seconds for plan in plans if plan.peak_bytes <= limit), default=math.inf)


@FEW
def test_the_search_finds_what_brute_force_finds(examples: int) -> None:
    def law(names: list[str], count: int, limit: int) -> None:
        pricing = pricing_of(names, count)
        found = enumerate_candidates(pricing, limit)
        cheapest = min(
            (item.seconds for item in found if item.peak_bytes <= limit and item.placement is EARLY), default=math.inf
        )
        assert cheapest == pytest.approx(brute_force(pricing, limit))

    run_law(law, examples, names=layers(3), count=COUNTS, limit=LIMITS)


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
