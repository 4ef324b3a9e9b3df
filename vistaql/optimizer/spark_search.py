"""The search on Spark: the cheapest grouping of layers into passes, priced as Spark runs them.

A state says how many wanted layers are computed, and which tensor is kept; an edge is a pass. How rows meet images and
where learners are fitted costs the same whatever the passes, so that one search serves all of these choices.

Memory depends on two things about the passes: what the largest one takes in a worker, and the largest kept tensor. With
a bound on each, every path fits, and the cheapest one is found without looking at any other. The bounds that can matter
are as many as there are sizes of tensors. Partitions are as many as a tensor of one of these sizes asks for: as few as
those of the plan ask for, or more, where batches happen to fill better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from vistaql.models.cnn import Cnn
from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.enumerate import resume_points, worth_keeping
from vistaql.optimizer.grouping import Group, Grouping, pass_of
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.regions import Contents, regions_of, spilled_bytes, tasks_of
from vistaql.optimizer.room import Room
from vistaql.optimizer.spark import Work, held_bytes, kept_seconds, partition_count, terms_of, vector_bytes, work_of
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
from vistaql.physical.operators import Keep, ReadImages, RunPass
from vistaql.physical.regions import Regions
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinMethod, Persistence, Settings, TrainingPlace

State = tuple[int, str | None]
"""how many layers are computed, and the tensor that is kept"""


@dataclass(frozen=True)
class Edge:
    """A pass, its work, the bytes of an image's tensor that it keeps anew, and the state behind it."""

    group: Group
    work: Work
    kept: int
    after: State


@dataclass(frozen=True)
class Bounds:
    """What passes may take: bytes of an image's kept tensor, and bytes in a worker."""

    kept: int
    running: float = math.inf


@dataclass(frozen=True)
class Found:
    """Seconds of the passes of a plan with what they keep; infinite where no plan keeps the bounds."""

    seconds: float
    edges: tuple[tuple[Edge, ...], ...] = ()
    """of each CNN"""

    @property
    def kept(self) -> int:
        """Bytes of the largest kept tensor of an image."""
        return max((edge.kept for edges in self.edges for edge in edges), default=0)


