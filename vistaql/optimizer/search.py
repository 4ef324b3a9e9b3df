"""The search: all groupings as paths through a graph of states, the cheapest first.

A state says how many wanted layers are computed, and which tensor is kept. An edge is a pass: a group of layers, and
what it keeps. Seconds add up along a path; memory is the most that any of its passes takes, so that a limit takes
edges away. Both are told by the operators themselves, which this file builds and asks, and never computes.

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

from vistaql.optimizer.enumerate import STORAGES, next_keeps
from vistaql.optimizer.grouping import Group, Grouping
from vistaql.optimizer.passes import Carried, PassCosts

State = tuple[int, int, Carried]
"""the CNN in work, how many of its layers are computed, and what is kept"""
Edge = tuple[float, int, State, Group]
"""seconds, bytes of memory, the state behind it, and the pass"""


@dataclass(frozen=True, eq=False)
class PlanSpace:
    """Every plan of a query as a path from the first state to the last one."""

    costs: tuple[PassCosts, ...]
    """of each CNN, in the order in which they run"""
    floor: int = 0
    """bytes that every plan takes, whatever its passes"""

    @property
    def first(self) -> State:
        """Nothing is computed."""
        return (0, 0, None)

    @cached_property
    def edges(self) -> dict[State, list[Edge]]:
        """The passes that can follow each state."""
        found: dict[State, list[Edge]] = {}
        waiting = [self.first]
        while waiting:
            state = waiting.pop()
            if state in found or state[0] == len(self.costs):
                continue
            found[state] = list(self.following(state))
            waiting.extend(edge[2] for edge in found[state])
        return found

    def following(self, state: State) -> Iterator[Edge]:
        """The passes that can follow one state: each end of the group, with each tensor that can be kept."""
        place, done, carried = state
        costs = self.costs[place]
        source = carried[0] if carried else None
        wanted = len(costs.outputs)
        for end in range(done + 1, wanted):
            keeps: list[Carried] = [None] if carried is None else [None, carried]
            for keep in next_keeps(costs.cnn, costs.points, source, costs.outputs[end])[1:]:
                keeps += [(str(keep), storage) for storage in STORAGES]
            for after in keeps:
                took, needs = costs.seconds_and_bytes(done, end, carried, after)
                yield took, needs, (place, end, after), costs.group(done, end, carried, after)
        took, needs = costs.seconds_and_bytes(done, wanted, carried, None)
        yield took, needs, (place + 1, 0, None), costs.group(done, wanted, carried, None)

    def to_the_end(self, limit: float) -> dict[State, float]:
        """The least seconds from each state to the end over edges that fit; infinite where none leads there."""
        least: dict[State, float] = {(len(self.costs), 0, None): 0.0}
        # The tensor that is kept lets states of equal progress stand in any order: passes always make progress.
        for state in sorted(self.edges, key=lambda state: (state[0], state[1]), reverse=True):
            fitting = (edge[0] + least[edge[2]] for edge in self.edges[state] if edge[1] <= limit)
            least[state] = min(fitting, default=math.inf)
        return least

    def cheapest_first(self, limit: float = math.inf) -> Iterator[tuple[Grouping, ...]]:
        """All plans whose passes fit, in the order of their seconds: A* with the exact distance to the end."""
        least = self.to_the_end(limit if limit >= self.floor else -1)
        number = count()
        heap: list[tuple[float, int, float, State, tuple[Group, ...]]] = []
        if least[self.first] < math.inf:
            heap.append((least[self.first], next(number), 0.0, self.first, ()))
        while heap:
            _, _, spent, state, groups = heapq.heappop(heap)
            if state[0] == len(self.costs):
                yield self.groupings(groups)
                continue
            for took, needs, after, group in self.edges[state]:
                if needs <= limit and least[after] < math.inf:
                    whole = spent + took + least[after]
                    heapq.heappush(heap, (whole, next(number), spent + took, after, (*groups, group)))

    def groupings(self, groups: tuple[Group, ...]) -> tuple[Grouping, ...]:
        """A path as one grouping for each CNN."""
        found = []
        place = 0
        for costs in self.costs:
            start, wanted = place, len(costs.outputs)
            while wanted:
                wanted -= len(groups[place].outputs)
                place += 1
            found.append(Grouping(costs.cnn, groups[start:place]))
        return tuple(found)
