"""Rows and images: what a plan reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistaql.logical.nodes import Rows, ScanImages
from vistaql.physical.engine import Engine
from vistaql.physical.operator import Operator
from vistaql.physical.resources import NOTHING, Resources
from vistaql.physical.sizes import Sizes
from vistaql.plan.node import Node


@dataclass(frozen=True)
class ReadRows(Operator):
    """Scan the tables, join, filter, sample: everything that needs no image."""

    rows: Rows

    @property
    def inputs(self) -> tuple[Node, ...]:
        """None: the logical rows are what it does, not what it reads."""
        return ()

    def size(self, sizes: Sizes) -> int:
        """Rows of eight-byte values."""
        return sizes.rows * (len(self.rows.columns) + 2) * 8

    def resources(self, sizes: Sizes) -> Resources:
        """Reading the tables once, and what a query of any size takes."""
        return Resources(read_bytes=sizes.table_bytes, queries=1.0)

    def memory(self, sizes: Sizes) -> int:
        """A hash table as large as the rows."""
        return self.size(sizes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:  # noqa: ARG002 - reads nothing
        """Rows, joined and filtered."""
        return engine.rows(self.rows)


@dataclass(frozen=True)
class EitherRows(Operator):
    """What rows of several queries have in common with images: the keys that any of them has."""

    rows: tuple[ReadRows, ...]

    def size(self, sizes: Sizes) -> int:
        """A key for each row."""
        return sizes.rows * 8

    def resources(self, sizes: Sizes) -> Resources:  # noqa: ARG002 - microseconds
        """Nothing."""
        return NOTHING

    def memory(self, sizes: Sizes) -> int:
        """The same once more."""
        return self.size(sizes)

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The keys."""
        return engine.either(inputs)


@dataclass(frozen=True)
class ReadImages(Operator):
    """Stream the image files; `rows`: only the images that have a row there (a semi-join before inference)."""

    images: ScanImages
    rows: ReadRows | EitherRows | None

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The rows, where they filter."""
        return () if self.rows is None else (self.rows,)

    def count(self, sizes: Sizes) -> int:
        """Images that are read."""
        return sizes.all_images if self.rows is None else sizes.images

    def size(self, sizes: Sizes) -> int:
        """Keys and paths; the files are streamed."""
        return self.count(sizes) * 200

    def resources(self, sizes: Sizes) -> Resources:
        """Listing the files, and loading TensorFlow, which whoever reads images needs; each pass reads the files."""
        return Resources(libraries=1.0, listed_images=float(sizes.all_images))

    def memory(self, sizes: Sizes) -> int:  # noqa: ARG002 - nothing but the result
        """Nothing besides the list."""
        return 0

    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The source of the passes."""
        return engine.images(self.images, inputs[0] if inputs else None)
