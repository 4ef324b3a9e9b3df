"""What people type that is not in the language, and what they can type instead.

A row says which words stand before the error, which words the error is at, and the way out.
`name`, `0` and `''` stand for any name, number and string, `^` for the beginning of the statement.
A row with a name at the error comes last: a misspelt keyword is likelier than any of them.

>>> hint_for(("TRAIN", "name"), ("LIMIT", "0"))
'LIMIT would take rows in no stated order. Write SAMPLE 1000.'
"""

from __future__ import annotations

from collections.abc import Sequence

SECOND_CNN = (
    "The CNN follows OF, and a second one starts with LAYERS: LAYERS fc6 OF vgg16, LAYERS avg_pool OF resnet50."
)
SEVERAL_VALUES = "List the learner once for each value: TRAIN lr (reg = 0.1), lr (reg = 0.01)."
READ_ONLY = "Tables are read and never changed. Write CREATE TABLE name AS SELECT .."
JOINS_FIRST = "Joins stand directly after FROM images, before all other clauses, and are JOIN or LEFT JOIN."
ONE_EXPLAIN = "Write EXPLAIN [ANALYZE | CANDIDATES | VERBOSE] [FORMAT json | html] before the query."
ONE_MODE = "One word says what is told: EXPLAIN ANALYZE, EXPLAIN CANDIDATES or EXPLAIN VERBOSE."
MODE_FIRST = "What is told stands before the format: EXPLAIN ANALYZE FORMAT json."
SECONDS_ARE_THERE = "EXPLAIN itself tells what a plan costs; EXPLAIN CANDIDATES tells it of every plan."
SQL_GOES_ON = "It goes on, as in SELECT * FROM products or SUMMARIZE products."
PARENTHESES = "The number stands in parentheses: CROSS VALIDATION (5), HOLDOUT (0.2)."
BARS = "Write OR between conditions. Texts are put together beforehand: CREATE TABLE t AS SELECT *, a || b AS c FROM .."
# The prompt itself does what is typed to leave; these words come from -c, a file or Python.
ENDS_BY_ITSELF = "Leave it out: a script ends with its last statement. HELP; lists the statements."
CNN_NOT_MODEL = "A pre-trained network is called CNN: SHOW CNNS, REGISTER CNN, DROP CNN."

IMAGES_FIRST = "FROM and the images follow the CNN: EXPLORE vgg16 FROM images JOIN table TRAIN logistic_regression."
NAMED_LAYERS = "Layers stand as they are: LAYERS fc6, fc7 OF vgg16."
LAST_LAYERS = "Write LAST 3 LAYERS OF vgg16, or name layers: SHOW LAYERS OF vgg16; lists them."
SHOW_LAYERS = "Write SHOW LAYERS OF vgg16."
METRIC_FIRST = "A metric stands before USING: EVALUATE accuracy USING CROSS VALIDATION (5)."
ARGUMENTS = "An argument has a name and a value: TRAIN lr (reg = 0.1)."
OPTIONS = "Options stand in parentheses, each with its value: WITH (plan = lazy)."
UNIT = "A size or a duration is one word: 8GB, 500MB, 90s."
LIST = "A list stands in parentheses: IN (1, 2, 3)."
QUOTE_TWICE = "A ' inside a text is written twice: 'it''s'."
COMMENT = "A comment starts with --."
ONE_CATALOG = "There is one catalog, in the home: vistaql --home DIR takes another."
TABLE_FROM_FILE = "Columns and their types come from the file: CREATE TABLE name FROM 'file.csv'."
IMAGES_FROM = "Write CREATE IMAGES name FROM 'photos/'."
IMAGE_KEYS = (
    "The key of an image is in its file's name: KEY FROM STEM, which is the default, PATH, REGEX '..' or COLUMN name."
)
NO_TRANSACTIONS = "A statement is kept when it ends, or changes nothing; leave this out."
SYSTEM_SHELL = "This belongs to the shell of your system. HELP; lists the statements."
DOTS = "Commands with a dot are for the prompt. A script has SHOW TABLES; DESCRIBE name; SOURCE 'file.vql';"

