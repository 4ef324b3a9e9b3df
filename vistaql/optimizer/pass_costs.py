"""What each pass of a plan costs, with all that lies in memory and on disk while it runs and is learnt from."""

from __future__ import annotations

from dataclasses import dataclass, field

from vistaql.optimizer.passes import PassPrices, Tensor


@dataclass(frozen=True)
class Reading:
    """What learning from one output holds, whatever the passes are.

    `vector` are the bytes of the output, `winners` those of the best layers before it, `needs` what fits on it take.
    `spilled` are the bytes of the output on disk, `spilled_before` those of earlier outputs that lie there beside it.
    """

    vector: int = 0
    winners: int = 0
    needs: int = 0
    spilled: int = 0
    spilled_before: int = 0


@dataclass(frozen=True, eq=False)
class PassCosts:
    """Seconds and memory of the passes over one CNN, in one way to hold vectors.

    `base` are bytes held throughout, `retained` is the share of a pass's memory that TensorFlow has afterwards.
    """

    prices: PassPrices
    readings: tuple[Reading, ...]
    base: int
    retained: float
    _spans: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)

    def from_pass(
        self, start: int, end: int, source: str | None, carried: Tensor | None, number: int
    ) -> list[tuple[int, float, int, int]]:
        """For each number of a tensor that can be left behind (0: none) seconds, bytes of memory, and bytes on disk.

        What the pass takes with what it keeps, and what learning from its outputs holds meanwhile. `carried` lies
        there before it, under its number; it can stay for the next pass.
        """
        vectors, learning, spilled = self.span(start, end)
        read, resumed, lying = (carried.read, carried.bytes, carried.spilled) if carried else (0.0, 0, 0)
        lying += self.readings[start].spilled_before + spilled
        running = self.base + self.readings[start].winners + vectors + resumed
        learning += self.base
        found = []
        for fresh, took, needs, left, written in self.prices.ways(start, end, source):
            # TensorFlow keeps what the pass took, or most of it.
            during, after = needs + running, int(self.retained * needs) + learning
            found.append((fresh, took + read, max(during, after) + left, lying + written))
            if number and not fresh and end < len(self.prices.outputs):
                found.append((number, took + read, max(during, after + resumed), lying))
        return found

    def from_store(self, start: int, end: int, carried: Tensor | None) -> tuple[float, int, int]:
        """What reading vectors takes that are stored."""
        vectors, learning, spilled = self.span(start, end)
        held, lying = (carried.bytes, carried.spilled) if carried else (0, 0)
        needs = self.base + held + max(self.readings[start].winners + vectors, learning)
        return self.prices.from_store(start, end), needs, lying + self.readings[start].spilled_before + spilled

    def span(self, start: int, end: int) -> tuple[int, int, int]:
        """Bytes of the outputs from `start` to `end`, the most that learning from them holds, and bytes on disk."""
        found = self._spans.get((start, end))
        if found is None:
            vectors = sum(item.vector for item in self.readings[start:end])
            left, most = vectors, 0
            for reading in self.readings[start:end]:
                most = max(most, reading.winners + left + reading.needs)
                left -= reading.vector
            found = self._spans[start, end] = vectors, most, sum(item.spilled for item in self.readings[start:end])
        return found
