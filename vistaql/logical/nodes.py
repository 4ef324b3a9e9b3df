"""The logical operators. A query is an `Explore` or an `Export` over them.

Rows have columns called `alias.column`, so that a name is unique after any join. The images of a row
are reached through `key`, the key of the image set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from vistaql.learners import Learner
from vistaql.logical.evaluation import Dealing, Evaluation
from vistaql.models.cnn import Cnn
from vistaql.models.output import Output
from vistaql.models.pool import Pool
from vistaql.plan.node import Node
from vistaql.stores.columns import ColumnInfo
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
    """Every image of a set, and what is known about it besides its pixels.

    `columns` None: all of that, for which every file is opened, since width and height stand inside.
    """

    images: ImageSet
    alias: str
    columns: tuple[str, ...] | None = None

    @property
    def reads(self) -> tuple[ColumnInfo, ...]:
        """The columns that are read."""
        return read_of(self.images.columns, self.columns)


@dataclass(frozen=True)
class ScanTable(Node):
    """Every row of a table. Columns compared with image keys are read as text, so that '007' stays '007'.

    `columns` None: all of them.
    """

    table: Table
    alias: str
    as_text: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None

    @property
    def reads(self) -> tuple[ColumnInfo, ...]:
        """The columns that are read."""
        return read_of(self.table.columns, self.columns)


def read_of(known: tuple[ColumnInfo, ...], columns: tuple[str, ...] | None) -> tuple[ColumnInfo, ...]:
    """Some columns of a source, or all."""
    return known if columns is None else tuple(item for item in known if item.name in columns)


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

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of the joined rows that become part of a row."""
        return (*self.columns, *(self.label.columns if self.label else ()), *((self.split,) if self.split else ()))


@dataclass(frozen=True)
class Decode(Node):
    """Pixels of the size a CNN takes, of the images that have a row in any of `rows`; of all images where it is empty.

    Queries that are answered together have rows of their own.
    """

    images: ScanImages
    size: tuple[int, int]
    rows: tuple[Rows, ...] = ()


@dataclass(frozen=True)
class Infer(Node):
    """A layer's whole tensor, computed from pixels."""

    pixels: Decode
    cnn: Cnn
    layer: str


@dataclass(frozen=True)
class PoolLayer(Node):
    """A layer's tensor as a vector; `also` are other names for the same numbers."""

    tensor: Infer
    pool: Pool
    also: tuple[str, ...] = field(default=(), compare=False)

    @property
    def cnn(self) -> Cnn:
        """Whose layer it is."""
        return self.tensor.cnn

    @property
    def called(self) -> str:
        """What the query calls the CNN."""
        return self.tensor.cnn.name

    @property
    def layer(self) -> str:
        """The layer."""
        return self.tensor.layer


@dataclass(frozen=True)
class InferLayers(Node):
    """Layers of a CNN as vectors, pooled where they are computed: no tensor leaves.

    How many passes that takes is decided later.
    """

    pixels: Decode
    cnn: Cnn
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class PickLayer(Node):
    """One of the layers that are inferred; `called` is the query's name of the CNN, `also` are others of the layer.

    Where a union of CNNs is inferred, `member` is the one whose layer it is.
    """

    inference: InferLayers
    called: str
    layer: str
    pool: Pool
    also: tuple[str, ...] = field(default=(), compare=False)
    member: Cnn | None = None

    @property
    def cnn(self) -> Cnn:
        """Whose layer it is; one that has the same graph and weights under another name may stand for it."""
        return self.member or self.inference.cnn

    @property
    def output(self) -> Output:
        """What the inference calls it."""
        return Output(self.inference.cnn.inside(self.cnn, self.layer), self.pool)


Layer = PoolLayer | PickLayer


@dataclass(frozen=True)
class Reduce(Node):
    """One vector for each key, from those of its images."""

    features: Layer
    reduction: Reduction


Features = Layer | Reduce


@dataclass(frozen=True)
class Folds(Node):
    """Rows with the fold in which each is tested, and their columns as numbers: where every fit over them begins."""

    rows: Rows
    dealing: Dealing


@dataclass(frozen=True)
class Assemble(Node):
    """The matrix to learn from: columns of the rows beside a layer's features (None: the table alone).

    Rows that are not dealt yet are dealt, and their columns encoded, by whoever learns from the matrix.
    """

    rows: Rows | Folds
    features: Features | None

    @property
    def source(self) -> Rows:
        """The rows, dealt or not."""
        return self.rows.rows if isinstance(self.rows, Folds) else self.rows


@dataclass(frozen=True)
class Train(Node):
    """Fit the learners on all folds but one, judge them on that one, for each fold."""

    matrix: Assemble
    learners: tuple[Learner, ...]
    evaluation: Evaluation


@dataclass(frozen=True)
class Explore(Node):
    """Which layer serves best: trainings in network order, then the table alone.

    `best_alone`: the best layer is learnt from once more, without the columns of the table.
    """

    trainings: tuple[Train, ...]
    best_alone: bool

    @cached_property
    def answers(self) -> tuple[tuple[Train, Learner], ...]:
        """The rows of the answer: learner by learner, each on every matrix, whoever shares one."""
        learners = dict.fromkeys(learner for training in self.trainings for learner in training.learners)
        return tuple(
            (training, learner) for learner in learners for training in self.trainings if learner in training.learners
        )


@dataclass(frozen=True)
class Export(Node):
    """The features of every key as a file."""

    features: tuple[Features, ...]
    rows: Rows
    path: str


@dataclass(frozen=True)
class Together(Node):
    """Several EXPLOREs over one image set that are planned as one, so that what they share is computed once."""

    queries: tuple[Explore, ...]


Query = Explore | Export | Together


def layers_of(root: Node) -> tuple[Layer, ...]:
    """The pooled layers a query wants, in the order of the plan, each once."""
    return tuple(node for node in root.walk() if isinstance(node, PoolLayer | PickLayer))


def layer_of(features: Features) -> Layer:
    """The layer, before images of one key become one vector."""
    return features.features if isinstance(features, Reduce) else features


def rows_of(root: Node) -> Rows:
    """The rows a query learns from or exports."""
    return next(node for node in root.walk() if isinstance(node, Rows))


def images_of(root: Node) -> ScanImages:
    """The image set of a query."""
    return next(node for node in root.walk() if isinstance(node, ScanImages))