HINTS: tuple[tuple[str, str, str], ...] = (
    ("", "LIMIT", "LIMIT would take rows in no stated order. Write SAMPLE 1000."),
    ("", "ORDER BY", "Rows come in the order of the network. Write SELECT * FROM _ ORDER BY mean DESC afterwards."),
    ("", "GROUP BY", "Several images of one key are pooled by PER KEY mean."),
    ("", "TARGET", "Write PREDICT and the column."),
    ("", "TO PREDICT", "Write PREDICT and the column, without TO."),
    ("", "TUNE", SEVERAL_VALUES),
    ("=", "[", SEVERAL_VALUES),
    ("=", "=", "Equality is written with one =."),
    ("", "SAVE", "INTO name keeps the answer; of what was learnt, the figures are kept."),
    ("TRAIN name", "AS", "INTO name keeps the answer under a name."),
    ("PREDICT name", "AS", "Leave AS out: the label is called as it is written."),
    ("TRAIN name", "USING (", "USING stands directly after the table that is joined: JOIN products USING (sku)."),
    ("TRAIN name", "USING", "Say first what is measured: EVALUATE accuracy USING CROSS VALIDATION (5)."),
    ("EVALUATE USING", "CROSS", METRIC_FIRST),
    ("EVALUATE USING", "HOLDOUT", METRIC_FIRST),
    ("EVALUATE USING", "SPLIT", METRIC_FIRST),
    ("", "HAVING", "Figures are rows of the answer: SELECT * FROM _ WHERE mean > 0.8 afterwards."),
    ("EXPLORE name", "JOIN", IMAGES_FIRST),
    ("EXPLORE name", "USING", IMAGES_FIRST),
    ("FROM name", ",", "One image set follows FROM, and tables follow JOIN: FROM images JOIN products."),
    ("", "CROSS JOIN", JOINS_FIRST),
    ("", "JOIN", JOINS_FIRST),
    ("", "INNER", JOINS_FIRST),
    ("", "LEFT", JOINS_FIRST),
    ("", "RIGHT", JOINS_FIRST),
    ("", "FULL", JOINS_FIRST),
    ("", "EXCLUDE", "Write FEATURES * EXCEPT (a, b)."),
    ("SAMPLE 0", "%", "Write SAMPLE 5 PERCENT."),
    ("SAMPLE 0 ROWS", "PERCENT", "Write SAMPLE 5 PERCENT, or SAMPLE 1000."),
    ("= name", "=", "Comparisons are joined with AND: a = b AND b = c."),
    ("= 0", "=", "Comparisons are joined with AND: a = b AND b = c."),
    ("USING", "CV", "Write USING CROSS VALIDATION (5)."),
    ("USING", "KFOLD", "Write USING CROSS VALIDATION (5)."),
    ("USING", "CROSS_VALIDATION", "Write USING CROSS VALIDATION (5)."),
    ("VALIDATION", "0", PARENTHESES),
    ("HOLDOUT", "0", PARENTHESES),
    ("OF name , name", "OF", SECOND_CNN),
    ("LAYERS name", ".", SECOND_CNN),
    (", name", ".", SECOND_CNN),
    ("LAYERS", "(", NAMED_LAYERS),
    ("LAYERS", "[", NAMED_LAYERS),
    ("LAYERS", "0", LAST_LAYERS),
    ("EXPLORE TOP", "0", LAST_LAYERS),
    ("EXPLORE FIRST", "0", LAST_LAYERS),
    ("FEATURES", "(", "Columns stand as they are: FEATURES price, weight."),
    ("TRAIN name (", "0", ARGUMENTS),
    ("TRAIN name ( name", "0", ARGUMENTS),
    ("TRAIN name ( name", ":", ARGUMENTS),
    ("IS", "0", "IS is for NULL; write a = 3."),
    ("IS", "''", "IS is for NULL; write a = 'red'."),
    ("IN", "0", LIST),
    ("IN", "''", LIST),
    ("BETWEEN 0", ",", "Write BETWEEN 1 AND 3."),
    ("''", "S '", QUOTE_TWICE),
    ("''", "T '", QUOTE_TWICE),
    ("PER", "IMAGE", "Write PER KEY mean, PER KEY max or PER KEY first."),
    ("", "PRIMARY", "Write KEY (column)."),
    ("LABEL", "=", "Write LABEL column, without =."),
    ("CREATE TABLE name", "(", TABLE_FROM_FILE),
    ("CREATE TABLE name", "''", TABLE_FROM_FILE),
    ("CREATE IMAGES", "''", IMAGES_FROM),
    ("CREATE IMAGES name", "''", IMAGES_FROM),
    ("CREATE IMAGES name", "IN", IMAGES_FROM),
    ("KEY", "(", IMAGE_KEYS),
    ("CREATE", "CNN", "Write REGISTER CNN name FROM keras 'MobileNet'."),
    ("CREATE", "VIEW", "Write CREATE TABLE name AS SELECT .."),
    ("CREATE", "EXTERNAL", TABLE_FROM_FILE),
    ("CREATE", "DATABASE", ONE_CATALOG),
    ("CREATE", "SCHEMA", ONE_CATALOG),
    ("^", "USE", ONE_CATALOG),
    ("SHOW", "DATABASES", ONE_CATALOG),
    ("SHOW", "COLUMNS", "DESCRIBE name; shows the columns."),
    ("SHOW", "RESULT", "SHOW RESULTS; lists the answers, SELECT * FROM name; shows one."),
    ("SHOW LAYERS", "FROM", SHOW_LAYERS),
    ("", "INTO", "INTO keeps the answer to EXPLORE; EXPORT ends with TO 'file.parquet'."),
    ("KEY FROM", "FILENAME", "The name of the file without its ending is STEM, which is the default."),
    ("KEY FROM", "NAME", "The name of the file without its ending is STEM, which is the default."),
    ("KEY FROM", "FOLDER", "The folder is the label, not the key: LABEL FROM FOLDER."),
    ("WEIGHTS", "IMAGENET", "Leave WEIGHTS out: a CNN has its published weights."),
    ("EXPLAIN", "EXTENDED", "EXPLAIN VERBOSE shows the plan after each rewrite."),
    ("EXPLAIN", "FORMATTED", "EXPLAIN is formatted already; EXPLAIN FORMAT html draws the plan."),
    ("EXPLAIN", "COST", SECONDS_ARE_THERE),
    ("EXPLAIN name", "FORMATTED", "The formats are FORMAT text, FORMAT json and FORMAT html."),
    ("EXPLAIN", "VALIDATE", "`vistaql check FILE.vql` looks for errors and runs nothing."),
    ("EXPLAIN", "ALL", "EXPLAIN CANDIDATES shows every plan."),
    ("EXPLAIN", "WHY", "EXPLAIN CANDIDATES tells of every plan why it was not taken."),
    ("EXPLAIN", "ANALYSE", "Write ANALYZE, with a Z."),
    ("EXPLAIN", "(", ONE_EXPLAIN),
    ("EXPLAIN", "LAST", "EXPLAIN; alone explains the last query."),
    ("EXPLAIN", "PLAN", "Write EXPLAIN and the query, without PLAN."),
    ("EXPLAIN", "SHOW", "EXPLAIN explains EXPLORE and EXPORT."),
    ("EXPLAIN", "CREATE", "EXPLAIN explains EXPLORE and EXPORT."),
    ("EXPLAIN", "SELECT", "EXPLAIN explains EXPLORE and EXPORT."),
    ("EXPLAIN name", "ANALYZE", ONE_MODE),
    ("EXPLAIN name", "CANDIDATES", ONE_MODE),
    ("EXPLAIN name", "VERBOSE", ONE_MODE),
    ("FORMAT name", "ANALYZE", MODE_FIRST),
    ("FORMAT name", "CANDIDATES", MODE_FIRST),
    ("FORMAT name", "VERBOSE", MODE_FIRST),
    ("EXPLAIN FORMAT", "YAML", "The formats are text, json and html."),
    ("EXPLAIN FORMAT", "DOT", "The formats are text, json and html."),
    ("EXPLAIN FORMAT", "MERMAID", "The formats are text, json and html."),
    ("SHOW SETTINGS", "LIKE", "SHOW SETTINGS; shows all of them."),
    ("", "MODEL", CNN_NOT_MODEL),
    ("", "MODELS", CNN_NOT_MODEL),
    ("^", "PREDICT", "PREDICT is a clause: EXPLORE vgg16 FROM images JOIN t TRAIN logistic_regression PREDICT column."),
    ("^", "TRAIN", "TRAIN is a clause: EXPLORE vgg16 FROM images JOIN t TRAIN logistic_regression PREDICT column."),
    ("^", "FROM", "Write SELECT * FROM .."),
    ("^", "SELECT", SQL_GOES_ON),
    ("^", "WITH", SQL_GOES_ON),
    ("^", "SUMMARIZE", SQL_GOES_ON),
    ("^", "LOAD", "Write CREATE TABLE name FROM 'file.csv'."),
    ("^", "IMPORT", "Write CREATE TABLE name FROM 'file.csv'."),
    ("^", "INSERT", READ_ONLY),
    ("^", "UPDATE", READ_ONLY),
    ("^", "DELETE", READ_ONLY),
    ("^", "ALTER", READ_ONLY),
    ("^", "TRUNCATE", READ_ONLY),
    ("^", "COPY", "EXPORT LAYERS .. TO 'file.parquet' writes features, vistaql --format csv -c \"SELECT ..\" rows."),
    ("^", "BEGIN", NO_TRANSACTIONS),
    ("^", "COMMIT", NO_TRANSACTIONS),
    ("^", "ROLLBACK", NO_TRANSACTIONS),
    ("^", "RUN", "Write SOURCE 'file.vql'."),
    ("^", "@", "Write SOURCE 'file.vql'."),
    ("^", "VISTAQL", SYSTEM_SHELL),
    ("^", "PIP", SYSTEM_SHELL),
    ("^", "LS", SYSTEM_SHELL),
    ("^", "CD", "At the prompt it is .cd DIR; in a script paths are relative to the script."),
    ("", "#", COMMENT),
    ("", "/ /", COMMENT),
    ("^", "\\", ENDS_BY_ITSELF),
    ("^", ".", DOTS),
    ("^", "?", "HELP; lists the statements, HELP EXPLORE; shows one."),
    ("^", "EXIT", ENDS_BY_ITSELF),
    ("^", "QUIT", ENDS_BY_ITSELF),
    ("name", "-", 'A name with a sign in it stands in double quotes: "my-photos".'),
    ("name", "/", "A path stands in single quotes: 'photos/'."),
    ("", ". /", "A path stands in single quotes: './photos'."),
    ("", "~", "A path stands in single quotes: '~/photos'."),
    ("", "&", "Write AND."),
    ("", "| |", BARS),
    ("", "|", "Write OR."),
    ("", "!", "Write NOT, or <> for unequal."),
    ("EXPLORE FROM", "name", "The CNN stands before FROM: EXPLORE vgg16 FROM images."),
    ("SHOW LAYERS", "name", SHOW_LAYERS),
    ("LAYERS OF", "name", "Name layers before OF, or write EXPLORE vgg16 for all exploration points."),
    ("EXPORT name", "name", "EXPORT writes features: EXPORT LAYERS fc6 OF vgg16 FROM images TO 'file.parquet'."),
    ("DROP", "name", "Say what it is: DROP TABLE, DROP IMAGES, DROP CNN or DROP RESULT."),
    ("SET name = 0", "name", UNIT),
    ("WITH ( name = 0", "name", UNIT),
    ("SET name", "name", "Write = between a setting and its value: SET plan = lazy."),
    ("WITH ( name", "name", OPTIONS),
    ("WITH", "name", OPTIONS),
    ("FEATURES name", "name", "Commas part columns: FEATURES price, weight."),
    ("LAYERS name", "name", "OF and the CNN follow the layers: LAYERS fc6, fc7 OF vgg16."),
    ("LAYER name", "name", "OF and the CNN follow the layer: LAYER fc6 OF vgg16."),
    ("JOIN name USING", "name", "Columns stand in parentheses: USING (sku)."),
    ("JOIN '' USING", "name", "Columns stand in parentheses: USING (sku)."),
    ("JOIN name", "name", "A second name for a table follows AS: products AS p."),
    ("JOIN ''", "name", "A second name for a table follows AS: 'p.csv' AS p."),
    ("FROM name", "name", "A second name for a table follows AS: products AS p."),
    ("TABLE name FROM", "name", "A path stands in single quotes: 'file.csv'."),
    ("FROM", "name", "A path stands in single quotes: 'photos/'."),
    ("SOURCE", "name", "A path stands in single quotes: 'more.vql'."),
    ("TO", "name", "A path stands in single quotes: 'features.parquet'."),
    ("SHOW", "name", "SHOW SETTINGS shows the settings, DESCRIBE name a table, an image set or a CNN."),
    ("", "\u201c", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u201d", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u2018", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u2019", "Straight quotes are wanted: 'text' and \"name\"."),
)  # fmt: skip


