"""Pieces of statements."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vistaql.frontend.ast.expressions import Column, Expression, Literal, Name, Parameter, Syntax


@dataclass(frozen=True)
class Option(Syntax):
    """key = value, in WITH (..), in a learner's arguments, or after SET. A bare word is a Column of one part."""

    key: tuple[Name, ...]
    value: Expression


@dataclass(frozen=True)
class PoolSpec(Syntax):
    """POOL gap | gmp | max(h, w) | avg(h, w) | none."""

    name: Name
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class LayerChoice(Syntax):
    """Which layers of a CNN."""


@dataclass(frozen=True)
class NamedLayer(Syntax):
    """A layer with its own pooling."""

    name: Name
    pool: PoolSpec | None = None


@dataclass(frozen=True)
class NamedLayers(LayerChoice):
    """LAYERS a, b POOL max(2,2), c."""

    layers: tuple[NamedLayer, ...]


@dataclass(frozen=True)
class AllPoints(LayerChoice):
    """LAYERS *, ALL LAYERS, or nothing before the CNN: its exploration points."""


@dataclass(frozen=True)
class LastPoints(LayerChoice):
    """LAST n LAYERS, LAST LAYER: the last of the exploration points."""

    count: int


@dataclass(frozen=True)
class LayersLike(LayerChoice):
    """LAYERS LIKE 'conv5_%' over all layers and aliases of the CNN."""

    pattern: Expression
    pool: PoolSpec | None = None


@dataclass(frozen=True)
class Target(Syntax):
    """Layers OF a CNN."""

    layers: LayerChoice
    cnn: Name


@dataclass(frozen=True)
class TableRef(Syntax):
    """A table or an image set by name, or by a quoted path; `alias` from AS."""

    source: Name | Literal | Parameter
    alias: Name | None = None


class JoinKind(Enum):
    """What happens to images without a row."""

    INNER = "INNER"
    LEFT = "LEFT"


@dataclass(frozen=True)
class Join(Syntax):
    """[INNER | LEFT [OUTER]] JOIN right [USING (..) | ON expression]; neither: the declared keys."""

    kind: JoinKind
    right: TableRef
    using: tuple[Name, ...] = ()
    condition: Expression | None = None


@dataclass(frozen=True)
class From(Syntax):
    """FROM (or ON) images [JOIN ..]."""

    images: TableRef
    joins: tuple[Join, ...]


class SampleUnit(Enum):
    """What the number of a sample counts."""

    ROWS = "ROWS"
    PERCENT = "PERCENT"


@dataclass(frozen=True)
class Sample(Syntax):
    """SAMPLE n [PERCENT], or TABLESAMPLE (n unit) [REPEATABLE (seed)]."""

    amount: Expression
    unit: SampleUnit = SampleUnit.ROWS
    seed: int = 0


@dataclass(frozen=True)
class Features(Syntax):
    """Which columns of the tables join the image features; `columns` None: all but `excluded`; (): NONE."""

    columns: tuple[Column, ...] | None
    excluded: tuple[Column, ...] = ()


@dataclass(frozen=True)
class LearnerCall(Syntax):
    """A learner with its arguments."""

    name: Name
    arguments: tuple[Option, ...]


@dataclass(frozen=True)
class CrossValidation(Syntax):
    """USING CROSS VALIDATION (folds)."""

    folds: int


@dataclass(frozen=True)
class Holdout(Syntax):
    """USING HOLDOUT (fraction)."""

    fraction: float


@dataclass(frozen=True)
class SplitColumn(Syntax):
    """USING SPLIT column: its values train and test (or validation) say where a row goes."""

    column: Column


@dataclass(frozen=True)
class Evaluate(Syntax):
    """EVALUATE metrics [USING ..]."""

    metrics: tuple[Name, ...]
    split: CrossValidation | Holdout | SplitColumn | None = None


class Reduction(Enum):
    """How the features of several images with one key become one."""

    MEAN = "mean"
    MAX = "max"
    FIRST = "first"
