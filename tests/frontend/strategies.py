"""Statements drawn at random, as ASTs."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st

from vistaql.frontend import ast
from vistaql.frontend.to_ast import LARGEST_INTEGER

KEYWORDS = (
    "all and as between calibrate case column create cross date describe drop evaluate except exists explain "
    "explore export false features first folder format from help if ilike images in inner into is join key label "
    "last layer layers left like max none not null of on or order per percent pool predict random reset result "
    "rows sample select set show source split stem summarize table to train true using validation weights where "
    "with"
).split()
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NAME_TEXT = st.one_of(
    st.sampled_from(
        ["fc6", "vgg16", "sku", "_", "x1", "block/add:0", 'odd "name"', "größe", "\u017fet", "liKe", "1st", "a b"]
    ),
    st.sampled_from(KEYWORDS),
    st.sampled_from(KEYWORDS).map(str.upper),
    TEXT.filter(bool),
)
NAMES = NAME_TEXT.map(ast.Name)
STRINGS = st.one_of(st.sampled_from(["photos/", "it's", "a;b", "-- c", "/*", "p.csv"]), TEXT).map(ast.Literal)
PARAMETERS = st.sampled_from(["path", "from", "größe", "_1"]).map(ast.Parameter)
PATHS = st.one_of(STRINGS, PARAMETERS)
COUNTS = st.integers(0, LARGEST_INTEGER)
POSITIVE = st.one_of(COUNTS, st.floats(0, allow_nan=False, allow_infinity=False)).map(ast.Literal)
NUMBERS = st.one_of(
    st.integers(-LARGEST_INTEGER, LARGEST_INTEGER), st.floats(allow_nan=False, allow_infinity=False)
).map(ast.Literal)
CONSTANTS = st.sampled_from([True, False, None]).map(ast.Literal)
QUANTITIES = st.sampled_from(["8GB", "1.5MiB", "90s", "5min", "0ms", "3H", "7b"]).map(ast.Quantity)
LITERALS = st.one_of(STRINGS, NUMBERS, CONSTANTS, QUANTITIES, PARAMETERS)
COLUMNS = st.lists(NAMES, min_size=1, max_size=3).map(tuple).map(ast.Column)
WORDS = NAMES.map(lambda name: ast.Column((name,)))
VALUES = st.one_of(LITERALS, WORDS)


def tuples(elements: st.SearchStrategy, least: int = 0, most: int = 3) -> st.SearchStrategy:
    return st.lists(elements, min_size=least, max_size=most).map(tuple)


def maybe(elements: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.none(), elements)


def is_positive_number(node: ast.Expression) -> bool:
    """-5 is a literal, so that the negative of 5 does not occur."""
    match node:
        case ast.Literal(bool()):
            return False
        case ast.Literal(int() | float() as value):
            return not str(value).startswith("-")
    return False


def larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    flags = st.booleans()
    return st.one_of(
        st.builds(ast.Binary, st.sampled_from(ast.Operator), inner, inner),
        st.builds(ast.Not, inner),
        st.builds(ast.Negative, inner.filter(lambda node: not is_positive_number(node))),
        st.builds(ast.IsNull, inner, flags),
        st.builds(ast.In, inner, tuples(inner, 1), flags),
        st.builds(ast.Like, inner, PATHS, flags, flags),
        st.builds(ast.Between, inner, inner, inner, flags),
        st.builds(ast.Call, NAMES, tuples(inner)),
    )


DATES = st.one_of(st.just("2024-01-31"), TEXT).map(ast.Date)
EXPRESSIONS = st.recursive(st.one_of(LITERALS, DATES, COLUMNS), larger, max_leaves=6)

OPTIONS = st.builds(ast.Option, tuples(NAMES, 1), VALUES)
POOLS = st.builds(ast.PoolSpec, NAMES, tuples(VALUES))


LAYERS = st.one_of(
    st.just(ast.AllPoints()),
    COUNTS.map(ast.LastPoints),
    st.builds(ast.LayersLike, PATHS, maybe(POOLS)),
    tuples(st.builds(ast.NamedLayer, NAMES, maybe(POOLS)), 1).map(ast.NamedLayers),
)
TARGETS = tuples(st.builds(ast.Target, LAYERS, NAMES), 1)
TABLES = st.builds(ast.TableRef, st.one_of(NAMES, PATHS), maybe(NAMES))
KINDS = st.sampled_from(ast.JoinKind)
JOINS = st.one_of(
    st.builds(ast.Join, KINDS, TABLES, tuples(NAMES)),
    st.builds(ast.Join, KINDS, TABLES, condition=EXPRESSIONS),
)
RELATIONS = st.builds(ast.From, TABLES, tuples(JOINS))
SAMPLES = st.builds(ast.Sample, st.one_of(POSITIVE, PARAMETERS), st.sampled_from(ast.SampleUnit), COUNTS)
FEATURES = st.one_of(
    st.builds(ast.Features, st.none(), tuples(COLUMNS)),
    st.builds(ast.Features, tuples(COLUMNS)),
)
LEARNERS = tuples(st.builds(ast.LearnerCall, NAMES, tuples(OPTIONS)))
SPLITS = st.one_of(
    COUNTS.map(ast.CrossValidation),
    st.floats(0, 1).map(ast.Holdout),
    COLUMNS.map(ast.SplitColumn),
)
EVALUATIONS = st.builds(ast.Evaluate, tuples(NAMES, 1), maybe(SPLITS))
REDUCTIONS = maybe(st.sampled_from(ast.Reduction))
SQL = tuples(
    st.sampled_from(
        ["a", "1", "'x;y'", "'it''s'", '"q;"', "/* c ; ' */", "-- line ; '\n", "+", "-", "/", "(", ")", "from"]
    ),
    most=6,
).map(lambda words: ast.RawSql(f"SELECT {' '.join(words)}".rstrip() if words else "SELECT *"))

EXPLORES = st.builds(
    ast.Explore,
    TARGETS,
    RELATIONS,
    where=maybe(EXPRESSIONS),
    sample=maybe(SAMPLES),
    features=maybe(FEATURES),
    label=maybe(EXPRESSIONS),
    learners=LEARNERS,
    evaluate=maybe(EVALUATIONS),
    per_key=REDUCTIONS,
    into=maybe(st.one_of(NAMES, PATHS)),
    options=tuples(OPTIONS),
)
EXPORTS = st.builds(
    ast.ExportLayers,
    TARGETS,
    RELATIONS,
    PATHS,
    where=maybe(EXPRESSIONS),
    sample=maybe(SAMPLES),
    per_key=REDUCTIONS,
    options=tuples(OPTIONS),
)
FLAGS = {"or_replace": st.booleans(), "if_not_exists": st.booleans()}
KEY_SOURCES = st.one_of(
    st.sampled_from([ast.KeyFrom(ast.KeyKind.STEM), ast.KeyFrom(ast.KeyKind.PATH)]),
    PATHS.map(partial(ast.KeyFrom, ast.KeyKind.REGEX)),
    NAMES.map(partial(ast.KeyFrom, ast.KeyKind.COLUMN)),
)
CATALOG = st.one_of(
    st.builds(
        ast.CreateTable,
        NAMES,
        st.one_of(PATHS, SQL),
        format=maybe(NAMES),
        key=tuples(NAMES),
        label=maybe(NAMES),
        options=tuples(OPTIONS),
        **FLAGS,
    ),
    st.builds(
        ast.CreateImages,
        NAMES,
        st.one_of(PATHS, st.builds(ast.TableColumnSource, NAMES, NAMES, maybe(PATHS))),
        key=maybe(KEY_SOURCES),
        label_from_folder=st.booleans(),
        options=tuples(OPTIONS),
        **FLAGS,
    ),
    st.builds(
        ast.RegisterCnn,
        NAMES,
        maybe(NAMES),
        PATHS,
        maybe(st.one_of(PATHS.map(ast.WeightsFile), COUNTS.map(ast.WeightsRandom))),
        tuples(OPTIONS),
        st.booleans(),
    ),
    st.builds(ast.RegisterCnn, NAMES, NAMES),
    st.builds(ast.Drop, st.sampled_from(ast.ObjectKind), NAMES, st.booleans()),
)
TOPICS = st.sampled_from([*KEYWORDS, "EXPLORE", "vgg16"]).map(ast.Name)
SESSION = st.one_of(
    SQL.map(ast.Select),
    st.sampled_from(ast.Listing).map(ast.Show),
    st.builds(ast.ShowLayers, NAMES, st.booleans()),
    st.builds(ast.ShowCreate, st.sampled_from(ast.ObjectKind), NAMES),
    maybe(NAMES).map(ast.ShowErrors),
    st.builds(ast.Describe, maybe(st.sampled_from(ast.ObjectKind)), NAMES),
    st.one_of(maybe(NAMES).map(ast.Calibrate), st.just(ast.Calibrate(spark=True))),
    OPTIONS.map(ast.SetOption),
    maybe(tuples(NAMES, 1)).map(ast.Reset),
    PATHS.map(ast.SourceScript),
    tuples(TOPICS).map(ast.Help),
    st.builds(
        ast.Explain,
        maybe(st.one_of(EXPLORES, EXPORTS)),
        st.sampled_from(ast.ExplainMode),
        st.sampled_from(ast.ExplainFormat),
    ),
)
STATEMENTS = st.one_of(EXPLORES, EXPORTS, CATALOG, SESSION)