# The topic of HELP by how a statement begins; a test holds them against the topics.
HELPED = {
    "EXPLORE": "EXPLORE",
    "EXPLAIN": "EXPLAIN",
    "EXPORT": "EXPORT",
    "CREATE IMAGES": "CREATE IMAGES",
    "CREATE IMAGE": "CREATE IMAGES",
    "CREATE TABLE": "CREATE TABLE",
    "CREATE OR REPLACE IMAGES": "CREATE IMAGES",
    "CREATE OR REPLACE TABLE": "CREATE TABLE",
    "REGISTER": "REGISTER",
    "SHOW": "SHOW",
    "DESCRIBE": "DESCRIBE",
    "DESC": "DESCRIBE",
    "DROP": "DROP",
    "SET": "SET",
    "RESET": "SET",
    "CALIBRATE": "CALIBRATE",
    "SOURCE": "SOURCE",
}


def hint_for(before: Sequence[str], at: Sequence[str]) -> str | None:
    """The message of the first row that fits words, given in capitals, and none for a misspelling."""
    for words_before, words_at, message in HINTS:
        if words_at != "name" and _fits(words_before, words_at, before, at):
            return message
    return None


def hint_for_name(before: Sequence[str]) -> str | None:
    """The message of the first row that fits any name at the error."""
    for words_before, words_at, message in HINTS:
        if words_at == "name" and _fits(words_before, words_at, before, ["name"]):
            return message
    return None


def help_hint(before: Sequence[str]) -> str:
    """Where the form of the statement is shown, for an error of which nothing better is known.

    >>> help_hint(("^", "CREATE", "TABLE", "T")), help_hint(("^", "FROB"))
    ('HELP CREATE TABLE; shows the whole statement.', 'HELP; lists the statements.')
    """
    for beginning, topic in HELPED.items():
        words = beginning.split()
        if list(before[1 : 1 + len(words)]) == words:
            return f"HELP {topic}; shows the whole statement."
    return "HELP; lists the statements."


def _fits(words_before: str, words_at: str, before: Sequence[str], at: Sequence[str]) -> bool:
    tail, head = words_before.split(), words_at.split()
    ends = len(tail) <= len(before) and all(
        want in (word, _kind(word)) for want, word in zip(reversed(tail), reversed(before), strict=False)
    )
    return ends and tuple(at[: len(head)]) == tuple(head)


def _kind(word: str) -> str:
    return "name" if word[0].isalpha() or word[0] == "_" else word
