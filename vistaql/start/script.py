"""explore.vql: the statements of a first look, with what they mean."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.catalog.text import name_text, value_text
from vistaql.rendering.words import counted
from vistaql.start.keys import NUMBERED, STEM, Form
from vistaql.stores.quoting import typed

if TYPE_CHECKING:
    from vistaql.catalog.catalog import Catalog
    from vistaql.start.cnn import Chosen
    from vistaql.start.labels import Candidate
    from vistaql.start.look import Sight

SIGNATURE = "-- Written by vistaql start, and yours to change."


@dataclass(frozen=True)
class Script:
    """The parts of the script: `setup` makes the names, `query` asks, without its last line."""

    setup: str
    query: str
    images: str
    table: str
    comments: tuple[str, str]
    question: str

    def text(self, file: str, sample: int | None, rows: int, register: str) -> str:
        """The whole file. `sample` is None where all rows are looked at."""
        first, second = self.setup.strip().split("\n\n")
        end = (
            ";"
            if sample is None
            else f"\nSAMPLE {sample};   -- a first look; without this line it is all {rows:,} rows"
        )
        return f"""\
{SIGNATURE}
-- Run it again: vistaql run {file}

-- {self.comments[0]}
{first}

-- {self.comments[1]}
{second}
{f"{chr(10)}{register}{chr(10)}" if register else ""}
-- {self.question}
{self.query}{end}

-- What else can be asked, in one more line of the question:
--   without the columns             FEATURES NONE
--   some layers only                EXPLORE LAST 3 LAYERS OF .. (SHOW LAYERS OF .. lists them)
--   only some rows                  WHERE column = 'value'
--   another measure                 EVALUATE f1_macro
-- EXPLAIN before EXPLORE shows the plan, and the plans that lost.
"""


def script_of(sight: Sight, label: Candidate, chosen: Chosen, left_out: tuple[str, ...], catalog: Catalog) -> Script:
    """The statements for what was seen; paths are absolute here, and shortened when the file is written."""
    source, rows = sight.images.place, sight.table.source
    images = free_name(source, "IMAGES", catalog, ())
    table = free_name(rows, "TABLE", catalog, (images,))
    key, create = table_statement(sight, table)
    rule = key_rule(sight)
    joined = f"{name_text(images)} JOIN {name_text(table)}"
    lines = [
        f"EXPLORE {chosen.name}",
        f"FROM {joined}",
        *([f"FEATURES * EXCEPT ({', '.join(map(typed, left_out))})"] if left_out else []),
        f"PREDICT {label.expression}",
        *(["PER KEY mean"] if sight.key.shared else []),
        "TRAIN logistic_regression",
    ]
    form = Form.NAME if sight.key.form is Form.LAST_PART else sight.key.form
    comments = (
        f"{counted(len(sight.files.relatives), 'photo')}; the key of each is its {form.value}.",
        f"{counted(sight.table.rows, 'row')}; {key} says which photo each belongs to.",
    )
    setup = f"CREATE OR REPLACE IMAGES {name_text(images)} FROM {value_text(source)}{rule};\n\n{create}"
    question = f"Which layer of {chosen.name} predicts {label.expression} best, beside the columns of the table?"
    return Script(setup, "\n".join(lines), images, table, comments, question)


def table_statement(sight: Sight, name: str) -> tuple[str, str]:
    """The key column, and the CREATE TABLE that declares or makes it."""
    place = value_text(sight.table.source)
    column = sight.key.column
    if sight.key.form is not Form.LAST_PART:
        return column, f"CREATE OR REPLACE TABLE {name_text(name)} FROM {place} KEY ({typed(column)});"
    made = "file"
    while sight.table.column(made) is not None:
        made += "_"
    pattern = value_text(r"[^/\\]+$")
    return made, (
        f"CREATE OR REPLACE TABLE {name_text(name)} KEY ({made}) AS\n"
        f"SELECT *, regexp_extract({typed(column)}, {pattern}) AS {made} FROM {place};"
    )


def key_rule(sight: Sight) -> str:
    """How a photo gets its key; nothing where that is the rule without words."""
    match sight.key.form:
        case Form.STEM:
            return f" KEY FROM REGEX {value_text(STEM)}" if sight.key.shared else ""
        case Form.PATH:
            return " KEY FROM PATH"
        case Form.NUMBERED:
            return f" KEY FROM REGEX {value_text(NUMBERED)}"
        case _:
            return " KEY FROM REGEX '[^/]+$'"


def free_name(path: str, kind: str, catalog: Catalog, taken: tuple[str, ...]) -> str:
    """A name made of the path's last part, that nothing else in the catalog has.

    What was made of the same path keeps its name, so that a second start replaces it.
    """
    base = re.sub(r"\W+", "_", Path(path).stem if kind == "TABLE" else Path(path).name).strip("_") or kind.lower()
    base = f"t_{base}" if base[0].isdigit() else base
    number = 1
    while True:
        name = base if number == 1 else f"{base}_{number}"
        holder = catalog.holder("relation", name)
        same = holder is not None and holder.kind.value == kind and value_text(path) in holder.statement
        if name not in taken and (holder is None or same):
            return name
        number += 1


def shortened(text: str, folder: Path, paths: tuple[str, ...]) -> str:
    """The text with paths below the folder written as they are seen from there."""
    for path in paths:
        relative = os.path.relpath(path, folder)
        if not relative.startswith(".."):
            slash = "/" if Path(path).is_dir() else ""
            text = text.replace(value_text(path), value_text(relative + slash))
    return text


def written(folder: Path, text: str) -> Path:
    """Write the script under a name that is free, or that holds a script of before which nobody has changed."""
    number = 1
    while True:
        path = folder / ("explore.vql" if number == 1 else f"explore_{number}.vql")
        content = text.replace("vistaql run explore.vql", f"vistaql run {path.name}")
        if not path.exists() or path.read_text(encoding="utf-8", errors="replace") == content:
            path.write_text(content, encoding="utf-8")
            return path
        number += 1
