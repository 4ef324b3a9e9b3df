"""The search: all groupings as paths through a graph of states, the cheapest first.

A state says how many wanted layers are computed, and which tensor is kept. An edge is a pass: a group of layers, and
what it keeps. Seconds add up along a path; memory and disk are the most that any of its passes takes, so that limits
take edges away. All are told by the operators themselves, which `passes.py` builds and asks, and never computes.

The memory of an edge leaves out what depends on other passes; it is never more than the plan takes in the end. Whoever
takes plans off the search, in the order of their seconds, checks each, and the first that fits is the cheapest.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from vistaql.optimizer.grouping import Group, Grouping, Origin
from vistaql.optimizer.pass_costs import PassCosts
from vistaql.optimizer.passes import Tensor
from vistaql.physical.engine import Storage

State = tuple[int, int, int]
"""the CNN in work, how many of its layers are computed, and the tensor that is kept: a number, 0 for none"""
Edge = tuple[float, int, State, str | None, Origin, int]
"""seconds, bytes of memory, the state behind it, where the pass starts, and bytes on disk"""


@dataclass(frozen=True, eq=False)
class PlanSpace:
    """Every plan of a query as a path from the first state to the last one."""

    costs: tuple[PassCosts, ...]
    """of each CNN, in the order in which they run"""
    floor: int = 0
    """bytes that every plan takes, whatever its passes"""
    most: float = math.inf
    """bytes that no pass may take; searches below a smaller limit are narrower"""
    disk: float = math.inf
    """bytes that may lie on disk; searches below fewer are narrower"""

    @property
    def first(self) -> State:
        """Nothing is computed."""
        return (0, 0, 0)

    @cached_property
    def edges(self) -> dict[State, list[Edge]]:
        """The passes that can follow each state; states of more progress come later."""
        found: dict[State, list[Edge]] = {}
        waiting = [self.first]
        while waiting:
            state = waiting.pop()
            if state in found or state[0] == len(self.costs):
                continue
            found[state] = [edge for edge in self.following(state) if edge[1] <= self.most and edge[5] <= self.disk]
            waiting.extend(edge[2] for edge in found[state])
        return dict(sorted(found.items()))

    def following(self, state: State) -> Iterator[Edge]:
        """What can follow one state: each end of the group, each start, each tensor that can be kept."""
        place, done, number = state
        costs, carried = self.costs[place], self.carried(place, number)
        starts = self.starts(place, done, carried)
        for end in range(done + 1, len(costs.prices.outputs) + 1):
            last = (place + 1, 0, 0) if end == len(costs.prices.outputs) else None
            for source, origin, extra in starts:
                for left, took, needs, lying in costs.from_pass(done, end, source, carried, number):
                    yield took + extra, needs, last or (place, end, left), source, origin, lying
            if costs.prices.stored and costs.prices.answered(done, end):
                took, needs, lying = costs.from_store(done, end, carried)
                yield took, needs, last or (place, end, number), None, Origin.STORED_VECTORS, lying

    def starts(self, place: int, done: int, carried: Tensor | None) -> list[tuple[str | None, Origin, float]]:
        """Where a pass can start, and seconds that this takes beyond a start from pixels or from what lies there."""
        if carried is not None:
            return [(carried.layer, Origin.RUN, 0.0)]
        prices = self.costs[place].prices
        before = prices.cnn.position[prices.outputs[done].layer]
        stored = (layer for layer in prices.starts if prices.cnn.position[layer] <= before)
        return [(None, Origin.RUN, 0.0), *((layer, Origin.STORED_TENSOR, prices.resuming(layer)) for layer in stored)]

    def carried(self, place: int, number: int) -> Tensor | None:
        """The tensor of a number."""
        return self.costs[place].prices.tensors[number - 1] if number else None

    def to_the_end(self, limit: float, disk: float) -> dict[State, float]:
        """The least seconds from each state to the end over edges that fit; infinite where none leads there."""
        least: dict[State, float] = {(len(self.costs), 0, 0): 0.0}
        for state, edges in reversed(self.edges.items()):
            fitting = [edge[0] + least[edge[2]] for edge in edges if edge[1] <= limit and edge[5] <= disk]
            least[state] = min(fitting, default=math.inf)
        return least

    def cheapest_first(self, limit: float = math.inf, disk: float = math.inf) -> Iterator[tuple[Grouping, ...]]:
        """All plans whose passes fit, in the order of their seconds: A* with the exact distance to the end."""
        for _, path in self.paths(limit, disk):
            yield self.groupings(path)

    def paths(self, limit: float = math.inf, disk: float = math.inf) -> Iterator[tuple[float, tuple[Edge, ...]]]:
        """Seconds of the passes, and the edges."""
        least = self.to_the_end(limit if limit >= self.floor else -1, disk)
        number = count()
        heap: list[tuple[float, int, float, State, tuple[Edge, ...]]] = []
        if least[self.first] < math.inf:
            heap.append((least[self.first], next(number), 0.0, self.first, ()))
        while heap:
            _, _, spent, state, path = heapq.heappop(heap)
            if state[0] == len(self.costs):
                yield spent, path
                continue
            for edge in self.edges[state]:
                if edge[1] <= limit and edge[5] <= disk and least[edge[2]] < math.inf:
                    whole = spent + edge[0] + least[edge[2]]
                    heapq.heappush(heap, (whole, next(number), spent + edge[0], edge[2], (*path, edge)))

    def groupings(self, path: tuple[Edge, ...]) -> tuple[Grouping, ...]:
        """A path as one grouping for each CNN."""
        groups: list[list[Group]] = [[] for _ in self.costs]
        place, done, number = self.first
        for _, _, after, source, origin, _ in path:
            outputs = self.costs[place].prices.outputs
            end = after[1] if after[0] == place else len(outputs)
            fresh = self.carried(place, after[2]) if after[0] == place and after[2] != number else None
            keep, storage = (fresh.layer, fresh.storage) if fresh else (None, Storage.MEMORY)
            groups[place].append(Group(outputs[done:end], source, keep, storage, origin))
            place, done, number = after
        return tuple(Grouping(costs.prices.cnn, tuple(own)) for costs, own in zip(self.costs, groups, strict=True))
