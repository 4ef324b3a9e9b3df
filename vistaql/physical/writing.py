"""Features as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistaql.physical.engine import Engine
from vistaql.physical.infer import PickFeatures
from vistaql.physical.operator import FLOAT32, Operator
from vistaql.physical.reading import ReadRows
from vistaql.physical.resources import Resources
from vistaql.physical.sizes import Sizes


@dataclass(frozen=True)
class WriteFeatures(Operator):
    """The features of every key as a Parquet file."""

    rows: ReadRows
    features: tuple[PickFeatures, ...]
    names: tuple[str, ...]
    path: str

    def size(self, sizes: Sizes) -> int:  # noqa: ARG002 - a number
        """The count of rows only."""
        return 0

    def resources(self, sizes: Sizes) -> Resources:
        """Writing the file."""
        return Resources(spilled_bytes=float(sum(item.size(sizes) for item in self.features)))

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - batches
        """A batch of the widest row."""
        return 64 * FLOAT32 * sum(item.width for item in self.features)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """How many rows were written."""
        return engine.export(inputs[0], inputs[1:], self.names, self.path)
