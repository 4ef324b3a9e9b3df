"""Which column of a table names the image files, and in what way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from vistaql.stores.listing import stem

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_SHARE = 0.02
"""Fewer of the files named by a column are chance."""
NUMBERED = r"([^/]+)[-_][^-_/]*$"
"""the file name up to its last - or _"""
STEM = r"([^/]+?)(?:\.[^./]*)?$"
"""the file name without its ending, as KEY FROM STEM has it, where several files may have one"""


class Form(Enum):
    """How the values of a column name image files; of two that name equally many the first is taken."""

    STEM = "file name without ending"
    NAME = "file name"
    PATH = "path inside the folder"
    LAST_PART = "path whose last part is the file name"
    NUMBERED = "file name up to its last - or _"

    @property
    def of_file(self) -> Callable[[str], str]:
        """The part of a file's path below the folder that is compared."""
        return {
            Form.STEM: stem,
            Form.PATH: lambda relative: relative,
            Form.NUMBERED: lambda relative: found[1] if (found := re.search(NUMBERED, relative)) else "",
        }.get(self, last_part)

    @property
    def of_value(self) -> Callable[[str], str]:
        """The part of a value in the table that is compared."""
        return last_part if self is Form.LAST_PART else lambda value: value


def last_part(path: str) -> str:
    r"""What stands behind the last slash.

    >>> last_part("a/b.jpg"), last_part("C:\\photos\\b.jpg"), last_part("b.jpg")
    ('b.jpg', 'b.jpg', 'b.jpg')
    """
    return re.split(r"[/\\]", path)[-1]


@dataclass(frozen=True)
class KeyMatch:
    """A column that names image files: of how many files and rows the other side is there."""

    column: str
    form: Form
    files: int
    """files that a row names"""
    rows: int
    """rows that name a file"""
    repeated: int
    """of these rows, those whose file an earlier row has named"""
    shared: bool
    """whether several files have one key"""


@dataclass(frozen=True)
class Files:
    """The image files of a folder, by their paths below it."""

    relatives: tuple[str, ...]

    @cached_property
    def by_form(self) -> dict[Form, Counter[str]]:
        """For each form, how many files every key has."""
        return {form: Counter(map(form.of_file, self.relatives)) for form in Form}


def best_match(table: pa.Table, files: Files) -> KeyMatch | None:
    """The column and form that name most files; None where none names more than chance would.

    `table` holds the columns that may be keys, all as text.
    """
    found = [
        match
        for name in table.column_names
        if (match := match_of(name, table[name].drop_null().to_pylist(), files)) is not None
    ]
    return max(found, key=lambda match: match.files, default=None)


def match_of(column: str, values: Sequence[str], files: Files) -> KeyMatch | None:
    """The form in which a column names most files."""
    best: KeyMatch | None = None
    for form in Form:
        keys = files.by_form[form]
        named = Counter(map(form.of_value, values))
        common = keys.keys() & named.keys() - {""}
        count = sum(keys[key] for key in common)
        if count > max(LEAST_SHARE * len(files.relatives), best.files if best else 0):
            rows = sum(named[key] for key in common)
            shared = any(keys[key] > 1 for key in common)
            best = KeyMatch(column, form, count, rows, rows - len(common), shared)
    return best
