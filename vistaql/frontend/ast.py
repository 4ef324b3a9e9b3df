"""What the text says, before anything is looked up.

Every element carries the span of text it came from. Spans take no part in equality, so that
a statement equals itself after printing and parsing again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from vistaql.errors import Span

NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class Syntax:
    """An element of the text."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# Names and literals


@dataclass(frozen=True)
class Name(Syntax):
    """An identifier as it was meant, without its quotes; names are compared ignoring case."""

    text: str


@dataclass(frozen=True)
class Expression(Syntax):
    """What has a value for a row."""


@dataclass(frozen=True)
class Literal(Expression):
    """A string, number, boolean or NULL."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Date(Expression):
    """DATE '2024-01-31'; the text between the quotes."""

    text: str


@dataclass(frozen=True)
class Quantity(Expression):
    """A size or a duration as it was written: 8GB, 90s."""

    text: str


@dataclass(frozen=True)
class Parameter(Expression):
    """:name, bound when the statement runs."""

    name: str


@dataclass(frozen=True)
class Column(Expression):
    """price, or products.price; the last part names the column."""

    parts: tuple[Name, ...]


class Operator(Enum):
    """Infix operators, by their spelling."""

    OR = "OR"
    AND = "AND"
    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MODULO = "%"


@dataclass(frozen=True)
class Binary(Expression):
    """Two values under an operator; `a OR b OR c` nests to the left."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Not(Expression):
    """NOT operand."""

    operand: Expression


@dataclass(frozen=True)
class Negative(Expression):
    """-operand, where the operand is not a number literal (that is a negative Literal)."""

    operand: Expression


@dataclass(frozen=True)
class IsNull(Expression):
    """operand IS [NOT] NULL."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True)
class In(Expression):
    """operand [NOT] IN (values)."""

    operand: Expression
    values: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True)
class Like(Expression):
    """operand [NOT] LIKE | ILIKE pattern."""

    operand: Expression
    pattern: Expression
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True)
class Between(Expression):
    """operand [NOT] BETWEEN low AND high."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True)
class Call(Expression):
    """function(arguments), such as lower(brand)."""

    function: Name
    arguments: tuple[Expression, ...]


# Pieces of statements


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
    excluded: tuple[Name, ...] = ()


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


# Statements


@dataclass(frozen=True)
class Statement(Syntax):
    """Something to do."""


@dataclass(frozen=True)
class Explore(Statement):
    """Which layer serves best? Clauses come in any order in the text, and in this order here."""

    targets: tuple[Target, ...]
    relation: From
    where: Expression | None = None
    sample: Sample | None = None
    features: Features | None = None
    label: Expression | None = None
    learners: tuple[LearnerCall, ...] = ()
    evaluate: Evaluate | None = None
    per_key: Reduction | None = None
    into: Name | Literal | Parameter | None = None
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class ExportLayers(Statement):
    """EXPORT targets FROM .. [WHERE ..] [SAMPLE ..] TO 'file.parquet': the plan without training."""

    targets: tuple[Target, ...]
    relation: From
    path: Literal | Parameter
    where: Expression | None = None
    sample: Sample | None = None
    per_key: Reduction | None = None
    options: tuple[Option, ...] = ()


class ExplainMode(Enum):
    """How much EXPLAIN tells. Later modes come with the optimizer that serves them."""

    PLAN = "PLAN"


