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
CNN_NOT_MODEL = "A pre-trained network is called CNN: SHOW CNNS, REGISTER CNN, DROP CNN."

HINTS: tuple[tuple[str, str, str], ...] = (
    ("", "LIMIT", "LIMIT would take rows in no stated order. Write SAMPLE 1000."),
    ("", "ORDER BY", "Rows come in the order of the network. Write SELECT * FROM _ ORDER BY mean DESC afterwards."),
    ("", "GROUP BY", "Several images of one key are pooled by PER KEY mean."),
    ("", "TARGET", "Write PREDICT and the column."),
    ("", "TO PREDICT", "Write PREDICT and the column, without TO."),
    ("", "TUNE", SEVERAL_VALUES),
    ("=", "[", SEVERAL_VALUES),
    ("=", "=", "Equality is written with one =."),
    ("", "JOIN", JOINS_FIRST),
    ("", "INNER", JOINS_FIRST),
    ("", "LEFT", JOINS_FIRST),
    ("", "RIGHT", JOINS_FIRST),
    ("", "FULL", JOINS_FIRST),
    ("", "EXCLUDE", "Write FEATURES * EXCEPT (a, b)."),
    ("SAMPLE 0", "%", "Write SAMPLE 5 PERCENT."),
    ("USING", "CV", "Write USING CROSS VALIDATION (5)."),
    ("USING", "KFOLD", "Write USING CROSS VALIDATION (5)."),
    ("USING", "CROSS_VALIDATION", "Write USING CROSS VALIDATION (5)."),
    ("VALIDATION", "0", PARENTHESES),
    ("HOLDOUT", "0", PARENTHESES),
    ("OF name , name", "OF", SECOND_CNN),
    ("LAYERS name", ".", SECOND_CNN),
    (", name", ".", SECOND_CNN),
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
    ("^", "\\", "A script ends with its last statement, and HELP; lists the statements."),
    ("^", ".", "Statements are words: SHOW TABLES; HELP; lists them."),
    ("^", "?", "HELP; lists the statements, HELP EXPLORE; shows one."),
    ("^", "EXIT", "A script ends with its last statement."),
    ("^", "QUIT", "A script ends with its last statement."),
    ("name", "-", 'A name with a sign in it stands in double quotes: "my-photos".'),
    ("name", "/", "A path stands in single quotes: 'photos/'."),
    ("", ". /", "A path stands in single quotes: './photos'."),
    ("", "~", "A path stands in single quotes: '~/photos'."),
    ("", "&", "Write AND."),
    ("", "| |", BARS),
    ("", "|", "Write OR."),
    ("", "!", "Write NOT, or <> for unequal."),
    ("JOIN name USING", "name", "Columns stand in parentheses: USING (sku)."),
    ("JOIN '' USING", "name", "Columns stand in parentheses: USING (sku)."),
    ("JOIN name", "name", "A second name for a table follows AS: products AS p."),
    ("JOIN ''", "name", "A second name for a table follows AS: 'p.csv' AS p."),
    ("FROM name", "name", "A second name for a table follows AS: products AS p."),
    ("FROM", "name", "A path stands in single quotes: 'photos/'."),
    ("SOURCE", "name", "A path stands in single quotes: 'more.vql'."),
    ("TO", "name", "A path stands in single quotes: 'features.parquet'."),
    ("SHOW", "name", "SHOW SETTINGS shows the settings, DESCRIBE name a table, an image set or a CNN."),
    ("", "\u201c", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u201d", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u2018", "Straight quotes are wanted: 'text' and \"name\"."),
    ("", "\u2019", "Straight quotes are wanted: 'text' and \"name\"."),
)  # fmt: skip


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


def _fits(words_before: str, words_at: str, before: Sequence[str], at: Sequence[str]) -> bool:
    tail, head = words_before.split(), words_at.split()
    ends = len(tail) <= len(before) and all(
        want in (word, _kind(word)) for want, word in zip(reversed(tail), reversed(before), strict=False)
    )
    return ends and tuple(at[: len(head)]) == tuple(head)


def _kind(word: str) -> str:
    return "name" if word[0].isalpha() or word[0] == "_" else word
