"""What each pass of a plan costs, with all that lies in memory while it runs and is learnt from."""

from __future__ import annotations

from dataclasses import dataclass, field

from vistaql.optimizer.passes import PassPrices, Tensor


@dataclass(frozen=True)
class Reading:
    """What learning from one output holds, whatever the passes are.

    `vector` are the bytes of the output, `winners` those of the best layers before it, `needs` what fits on it take.
    """

    vector: int = 0
    winners: int = 0
    needs: int = 0


@dataclass(frozen=True, eq=False)
class PassCosts:
    """Seconds and memory of the passes over one CNN, in one way to hold vectors.

    `base` are bytes held throughout, `retained` is the share of a pass's memory that TensorFlow has afterwards.
    """

    prices: PassPrices
    readings: tuple[Reading, ...]
    base: int
    retained: float
    _spans: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def from_pass(
        self, start: int, end: int, source: str | None, carried: Tensor | None, number: int
    ) -> list[tuple[int, float, int]]:
        """For each number of a tensor that can be left behind (0: none) seconds and bytes.

        What the pass takes with what it keeps, and what learning from its outputs holds meanwhile. `carried` lies
        there before it, under its number; it can stay for the next pass.
        """
        vectors, learning = self.span(start, end)
        read, resumed = (carried.read, carried.bytes) if carried else (0.0, 0)
        running = self.base + self.readings[start].winners + vectors + resumed
        learning += self.base
        found = []
        for fresh, took, needs, left in self.prices.ways(start, end, source):
            # TensorFlow keeps what the pass took, or most of it.
            during, after = needs + running, int(self.retained * needs) + learning
            found.append((fresh, took + read, max(during, after) + left))
            if number and not fresh and end < len(self.prices.outputs):
                found.append((number, took + read, max(during, after + resumed)))
        return found

    def from_store(self, start: int, end: int, carried: Tensor | None) -> tuple[float, int]:
        """What reading vectors takes that are stored."""
        vectors, learning = self.span(start, end)
        held = carried.bytes if carried else 0
        needs = self.base + held + max(self.readings[start].winners + vectors, learning)
        return self.prices.from_store(start, end), needs

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Bytes of the outputs from `start` to `end`, and the most that learning from them one by one holds."""
        found = self._spans.get((start, end))
        if found is None:
            vectors = sum(item.vector for item in self.readings[start:end])
            left, most = vectors, 0
            for reading in self.readings[start:end]:
                most = max(most, reading.winners + left + reading.needs)
                left -= reading.vector
            found = self._spans[start, end] = vectors, most
        return found
