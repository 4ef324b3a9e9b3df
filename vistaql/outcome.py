"""What a statement gives back, as values; how they look on a screen is decided elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from vistaql.small_table import SmallTable

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ScoreRow:
    """How well one learner does on one layer joined with the table, over the folds.

    `layer` is None for the table alone. `lift` is the mean difference from the row of the table alone,
    with a 95 % interval corrected for overlapping training folds (Nadeau and Bengio 2003).
    `digest` names the features: equal digests are equal bits for equal keys.
    """

    cnn: str | None
    """name of the CNN; None for the table alone"""
    layer: str | None
    """name of the layer; None for the table alone"""
    pool: str | None
    """how the layer was pooled: gap, gmp, max(h,w), avg(h,w), or none where it has no height and width"""
    learner: str
    """the learner, with the arguments that are not its defaults"""
    metric: str
    """what `mean` measures"""
    mean: float
    """the metric on rows that were not learnt from, averaged over the folds"""
    std: float
    """standard deviation of the metric over the folds; 0 for one fold"""
    folds: tuple[float, ...]
    """the metric of each fold"""
    lift: float | None
    """by how much it is better than the table alone, averaged over the folds; None for the table alone"""
    lift_low: float | None
    """lower end of the 95 % interval of `lift`; None with one fold"""
    lift_high: float | None
    """upper end of that interval"""
    width: int
    """numbers an image (columns of the table, in the row of the table alone)"""
    fit_seconds: float
    """seconds of learning, over all folds"""
    digest: str | None
    """digest of the features' bits; None for the table alone"""
    also: tuple[str, ...] = ()
    """other names of layers that pool to the same numbers"""


@dataclass(frozen=True)
class Counts:
    """What became of the images and of the rows."""

    images: int
    """images in the set"""
    decoded: int
    """images that went through the CNN"""
    bad: int
    """images that could not be decoded"""
    rows: int
    """rows of the first joined table (of the images, where no table is joined)"""
    joined: int
    """rows that were learnt from"""
    images_without_row: int
    """images whose key no row has"""
    rows_without_image: int
    """rows whose key no image has"""
    duplicates: int
    """rows left out because their key came before"""
    rows_without_label: int
    """rows left out because their label is NULL"""


@dataclass(frozen=True)
class PlanSummary:
    """The plan that ran: `strategy` is lazy, eager, staged, or hybrid; `passes` one line each."""

    strategy: str
    """lazy, eager, staged or hybrid"""
    forced: bool
    """whether SET or WITH (plan = ..) left only this strategy"""
    engine: str
    """inprocess or spark"""
    passes: tuple[str, ...]
    """the layers of each pass over the images, one line each"""
    estimated_seconds: float
    """seconds that the whole plan was expected to take"""
    peak_bytes: int
    """bytes of memory that it was expected to hold at most"""
    inference_seconds: float = 0.0
    """seconds of inference; 0 before it ran"""
    alternatives: tuple[tuple[str, float], ...] = ()
    """plans that were not taken, and their estimated seconds"""
    digest: str = ""
    """name of the plan: equal plans have equal digests"""


@dataclass(frozen=True)
class BadImage:
    """An image that could not be used, and why."""

    key: str
    path: str
    reason: str


@dataclass(frozen=True)
class Exploration:
    """The answer to EXPLORE. `rows` are in network order, the table alone last.

    `majority` is the metric of always saying the commonest class `majority_class`.
    `image_only` is the best layer without the table (None where there are no columns to leave out).
    """

    statement: str
    """the statement"""
    label: str
    """what was predicted, as it was written"""
    metric: str
    """the first metric; each row has its own"""
    rows: tuple[ScoreRow, ...]
    """an object for each metric, layer and learner; the table alone is the last of its metric"""
    majority: float
    """the metric of always saying `majority_class`"""
    majority_class: str
    """the commonest class"""
    image_only: ScoreRow | None
    """the best layer without the table's columns"""
    columns: tuple[str, ...]
    """feature columns of the tables"""
    counts: Counts
    """what became of images and rows"""
    classes: int
    """different values of the label"""
    folds: int
    """folds of cross validation; 1 for HOLDOUT and SPLIT"""
    plan: PlanSummary
    """the plan that ran"""
    seconds: float
    """seconds of the whole statement"""
    notes: tuple[str, ...] = ()
    """what the user should know: columns left out, values imputed, classes too small, random weights"""
    random_weights: tuple[str, ...] = ()
    """CNNs that have learnt nothing, so that the figures say nothing about them"""
    bad_images: tuple[BadImage, ...] = ()
    """images that could not be used; SHOW ERRORS has them, the JSON has not"""
    name: str | None = None
    """the name it is kept under"""

    def to_json(self) -> dict[str, object]:
        """Plain values for `--format json`."""
        return {key: value for key, value in asdict(self).items() if key != "bad_images"}


@dataclass(frozen=True)
class Relation:
    """Rows and columns: the answer of SELECT, SHOW, DESCRIBE."""

    found: pa.Table | SmallTable
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pa.Table:
        """The rows as a table of Arrow."""
        return self.found.to_arrow() if isinstance(self.found, SmallTable) else self.found

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return self.found.num_rows

    @property
    def names(self) -> list[str]:
        """The names of the columns; SELECT allows one twice."""
        return list(self.found.column_names)

    @property
    def numbers(self) -> list[bool]:
        """Whether each column holds numbers."""
        if isinstance(self.found, SmallTable):
            return self.found.numbers
        from pyarrow import types

        checks = (types.is_integer, types.is_floating, types.is_decimal)
        return [any(check(field.type) for check in checks) for field in self.found.schema]

    def lists(self, limit: int) -> list[list[object]]:
        """The first values of each column."""
        if isinstance(self.found, SmallTable):
            return self.found.lists(limit)
        return [column.to_pylist() for column in self.found.slice(0, limit).columns]


@dataclass(frozen=True)
class Report:
    """What a statement did, in lines for people, and the same as plain values for programs."""

    lines: tuple[str, ...]
    facts: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Explanation:
    """The answer of EXPLAIN: the rendered text, and the plan as plain values.

    `html` is a page that stands alone, where FORMAT html asked for one.
    """

    text: str
    plan: dict[str, object]
    html: str | None = None


Outcome = Exploration | Relation | Report | Explanation