class ExplainFormat(Enum):
    """How EXPLAIN prints."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Explain(Statement):
    """EXPLAIN [FORMAT text | json] [EXPLORE .. | EXPORT ..]; without a query: the last one."""

    query: Explore | ExportLayers | None = None
    format: ExplainFormat = ExplainFormat.TEXT


@dataclass(frozen=True)
class RawSql(Syntax):
    """SQL handed to the relational engine as it stands; starts with SELECT, WITH or SUMMARIZE."""

    text: str


@dataclass(frozen=True)
class Select(Statement):
    """SELECT .., WITH .., SUMMARIZE ..: read-only, over tables, image sets and results."""

    sql: RawSql


@dataclass(frozen=True)
class CreateTable(Statement):
    """CREATE TABLE .. FROM 'path' | AS SELECT .. ."""

    name: Name
    source: Literal | Parameter | RawSql
    format: Name | None = None
    key: tuple[Name, ...] = ()
    label: Name | None = None
    options: tuple[Option, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False


class KeyKind(Enum):
    """Where the key of an image comes from."""

    STEM = "STEM"
    PATH = "PATH"
    REGEX = "REGEX"
    COLUMN = "COLUMN"


@dataclass(frozen=True)
class KeyFrom(Syntax):
    """KEY FROM STEM | PATH | REGEX 'pattern' | COLUMN name."""

    kind: KeyKind
    argument: Literal | Parameter | Name | None = None


@dataclass(frozen=True)
class TableColumnSource(Syntax):
    """FROM products COLUMN image_file [IN 'photos/']: a table's column names the files."""

    table: Name
    column: Name
    folder: Literal | Parameter | None = None


@dataclass(frozen=True)
class CreateImages(Statement):
    """CREATE IMAGES .. FROM 'folder | glob | manifest | parquet' | table COLUMN column."""

    name: Name
    source: Literal | Parameter | TableColumnSource
    key: KeyFrom | None = None
    label_from_folder: bool = False
    options: tuple[Option, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class WeightsFile(Syntax):
    """WEIGHTS 'file'."""

    path: Literal | Parameter


@dataclass(frozen=True)
class WeightsRandom(Syntax):
    """WEIGHTS RANDOM [(SEED = n)]."""

    seed: int = 0


@dataclass(frozen=True)
class RegisterCnn(Statement):
    """REGISTER CNN name FROM keras 'MobileNet' | file 'net.keras' | 'net.keras' | roster_name."""

    name: Name
    builder: Name | None = None
    source: Literal | Parameter | None = None
    weights: WeightsFile | WeightsRandom | None = None
    options: tuple[Option, ...] = ()
    or_replace: bool = False


class ObjectKind(Enum):
    """What the catalog keeps by name."""

    TABLE = "TABLE"
    IMAGES = "IMAGES"
    CNN = "CNN"
    RESULT = "RESULT"


@dataclass(frozen=True)
class Drop(Statement):
    """DROP kind [IF EXISTS] name."""

    kind: ObjectKind
    name: Name
    if_exists: bool = False


class Listing(Enum):
    """What SHOW lists."""

    TABLES = "TABLES"
    IMAGES = "IMAGES"
    CNNS = "CNNS"
    RESULTS = "RESULTS"
    LEARNERS = "LEARNERS"
    METRICS = "METRICS"
    SETTINGS = "SETTINGS"


@dataclass(frozen=True)
class Show(Statement):
    """SHOW TABLES and its like."""

    listing: Listing


@dataclass(frozen=True)
class ShowLayers(Statement):
    """SHOW [ALL] LAYERS OF cnn: the exploration points, or everything."""

    cnn: Name
    all_layers: bool = False


@dataclass(frozen=True)
class ShowCreate(Statement):
    """SHOW CREATE kind name: the statement that makes the object."""

    kind: ObjectKind
    name: Name


@dataclass(frozen=True)
class ShowErrors(Statement):
    """SHOW ERRORS [OF images]: bad images of that image set, or of the last statement."""

    images: Name | None = None


@dataclass(frozen=True)
class Describe(Statement):
    """DESCRIBE [kind] name."""

    kind: ObjectKind | None
    name: Name


@dataclass(frozen=True)
class SetOption(Statement):
    """SET name = value, for the session."""

    option: Option


@dataclass(frozen=True)
class Reset(Statement):
    """RESET name | ALL; None: all."""

    key: tuple[Name, ...] | None = None


@dataclass(frozen=True)
class SourceScript(Statement):
    """SOURCE 'file.vql': run a script here."""

    path: Literal | Parameter


@dataclass(frozen=True)
class Help(Statement):
    """HELP [topic]."""

    topic: tuple[Name, ...]


@dataclass(frozen=True)
class Script(Syntax):
    """Statements in the order of the text."""

    statements: tuple[Statement, ...]
