"""A plan that runs, in numbers: what is done of each part, how fast, and the time that is left.

The time left begins as the estimate of the cost model and is corrected by what is measured: within a part by
counting the estimate as a twentieth of the pieces, between parts by the ratio of measured to estimated seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vistaql.progress import Part

PRIOR = 0.05
"""the weight of the estimate, as a share of the pieces of a part"""
NEARLY = 0.95
"""how far a piece can seem to be that takes longer than expected"""


@dataclass
class PartWatch:
    """One part: pieces done, seconds of work on it, and since when it is worked on (None: it is not)."""

    part: Part
    done: int = 0
    spent: float = 0.0
    since: float | None = None
    counted_at: float = 0.0

    def elapsed(self, now: float) -> float:
        """Seconds of work on it so far."""
        return self.spent + (0.0 if self.since is None else now - self.since)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.since is None and self.done >= self.part.total

    def piece_seconds(self, correction: float) -> float:
        """Seconds a piece takes, from the estimate and what was measured."""
        total = max(self.part.total, 1)
        expected = correction * self.part.seconds / total
        weight = max(1.0, PRIOR * total)
        return (expected * weight + self.counted_at) / (weight + self.done)

    def left(self, now: float, correction: float) -> float:
        """Seconds until it is done."""
        if self.over:
            return 0.0
        piece = self.piece_seconds(correction)
        begun = min(self.elapsed(now) - self.counted_at, NEARLY * piece) if self.since is not None else 0.0
        return max((self.part.total - self.done) * piece - begun, 0.0)

    def share(self, now: float, correction: float) -> float:
        """How much of it is done, from 0 to 1; a long piece counts while it is worked on."""
        if self.over:
            return 1.0
        elapsed, left = self.elapsed(now), self.left(now, correction)
        return elapsed / (elapsed + left) if elapsed + left > 0 else 0.0


@dataclass
class PlanWatch:
    """All parts of a plan, and the one that is worked on."""

    parts: list[PartWatch]
    limit_bytes: int
    clock: Callable[[], float]
    current: PartWatch | None = field(default=None, repr=False)

    @classmethod
    def of(cls, parts: tuple[Part, ...], limit_bytes: int, clock: Callable[[], float]) -> PlanWatch:
        """Begin to watch."""
        return cls([PartWatch(part) for part in parts], limit_bytes, clock)

    def start(self, name: str) -> bool:
        """Work on a part begins; whether the plan has such a part."""
        found = next((item for item in self.parts if item.part.name == name and not item.over), None)
        if found is not None:
            self.current = found
            found.since = self.clock()
        return found is not None

    def advance(self, count: int) -> None:
        """Pieces of the part at work are done."""
        if self.current is not None:
            self.current.done += count
            self.current.counted_at = self.current.elapsed(self.clock())

    def finish(self) -> PartWatch | None:
        """Work on the part is over for now; gives it."""
        found, self.current = self.current, None
        if found is not None:
            found.spent, found.since = found.elapsed(self.clock()), None
        return found

    @property
    def correction(self) -> float:
        """Measured over estimated seconds of the pieces that are done, the estimate itself counting a little.

        What has no pieces, such as loading a library, says nothing about the rest.
        """
        counted = [item for item in self.parts if item.part.unit]
        measured = sum(item.counted_at for item in counted)
        estimated = sum(item.part.seconds * item.done / item.part.total for item in counted if item.part.total)
        whole = sum(item.part.seconds for item in counted) or 1.0
        return (measured + PRIOR * whole) / (estimated + PRIOR * whole)

    def left(self) -> float:
        """Seconds until everything is done."""
        now, correction = self.clock(), self.correction
        return sum(item.left(now, correction) for item in self.parts)
