"""What the tests of whole statements share: a folder of scans, the rows of their table, and how tables are written."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vistaql.engines.inprocess.prepare import Prepared, prepare
from vistaql.frontend import ast
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.outcome import Exploration
from vistaql.session import Session

DIGITS = range(5, 10)
SCANS_OF_A_DIGIT = 20
COLUMNS = ("scan_id", "ink", "width", "height", "slant", "digit")


@dataclass(frozen=True)
class World:
    """A folder with `scans/` and `measures.csv`; `rows` are those of the table."""

    folder: Path
    rows: tuple[tuple[str, int, int, int, int, int], ...]

    @property
    def keys(self) -> list[str]:
        """Of all scans."""
        return [row[0] for row in self.rows]

    def digit_of(self, key: str) -> int:
        """The label of a scan."""
        return next(row[-1] for row in self.rows if row[0] == key)

    def path(self, key: str) -> Path:
        """The file of a scan."""
        return self.folder / "scans" / f"{key}.png"


def write_csv(path: Path, header: Sequence[object], rows: Sequence[Sequence[object]]) -> Path:
    """A CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def prepared(session: Session, text: str) -> Prepared:
    """What a query knows before its first image: its rows, and how many there are of everything."""
    statement = parse(text).statements[0]
    assert isinstance(statement, ast.Explore)
    bound = bind_query(statement, session.context({}, None)).rewritten()
    memory = {item.table.source: item.data for item in session.registered.values()}
    return prepare(bound.plan, bound.reduction, memory, threads=1)


Explore = Callable[..., Exploration]
