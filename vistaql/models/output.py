"""What a CNN is asked for: a layer, and how it becomes a vector."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.models.pool import GAP, WHOLE, Pool


@dataclass(frozen=True)
class Output:
    """A pooled layer: one vector an image."""

    layer: str
    pool: Pool

    @property
    def digest(self) -> str:
        """What it is, in a form that is cheap to make."""
        return self.column

    @property
    def column(self) -> str:
        """The name of its column in Arrow batches."""
        return f"{self.layer}|{self.pool}"

    def __str__(self) -> str:
        return self.layer if self.pool in (GAP, WHOLE) else f"{self.layer} {self.pool}"