@dataclass(frozen=True, eq=False)
class Passes:
    """All passes over one CNN that a plan on Spark may have."""

    cnn: Cnn
    outputs: tuple[Output, ...]
    reader: ReadImages
    sizes: Sizes
    machine: Machine
    configuration: Configuration
    _works: dict[tuple[str | None, int], Work] = field(default_factory=dict)
    _running: dict[tuple[str | None, int, str | None], int] = field(default_factory=dict)

    @cached_property
    def points(self) -> tuple[str, ...]:
        """Tensors that may be kept."""
        return resume_points(self.cnn, self.outputs)

    @cached_property
    def edges(self) -> tuple[tuple[State, tuple[Edge, ...]], ...]:
        """The passes that can follow each state, those of most progress first."""
        found: dict[State, tuple[Edge, ...]] = {}
        waiting: list[State] = [(0, None)]
        while waiting:
            state = waiting.pop()
            if state not in found and state[0] < len(self.outputs):
                found[state] = tuple(self.following(state))
                waiting.extend(edge.after for edge in found[state])
        return tuple(sorted(found.items(), key=lambda item: -item[0][0]))

    def following(self, state: State) -> Iterator[Edge]:
        """Each end of the group with each tensor that it can leave behind: none, a fresh one, the one it started from.

        The next pass may start from that one as well.
        """
        done, source = state
        for end in range(done + 1, len(self.outputs) + 1):
            yield self.edge(done, end, source, None, None)
            if end == len(self.outputs):
                return
            if source is not None:
                yield self.edge(done, end, source, None, source)
            for point in worth_keeping(self.cnn, self.points, source, *self.outputs[end - 1 : end + 1]):
                yield self.edge(done, end, source, point, point)

    def edge(self, start: int, end: int, source: str | None, keep: str | None, left: str | None) -> Edge:
        """One pass."""
        group = Group(self.outputs[start:end], source, keep)
        own = self.work(group)
        tensors = sum(self.cnn.by_name[layer].bytes for layer in (source, keep) if layer)
        moved = tensors + sum(vector_bytes(self.cnn, output) for output in group.outputs)
        kept = self.cnn.by_name[keep].bytes if keep else 0
        return Edge(group, replace(own, moved=moved), kept, (end, left))

    def work(self, group: Group) -> Work:
        """The work of a pass but for what it moves; asked of its operator once for all that compute the same layers."""
        key = group.source, self.mask(group)
        if key not in self._works:
            self._works[key] = work_of(self.operator(group), self.sizes, self.machine, self.configuration)
        return self._works[key]

    def running(self, group: Group) -> int:
        """Bytes of a pass in a worker."""
        key = group.source, self.mask(group), group.keep
        if key not in self._running:
            self._running[key] = self.operator(group).memory(self.sizes)
        return self._running[key]

    def mask(self, group: Group) -> int:
        """The layers that a pass computes, as bits by their places."""
        masks, found = self.cnn.ancestor_masks, 0
        for layer in (*(output.layer for output in group.outputs), group.keep):
            found |= masks[layer] if layer else 0
        return found & ~masks[group.source] if group.source else found

    def operator(self, group: Group) -> RunPass:
        """The operator of a pass."""
        source: ReadImages | Keep = self.reader
        if group.source:
            source = Keep(RunPass(source, pass_of(self.cnn, None, (), (group.source,)), Storage.MEMORY), group.source)
        return RunPass(source, group.inference(self.cnn), Storage.MEMORY)

    def cheapest(self, choices: ClusterChoices, bounds: Bounds) -> tuple[float, tuple[Edge, ...]]:
        """The cheapest path from the first state to the end."""
        rates, images = self.machine.calibration, self.reader.count(self.sizes)
        terms = terms_of(images, self.cnn.batch_rows, choices, rates)
        held = held_bytes(choices.persistence, rates)
        keeping = {
            size: kept_seconds(size * images, held, choices, rates) if size else 0.0
            for size in (0, *(self.cnn.by_name[point].bytes for point in self.points))
        }
        least: dict[State, tuple[float, Edge | None]] = {(len(self.outputs), None): (0.0, None)}
        for state, edges in self.edges:
            best: tuple[float, Edge | None] = (math.inf, None)
            for edge in edges:
                seconds = edge.work.seconds(terms) + keeping[edge.kept] + least[edge.after][0]
                if seconds < best[0] and edge.kept <= bounds.kept:
                    # Asked last: most passes are dearer than another one, and never asked for their memory.
                    if bounds.running < math.inf and self.running(edge.group) > bounds.running:
                        continue
                    best = seconds, edge
            least[state] = best
        return least[0, None][0], tuple(self.path(least))

    def path(self, least: dict[State, tuple[float, Edge | None]]) -> Iterator[Edge]:
        """The best edges one after the other."""
        edge = least[0, None][1]
        while edge is not None:
            yield edge
            edge = least[edge.after][1]


