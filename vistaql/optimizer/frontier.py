"""Plans that stand: no other takes less of one thing without taking more of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.grouping import Grouping
from vistaql.optimizer.search import PlanSpace
from vistaql.settings import Placement

Groupings = tuple[Grouping, ...]
"""the passes of a plan, CNN by CNN"""

SMALLER: Final = 0.9
FRONTIER: Final = 8
"""To choose a plan takes one; beside it up to so many are shown, each with a tenth less memory than the one before."""

LOOKED_AT: Final = 100
LOOKED_AT_FOR_LESS: Final = 3
"""Plans that are looked at before the search for one below a limit is given up. The memory of a pass alone is close to
that of its plan, so that one or two are the rule. What is shown beside the chosen plan is worth less time."""

TIGHTER: Final[tuple[float, ...]] = (1.0, 0.85, 0.7, 0.5)
"""If none of them fits, passes that are smaller than the limit by these shares are tried."""

STEPS: Final = 200
LOOKED_AT_FOR_ALL: Final = 500
"""Where all plans that stand are asked for: how many are searched for, and how many may be looked at in all."""


@dataclass(frozen=True, eq=False)
class Front:
    """The plans of a space, looked at in the order in which they are asked for.

    `known` are those that are priced, `peaks` the bytes of all that were looked at.
    """

    space: PlanSpace
    pricing: Pricing
    placement: Placement
    known: dict[Groupings, Candidate]
    peaks: dict[Groupings, int] = field(default_factory=dict)

    def cheapest(
        self, memory: float, disk: float, looked_at: int = LOOKED_AT, shares: tuple[float, ...] = TIGHTER
    ) -> Candidate | None:
        """The cheapest plan that takes no more; None where there is none among those looked at."""
        for share in shares:
            seen = 0
            for groupings in islice(self.space.cheapest_first(share * memory, disk), looked_at):
                seen += 1
                if self.peak(groupings) <= memory and (found := self.priced(groupings)).disk_bytes <= disk:
                    return found
            if seen < looked_at:
                # There are no others below the limit, and so none below less.
                return None
        return None

    def peak(self, groupings: Groupings) -> int:
        """The most memory of a plan, which is asked before anything else."""
        if groupings not in self.peaks:
            known = self.known.get(groupings)
            self.peaks[groupings] = known.peak_bytes if known else self.pricing.peak_bytes(groupings, self.placement)
        return self.peaks[groupings]

    def priced(self, groupings: Groupings) -> Candidate:
        """A plan with its price."""
        if groupings not in self.known:
            self.known[groupings] = self.pricing.candidate(groupings, self.placement, self.peak(groupings))
        return self.known[groupings]

    def steps(self, memory: float) -> Iterator[Candidate]:
        """The cheapest plan below the limit, then the cheapest of those that take a tenth less than it, and so on."""
        shares, looked_at = TIGHTER, LOOKED_AT
        for _ in range(FRONTIER):
            found = self.cheapest(memory, self.space.disk, looked_at, shares)
            if found is None:
                return
            yield found
            shares, looked_at, memory = TIGHTER[:1], LOOKED_AT_FOR_LESS, SMALLER * found.peak_bytes

    def standing(self, memory: float, disk: float) -> list[Candidate]:
        """All plans of the space that take no more and that stand."""

        def cheapest(memory: float, disk: float) -> Candidate | None:
            return self.cheapest(memory, disk, min(LOOKED_AT, max(0, LOOKED_AT_FOR_ALL - len(self.peaks))))

        return standing(cheapest, memory, disk)


def standing(
    cheapest: Callable[[float, float], Candidate | None], memory: float, disk: float, steps: int = STEPS
) -> list[Candidate]:
    """All plans that stand, of those that `cheapest` finds within some memory and disk.

    The cheapest, the cheapest of those that take less memory than it, and so on until there is none. Whoever stands
    besides has less on disk than one of these: so the same with less disk than any of them has, until none has any.
    """
    found: list[Candidate] = []
    while disk >= 0:
        left, most = memory, -1
        while steps and (item := cheapest(left, disk)):
            found.append(item)
            left, most, steps = item.peak_bytes - 1, max(most, item.disk_bytes), steps - 1
        disk = most - 1
    return list(unbeaten(dict.fromkeys(found)))


def unbeaten(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those that no other beats."""
    several = tuple(candidates)
    return (item for item in several if not any(beats(other, item) for other in several))


def beats(one: Candidate, other: Candidate) -> bool:
    """Whether a plan takes no more of anything, and less of something."""
    mine = one.seconds, one.peak_bytes, one.disk_bytes
    theirs = other.seconds, other.peak_bytes, other.disk_bytes
    return mine != theirs and all(less <= more for less, more in zip(mine, theirs, strict=True))
