"""What a statement gives back, as values; how they look on a screen is decided elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

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
    layer: str | None
    pool: str | None
    learner: str
    metric: str
    mean: float
    std: float
    folds: tuple[float, ...]
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    width: int
    """numbers an image (columns of the table, in the row of the table alone)"""
    fit_seconds: float
    digest: str | None
    also: tuple[str, ...] = ()
    """Other names of layers that pool to the same numbers."""


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
    rows_without_image: int
    duplicates: int
    """rows left out because their key came before"""
    rows_without_label: int


@dataclass(frozen=True)
class PlanSummary:
    """The plan that ran: `strategy` is lazy, eager, staged, or hybrid; `passes` one line each."""

    strategy: str
    forced: bool
    engine: str
    passes: tuple[str, ...]
    estimated_seconds: float
    peak_bytes: int
    inference_seconds: float = 0.0
    """what inference took; 0 before it ran"""
    alternatives: tuple[tuple[str, float], ...] = ()
    """plans that were not taken, and their estimated seconds"""
    digest: str = ""


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
    label: str
    metric: str
    rows: tuple[ScoreRow, ...]
    majority: float
    majority_class: str
    image_only: ScoreRow | None
    columns: tuple[str, ...]
    """feature columns of the tables"""
    counts: Counts
    classes: int
    folds: int
    plan: PlanSummary
    seconds: float
    notes: tuple[str, ...] = ()
    """what the user should know: columns left out, values imputed, classes too small, random weights"""
    random_weights: tuple[str, ...] = ()
    """CNNs that have learnt nothing, so that the figures say nothing about them"""
    bad_images: tuple[BadImage, ...] = ()
    name: str | None = None
    """the name it is kept under"""

    def to_json(self) -> dict[str, object]:
        """Plain values for `--format json`."""
        return {key: value for key, value in asdict(self).items() if key != "bad_images"}


@dataclass(frozen=True)
class Relation:
    """Rows and columns: the answer of SELECT, SHOW, DESCRIBE."""

    table: pa.Table
    title: str = ""
    notes: tuple[str, ...] = ()


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