@dataclass(frozen=True, eq=False)
class SparkSpace:
    """Every plan of a query with some workers and one placement of the join.

    `contents` are those of any of its plans; passes and kept tensors are left out of them.
    """

    passes: tuple[Passes, ...]
    contents: Contents
    choices: ClusterChoices
    executors: int
    settings: Settings
    room: Room
    disk: float = math.inf
    _known: dict[tuple[ClusterChoices, Bounds], Found] = field(default_factory=dict)

    @property
    def reader(self) -> ReadImages:
        """What the passes read."""
        return self.passes[0].reader

    @property
    def rates(self) -> Calibration:
        """The rates of the machine."""
        return self.passes[0].machine.calibration

    @property
    def weighed(self) -> int:
        """Passes that were looked at, over all searches so far."""
        return len(self._known) * sum(len(edges) for part in self.passes for _, edges in part.edges)

    @cached_property
    def counts(self) -> dict[int, int]:
        """Partitions by the bytes of the largest kept tensor of an image; 0: none is kept. Large tensors first."""
        sizes = {part.cnn.by_name[point].bytes for part in self.passes for point in part.points}
        return {size: self.partitions(size) for size in sorted(sizes | {0}, reverse=True)}

    def partitions(self, kept: int) -> int:
        """How many parts a plan that keeps such a tensor is cut into."""
        images, sizes = self.reader.count(self.passes[0].sizes), self.passes[0].sizes
        largest = max(int(sizes.image_bytes), kept)
        return self.settings.partitions or partition_count(images, largest, self.choices.workers)

    def best(
        self, persistences: tuple[Persistence, ...], others: tuple[tuple[JoinMethod, TrainingPlace], ...]
    ) -> list[tuple[tuple[Grouping, ...], int]]:
        """The groupings and partitions of the cheapest plan that fits, for every choice that may matter to it.

        A slower way to hold tensors can win only where a faster one does not fit.
        """
        found: dict[tuple[tuple[Grouping, ...], int], None] = {}
        for persistence in sorted(persistences, key=lambda item: -held_bytes(item, self.rates)):
            tight = False
            for join, training in others:
                choices = replace(self.choices, persistence=persistence, join=join, training=training)
                plan, partitions, bound = self.cheapest(choices)
                tight = tight or bound
                if plan.edges:
                    found[self.groupings(plan), partitions] = None
            if not tight:
                break
        return list(found)

    def cheapest(self, choices: ClusterChoices) -> tuple[Found, int, bool]:
        """The cheapest plan that fits, its partitions, and whether a cheaper one did not fit."""
        best, partitions = Found(math.inf), 0
        bound = not all(self.lies(size, choices) for size in self.counts)
        for count in sorted(set(self.counts.values())):
            cut = replace(choices, partitions=count)
            for kept in (size for size, least in self.counts.items() if least <= count and self.lies(size, choices)):
                found = self.within(cut, Bounds(kept))
                if found.seconds >= best.seconds:
                    # With smaller tensors it takes no less.
                    break
                if self.fits(found, cut):
                    best, partitions = found, count
                    break
                bound = True
                found = self.within(cut, Bounds(kept, self.left(cut, kept)))
                if found.seconds < best.seconds:
                    best, partitions = found, count
        return best, partitions, bound

    def lies(self, kept: int, choices: ClusterChoices) -> bool:
        """Whether the disk takes what is put there with such a kept tensor."""
        return spilled_bytes(self.holding(kept, 0), choices) <= self.disk

    def within(self, choices: ClusterChoices, bounds: Bounds) -> Found:
        """The cheapest plan within bounds, whether or not it fits."""
        # Seconds of passes do not depend on where learners are fitted, nor on how rows meet images.
        key = replace(choices, training=TrainingPlace.DRIVER, join=JoinMethod.BROADCAST), bounds
        if key not in self._known:
            each = [part.cheapest(choices, bounds) for part in self.passes]
            seconds = sum(took for took, _ in each)
            self._known[key] = Found(seconds, tuple(path for _, path in each) if seconds < math.inf else ())
        return self._known[key]

    def left(self, choices: ClusterChoices, kept: int) -> float:
        """Bytes that a pass may take in a worker beside tensors of that size."""
        tasks = tasks_of(choices, self.executors)
        checks = list(self.room.checks(self.regions(choices, kept, 0), self.executors, tasks))
        if not all(check.holds for check in checks):
            return -1.0
        bounds = [(check.has - check.needs, check.workers) for check in checks if check.workers]
        return min(left // workers if left < math.inf else left for left, workers in bounds)

    def fits(self, found: Found, choices: ClusterChoices) -> bool:
        """Whether every machine has what a plan needs of it."""
        pairs = zip(self.passes, found.edges, strict=True)
        running = max(part.running(edge.group) for part, edges in pairs for edge in edges)
        return self.room.holds(self.regions(choices, found.kept, running), self.executors)

    def regions(self, choices: ClusterChoices, kept: int, running: int) -> Regions:
        """How memory is divided for a plan with such a kept tensor and such a largest pass."""
        contents = self.holding(kept, running)
        return regions_of(contents, self.rates, choices, self.executors, self.room.heaps)

    def holding(self, kept: int, running: int) -> Contents:
        """What such a plan has Spark hold."""
        tensors = kept * self.reader.count(self.passes[0].sizes)
        return replace(self.contents, tensors=tensors, running=running)

    def groupings(self, found: Found) -> tuple[Grouping, ...]:
        """A plan as one grouping for each CNN."""
        pairs = zip(self.passes, found.edges, strict=True)
        return tuple(Grouping(part.cnn, tuple(edge.group for edge in edges)) for part, edges in pairs)
