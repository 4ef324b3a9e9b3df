"""Small workloads, drawn: a chain, a residual CNN, both at once; and every plan that one has, priced one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import strategies as st

from tests.planning.conftest import bind
from tests.planning.residual import RESIDUAL
from vistaql.logical.nodes import Explore
from vistaql.logical.rules import RULES
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import named_groupings
from vistaql.optimizer.choose import large_vectors
from vistaql.optimizer.enumerate import every_grouping
from vistaql.optimizer.frontier import Groupings
from vistaql.optimizer.lower import placements, wanted_by_cnn
from vistaql.plan.rewrite import rewrite

STROKES = roster.load("strokes")
assert STROKES is not None


def layers(most: int, cnn: Cnn = STROKES) -> st.SearchStrategy[list[str]]:
    """Some layers of a tiny CNN, pooled or whole."""

    def pooled(pair: tuple[str, str]) -> str:
        return pair[0] + (pair[1] if cnn.by_name[pair[0]].spatial else "")

    pools = st.sampled_from(["", " POOL none", " POOL max(2, 2)"])
    return st.lists(st.tuples(st.sampled_from(cnn.points), pools).map(pooled), min_size=1, max_size=most, unique=True)


def targets(most: int, of_two: int) -> st.SearchStrategy[str]:
    """Layers of the chain, of the residual CNN, or of both."""

    def told(cnn: Cnn, names: list[str]) -> str:
        return f"LAYERS {', '.join(names)} OF {cnn.name}"

    def one(cnn: Cnn, count: int) -> st.SearchStrategy[str]:
        return layers(count, cnn).map(lambda names: told(cnn, names))

    both = st.tuples(one(STROKES, of_two), one(RESIDUAL, of_two)).map(", ".join)  # type: ignore[arg-type]
    return st.one_of(one(STROKES, most), one(RESIDUAL, most), both)  # type: ignore[arg-type]


def query_over(wanted: str, tail: str = "") -> Explore:
    """The rewritten query for some layers."""
    text = f"EXPLORE {wanted} FROM photos JOIN products{tail} TRAIN logistic_regression"
    return rewrite(bind(text).plan, RULES)  # type: ignore[return-value]


def every_choice(pricing: Pricing) -> Iterator[Groupings]:
    """All groupings of all CNNs, and what the named strategies do."""
    yield from dict.fromkeys(
        [
            *product(*(tuple(every_grouping(*item)) for item in wanted_by_cnn(pricing.query).items())),
            *named_groupings(pricing.query),
        ]
    )


def every_candidate(pricing: Pricing) -> list[Candidate]:
    """All groupings with all storages and placements, vectors in memory, and where some are large also on disk."""
    choices = product(placements(pricing.query), every_choice(pricing))
    in_memory = [pricing.candidate(item, place) for place, item in choices]
    if not any(large_vectors(item.plan, pricing.sizes) for item in in_memory):
        return in_memory
    spooling = replace(pricing, sizes=replace(pricing.sizes, spools=True, fit_workers=1))
    return in_memory + [spooling.candidate(item.groupings, item.placement) for item in in_memory]
