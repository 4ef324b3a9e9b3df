"""What a script is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vistaql.frontend.ast.clauses import Evaluate, Features, From, LearnerCall, Option, Reduction, Sample, Target
from vistaql.frontend.ast.expressions import Expression, Literal, Name, Parameter, Syntax


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
    """What EXPLAIN tells of a query."""

    PLAN = "plan"
    """the chosen plan, its price, and what lost"""
    ANALYZE = "analyze"
    """the same, after running it: estimate beside actual"""
    CANDIDATES = "candidates"
    """every plan that was weighed, and every one that does not fit"""
    VERBOSE = "verbose"
    """the logical plan after each rewrite"""


class ExplainFormat(Enum):
    """How EXPLAIN prints."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True)
class Explain(Statement):
    """EXPLAIN [mode] [FORMAT text | json | html] [EXPLORE .. | EXPORT ..]; without a query: the last one."""

    query: Explore | ExportLayers | None = None
    mode: ExplainMode = ExplainMode.PLAN
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


@dataclass(frozen=True)
class Calibrate(Statement):
    """CALIBRATE: measure the machine. CALIBRATE CNN name: one network on it. CALIBRATE SPARK: Spark on it."""

    cnn: Name | None = None
    spark: bool = False


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
    CALIBRATION = "CALIBRATION"


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
