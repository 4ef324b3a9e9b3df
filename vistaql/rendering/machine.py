"""Outcomes for programs: JSON on one line, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from vistaql.outcome import Explanation, Exploration, Relation
from vistaql.rendering.style import printable
from vistaql.rendering.values import NULL, distinct, one_line, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vistaql.outcome import Outcome

SCORES = (
    "cnn", "layer", "pool", "learner", "metric", "mean", "std", "lift", "lift_low", "lift_high", "width",
    "fit_seconds", "digest", "folds",
)  # fmt: skip


def to_json(outcome: Outcome) -> str:
    """One object on one line."""
    match outcome:
        case Exploration():
            return one_line(outcome.to_json())
        case Relation():
            names = distinct(outcome.names)
            rows = [dict(zip(names, row, strict=True)) for row in zip(*outcome.lists(outcome.num_rows), strict=True)]
            return one_line({"title": outcome.title, "columns": names, "rows": rows, "notes": outcome.notes})
        case Explanation():
            return one_line({"plan": outcome.plan})
        case _:
            return one_line({"lines": outcome.lines, **dict(outcome.facts)})


def to_csv(outcome: Outcome) -> str:
    """A header and a line a row; NULL is empty. Outcomes without rows give nothing."""
    grid = rows_of(outcome)
    if grid is None:
        return ""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows(["" if value is None else csv_value(value) for value in row] for row in grid)
    return written.getvalue().removesuffix("\n")


def csv_value(value: object) -> object:
    """A value as CSV has it: numbers in full, lists with spaces between."""
    if isinstance(value, list | tuple):
        return " ".join(str(plain(item)) for item in value)
    return plain(value) if not isinstance(value, bool) else shown(value)


def to_markdown(outcome: Outcome) -> str:
    """A table of Markdown; outcomes without rows are a block of code."""
    grid = rows_of(outcome)
    if grid is None:
        lines = outcome.text.split("\n") if isinstance(outcome, Explanation) else getattr(outcome, "lines", ())
        return "\n".join(["```", *map(printable, lines), "```"])
    first, *rest = (["" if value is None else markdown_value(value) for value in row] for row in grid)
    return "\n".join(f"| {' | '.join(row)} |" for row in [first, ["---"] * len(first), *rest])


def markdown_value(value: object) -> str:
    r"""A cell that cannot end its column, nor become HTML.

    >>> markdown_value("a|b <i>")
    'a\\|b &lt;i>'
    """
    text = printable(shown(value) if value is not None else NULL)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def rows_of(outcome: Outcome) -> Iterable[Sequence[object]] | None:
    """The names of the columns, then the rows; None where the outcome has none."""
    match outcome:
        case Exploration():
            return [SCORES, *([getattr(row, name) for name in SCORES] for row in outcome.rows)]
        case Relation():
            return [distinct(outcome.names), *zip(*outcome.lists(outcome.num_rows), strict=True)]
        case _:
            return None
