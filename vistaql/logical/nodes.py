"""The logical operators. A query is an `Explore` or an `Export` over them.

Rows have columns called `alias.column`, so that a name is unique after any join. The images of a row
are reached through `key`, the key of the image set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from vistaql.learners import Learner
from vistaql.models.cnn import Cnn
from vistaql.models.pool import Pool
from vistaql.plan.node import Node
from vistaql.stores.image_set import ImageSet
from vistaql.stores.tables import Table


@dataclass(frozen=True)
class Predicate:
    """A bound expression: SQL over `"alias.column"` names, the columns it reads, and the words of the user.

    Equal meaning is equal, whatever the words and their place.
    """

    sql: str
    columns: tuple[str, ...]
    words: str = field(compare=False)
    span: tuple[int, int] = field(default=(0, 0), compare=False)

    def __str__(self) -> str:
        return self.words

    @property
    def digest(self) -> str:
        """The meaning only: neither the words nor their place."""
        return self.sql


@dataclass(frozen=True)
class ScanImages(Node):
    """Every image of a set: key, path, folder, bytes, and width and height where they are named."""

    images: ImageSet
    alias: str


@dataclass(frozen=True)
class ScanTable(Node):
    """Every row of a table. Columns compared with image keys are read as text, so that '007' stays '007'."""

    table: Table
    alias: str
    as_text: tuple[str, ...] = ()


class JoinKind(Enum):
    """What happens to images without a row."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True)
class Join(Node):
    """Rows of the right side with equal keys, or under a condition."""

    left: Node
    right: ScanTable
    kind: JoinKind
    condition: Predicate


@dataclass(frozen=True)
class Filter(Node):
    """Rows for which the predicate holds."""

    rows: Node
    predicate: Predicate


@dataclass(frozen=True)
class Sample(Node):
    """Rows with the smallest key hashes: the same in every order and engine, and nested.

    `amount` counts rows, or hundredths of them.
    """

    rows: Node
    amount: float
    percent: bool
    seed: int


class Reduction(Enum):
    """How the features of several images with one key become one vector."""

    MEAN = "mean"
    MAX = "max"
    FIRST = "first"


@dataclass(frozen=True)
class Rows(Node):
    """What is learnt from: one row for each key, with feature columns, the label, and where the row is tested."""

    rows: Node
    columns: tuple[str, ...]
    label: Predicate | None = None
    split: str | None = None


@dataclass(frozen=True)
class Decode(Node):
    """Pixels of the size the CNN takes, of all images, or of those that have a row."""

    images: ScanImages
    size: tuple[int, int]
    rows: Rows | None = None


@dataclass(frozen=True)
class Infer(Node):
    """A layer's tensor, computed from pixels or from the tensor of an earlier layer."""

    source: Node
    cnn: Cnn
    layer: str


@dataclass(frozen=True)
class PoolLayer(Node):
    """A layer's tensor as a vector; `also` are other names for the same numbers."""

    tensor: Infer
    pool: Pool
    also: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Reduce(Node):
    """One vector for each key, from those of its images."""

    features: PoolLayer
    reduction: Reduction


@dataclass(frozen=True)
class Assemble(Node):
    """The matrix to learn from: columns of the rows beside a layer's features (None: the table alone)."""

    rows: Rows
    features: PoolLayer | Reduce | None


class Splitting(Enum):
    """How rows are kept back for testing."""

    FOLDS = "folds"
    HOLDOUT = "holdout"
    COLUMN = "column"


@dataclass(frozen=True)
class Evaluation:
    """How a learner is judged: the first metric orders the layers."""

    metrics: tuple[str, ...]
    splitting: Splitting
    folds: int = 5
    fraction: float = 0.2

    @cached_property
    def digest(self) -> str:
        """All of it, told once: every training of every plan that is weighed has one."""
        return repr(self)

    def __str__(self) -> str:
        how = {
            Splitting.FOLDS: f"{self.folds} folds",
            Splitting.HOLDOUT: f"holdout {self.fraction:g}",
            Splitting.COLUMN: "split column",
        }
        return f"{', '.join(self.metrics)} by {how[self.splitting]}"


@dataclass(frozen=True)
class Train(Node):
    """Fit the learner on all folds but one, judge it on that one, for each fold."""

    matrix: Assemble
    learner: Learner
    evaluation: Evaluation


@dataclass(frozen=True)
class Explore(Node):
    """Which layer serves best: trainings in network order, then the table alone, for each learner.

    `best_alone`: the best layer is learnt from once more, without the columns of the table.
    """

    trainings: tuple[Train, ...]
    best_alone: bool


@dataclass(frozen=True)
class Export(Node):
    """The features of every key as a file."""

    features: tuple[Node, ...]
    rows: Rows
    path: str


@dataclass(frozen=True)
class Together(Node):
    """Several EXPLOREs over one image set that are planned as one, so that what they share is computed once."""

    queries: tuple[Explore, ...]


Query = Explore | Export | Together


def layers_of(root: Node) -> tuple[PoolLayer, ...]:
    """The pooled layers a query wants, in the order of the plan, each once."""
    return tuple(node for node in root.walk() if isinstance(node, PoolLayer))


def rows_of(root: Node) -> Rows:
    """The rows a query learns from or exports."""
    return next(node for node in root.walk() if isinstance(node, Rows))


def images_of(root: Node) -> ScanImages:
    """The image set of a query."""
    return next(node for node in root.walk() if isinstance(node, ScanImages))
