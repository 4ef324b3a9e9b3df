"""Rows and columns as a table of text that fits the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.rendering.style import cells, fit, pad, printable
from vistaql.rendering.values import shown_column, stands_right
from vistaql.rendering.words import counted, filled

if TYPE_CHECKING:
    from vistaql.outcome import Relation
    from vistaql.rendering.style import Style

MOST_ROWS = 200
"""rows shown on a terminal; a pipe gets them all"""
NARROWEST_COLUMN = 6
GAP = "  "


def relation_text(relation: Relation, style: Style) -> str:
    """The rows under their names; one below the other where there are too many columns for the screen."""
    count = relation.num_rows
    limit = count if style.width is None else min(count, MOST_ROWS)
    columns = [[*map(printable, shown_column(values))] for values in relation.lists(limit)]
    names = [printable(name) for name in relation.names]
    widths = [max([cells(name), *map(cells, column)]) for name, column in zip(names, columns, strict=True)]
    narrowed = squeezed(widths, style.width)
    if narrowed is None:
        body = below_each_other(names, columns, style)
    else:
        right = [number or stands_right(column) for number, column in zip(relation.numbers, columns, strict=True)]
        body = side_by_side(names, columns, narrowed, right, style)
    notes = [
        *relation.notes,
        *([f"{counted(count - limit, 'more row')}; --format csv prints all"] * (limit < count)),
    ]
    footer = [filled(printable(note), style.text_width - 1) for note in notes]
    empty = ["(no rows)"] if count == 0 else []
    return "\n".join([*([printable(relation.title)] if relation.title else []), body, *empty, *footer])


def squeezed(widths: list[int], width: int | None) -> list[int] | None:
    """Widths that fit the screen: the widest columns give up theirs first. None where nothing readable fits.

    >>> squeezed([4, 30, 10], 40), squeezed([20] * 30, 80)
    ([4, 22, 10], None)
    """
    if width is None:
        return widths
    room = width - len(GAP) * (len(widths) - 1)
    if room < sum(min(one, NARROWEST_COLUMN) for one in widths):
        return None
    narrowed = list(widths)
    while sum(narrowed) > room:
        widest = max(narrowed)
        second = max((one for one in narrowed if one < widest), default=NARROWEST_COLUMN)
        equal = [place for place, one in enumerate(narrowed) if one == widest]
        # Bring the widest ones down together, to the next lower width or as far as needed.
        step = max(1, min(widest - max(second, NARROWEST_COLUMN), -(-(sum(narrowed) - room) // len(equal))))
        for place in equal[: sum(narrowed) - room]:
            narrowed[place] -= min(step, sum(narrowed) - room)
    return narrowed


def side_by_side(names: list[str], columns: list[list[str]], widths: list[int], right: list[bool], style: Style) -> str:
    """A line of names, a rule, and a line a row; numbers stand at the right."""

    def line(texts: list[str]) -> str:
        parts = zip(texts, widths, right, strict=True)
        return GAP.join(
            pad(fit(text, width, style.cut), width, right=at_right) for text, width, at_right in parts
        ).rstrip()

    rule = GAP.join("-" * width for width in widths)
    rows = [line(list(row)) for row in zip(*columns, strict=True)]
    return "\n".join([style.strong(line(names)), rule, *rows])


def below_each_other(names: list[str], columns: list[list[str]], style: Style) -> str:
    """A block a row, a line a value."""
    longest = min(max(map(cells, names), default=0), style.text_width // 2)
    room = (style.width or style.text_width) - longest - len(GAP)
    blocks = []
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        pairs = zip(names, row, strict=True)
        lines = (
            f"{pad(fit(name, longest, style.cut), longest)}{GAP}{fit(value, room, style.cut)}" for name, value in pairs
        )
        blocks.append("\n".join([f"-- row {number}", *lines]))
    return "\n".join(blocks)
