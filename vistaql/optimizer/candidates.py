"""The plans that a decision is about: the cheapest, those that take less memory for more time, and the named ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from vistaql.logical.nodes import Query
from vistaql.models.cnn import Cnn
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.disk import exports, vectors_on_disk, winner_on_disk
from vistaql.optimizer.enumerate import Stored
from vistaql.optimizer.frontier import Front, Groupings, unbeaten
from vistaql.optimizer.grouping import NAMED, Strategy, named
from vistaql.optimizer.lower import lower, placements, wanted_by_cnn
from vistaql.optimizer.memory import retained
from vistaql.optimizer.pass_costs import PassCosts, Reading
from vistaql.optimizer.passes import PassPrices
from vistaql.optimizer.search import PlanSpace
from vistaql.optimizer.spark_candidates import spark_candidates
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
from vistaql.physical.operators import (
    BestSoFar,
    Fit,
    FitAlone,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
)
from vistaql.physical.resources import Resources
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import EngineChoice, Placement


def enumerate_candidates(pricing: Pricing, limit: float = math.inf, *, thorough: bool = False) -> list[Candidate]:
    """The cheapest plan that fits, some that take less memory for more time, and the named strategies.

    Of plans that join after inference only the cheapest. A thorough look adds all plans that stand.
    """
    query, sizes, machine, settings = pricing.query, pricing.sizes, pricing.machine, pricing.settings
    here = settings.engine is EngineChoice.INPROCESS
    on_spark = [] if here else list(spark_candidates(query, sizes, machine, settings, limit, thorough=thorough))
    if settings.engine is EngineChoice.SPARK:
        return on_spark
    early, *late = placements(query)
    disk = machine.disk_bytes
    found: dict[Groupings, Candidate] = {}
    for groupings in named_groupings(query):
        found.setdefault(groupings, pricing.candidate(groupings, early))
    for item in Front(plan_space(pricing, early, limit=limit, disk=disk), pricing, early, dict(found)).steps(limit):
        found.setdefault(item.groupings, item)
    cheapest = min(found.values(), key=lambda item: (not item.fits(limit, disk), item.seconds, item.peak_bytes))
    worse = late if sizes.images < sizes.all_images else []
    after = {(cheapest.groupings, place): pricing.candidate(cheapest.groupings, place) for place in worse}
    if thorough:
        for item in all_standing(pricing, [early, *worse], limit):
            if item.placement is early:
                found.setdefault(item.groupings, item)
            else:
                after.setdefault((item.groupings, item.placement), item)
    return [*found.values(), *after.values(), *on_spark]


def all_standing(pricing: Pricing, places: list[Placement], limit: float) -> Iterator[Candidate]:
    """All plans that no other beats, first those that fit, then those that would if there were more of everything.

    With more images no operator takes less of anything, but where there are more vectors than stay in memory.
    """
    found: list[Candidate] = []
    for place in places if pricing.sizes.spools else places[:1]:
        front = Front(plan_space(pricing, place), pricing, place, {})
        found += front.standing(limit, pricing.machine.disk_bytes)
        found += front.standing(math.inf, math.inf)
    return unbeaten(found)


def named_groupings(query: Query) -> Iterator[Groupings]:
    """What eager, staged and lazy do, with every storage."""
    wanted = wanted_by_cnn(query)
    for strategy in NAMED:
        for storage in (Storage.MEMORY, Storage.DISK) if strategy is Strategy.STAGED else (Storage.MEMORY,):
            yield tuple(named(strategy, cnn, outputs, storage) for cnn, outputs in wanted.items())


def plan_space(
    pricing: Pricing,
    placement: Placement,
    stored: frozenset[Stored] = frozenset(),
    limit: float = math.inf,
    disk: float = math.inf,
) -> PlanSpace:
    """All plans of a query with one placement of the join, below a limit of bytes, with so many on disk.

    What is stored may answer layers, or be resumed from.
    """
    query, sizes = pricing.query, pricing.sizes
    plan = lower(query, Strategy.EAGER, Storage.MEMORY, placement)
    order = run_order(plan)
    reader = next(item for item in order if isinstance(item, ReadImages))
    rows = sum(item.size(sizes) for item in order if isinstance(item, ReadRows))
    rates = pricing.machine.calibration
    readings = readings_of(order, sizes)
    configuration = pricing.configuration(Storage.MEMORY)
    price = partial(pricing.seconds, configuration=configuration)

    def fetch(size: float) -> float:
        return seconds(Resources(read_bytes=size), pricing.machine, configuration)

    base = int(rates.process_bytes + rates.library_bytes) + rows + reader.size(sizes)

    def costs(cnn: Cnn, outputs: tuple[Output, ...]) -> PassCosts:
        place = cnn.digest, placement, stored
        prices = pricing.known.passes.get(place)
        if prices is None:
            prices = PassPrices(cnn, outputs, reader, sizes, price, fetch, stored)
            pricing.known.passes[place] = prices
        read = tuple(readings[cnn.digest, output.column] for output in outputs)
        return PassCosts(prices, read, base, retained(sizes))

    # The best layer is learnt from once more after all passes.
    last = (item.best.size(sizes) + item.memory(sizes) for item in order if isinstance(item, FitAlone))
    floor = base + max(last, default=0)
    each = tuple(costs(cnn, outputs) for cnn, outputs in wanted_by_cnn(query).items())
    return PlanSpace(each, floor, limit, disk)


def readings_of(order: tuple[Operator, ...], sizes: Sizes) -> dict[tuple[str, str], Reading]:
    """What learning from each output holds, by CNN and column; no memory where vectors go to a file."""
    picks = [item for item in order if isinstance(item, PickFeatures)]
    found: dict[tuple[str, str], Reading] = {}
    if exports(order):
        lying = 0
        for pick in picks:
            size = vectors_on_disk(pick, sizes, export=True)
            found[pick.source.cnn.digest, pick.output.column] = Reading(spilled=size, spilled_before=lying)
            lying += size
        return found
    for pick in picks:
        fits = [item for item in order if isinstance(item, Fit) and item.features == pick]
        best = [item for item in order if isinstance(item, BestSoFar) and item.fit in fits]
        place = pick.source.cnn.digest, pick.output.column
        other = found.get(place, Reading())
        found[place] = Reading(
            other.vector + pick.size(sizes),
            other.winners + sum(item.before.size(sizes) for item in best if item.before),
            max([other.needs, *(fit.memory(sizes) for fit in fits)]),
            other.spilled + vectors_on_disk(pick, sizes, export=False),
            other.spilled_before + sum(winner_on_disk(item.before, sizes) for item in best),
        )
    return found
