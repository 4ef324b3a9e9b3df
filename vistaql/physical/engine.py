"""The verbs in which every physical operator runs. An engine implements them once; operators are written once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from vistaql.learners import Learner
    from vistaql.logical.evaluation import Evaluation
    from vistaql.logical.nodes import Reduction, Rows, ScanImages
    from vistaql.outcome import BadImage
    from vistaql.physical.inference import Output, Pass


class Storage(Enum):
    """Where tensors kept between passes lie."""

    MEMORY = "memory"
    DISK = "disk"


# What passes between operators is the engine's own, and opaque to them.
ImageSource = Any
"""images that can be read more than once, in one order"""
PassResult = Any
"""what a pass gave, until it is dropped"""
Kept = Any
"""a tensor of every image, kept for a later pass, with `drop()`"""
RowSet = Any
"""rows to learn from, already joined, filtered and sampled"""
FeatureSet = Any
"""one vector for each key"""


@dataclass(frozen=True)
class Extent:
    """How much a value is: rows or images, and bytes, wherever they lie."""

    rows: int
    bytes: int


@runtime_checkable
class Measured(Protocol):
    """A value of an engine that knows its extent; EXPLAIN ANALYZE puts it beside the estimate."""

    @property
    def extent(self) -> Extent:
        """Rows and bytes, told without computing anything."""


@dataclass(frozen=True)
class FitResult:
    """Scores of one training: for each metric one number a fold."""

    scores: tuple[tuple[str, tuple[float, ...]], ...]
    width: int
    fit_seconds: float
    digest: str | None
    converged: bool = True


class Engine(Protocol):
    """What runs plans: in this process, or elsewhere."""

    def rows(self, rows: Rows) -> RowSet:
        """Run scans, joins, filter and sample; the same call again gives the same rows without work."""

    def either(self, rows: tuple[RowSet, ...]) -> RowSet:
        """The keys that any of the rows have, to read images by."""

    def images(self, images: ScanImages, rows: RowSet | None) -> ImageSource:
        """The images of a set, only those that have a row where rows are given."""

    def infer(self, source: ImageSource | Kept, pass_: Pass, storage: Storage) -> PassResult:
        """Run a pass over all images."""

    def kept(self, result: PassResult, layer: str) -> Kept:
        """The tensor a pass kept."""

    def features(self, result: PassResult, output: Output, reduction: Reduction | None) -> FeatureSet:
        """The vectors of one output of a pass."""

    def fit(
        self, rows: RowSet, features: FeatureSet | None, learner: Learner, evaluation: Evaluation, *, with_columns: bool
    ) -> FitResult:
        """Judge a learner on the features and the columns of the rows."""

    def export(self, rows: RowSet, features: tuple[FeatureSet, ...], names: tuple[str, ...], path: str) -> int:
        """Write the key and one list of float32 for each output to a Parquet file; the number of rows."""

    def bad_images(self) -> tuple[BadImage, ...]:
        """Images that could not be decoded in this run, each once."""
