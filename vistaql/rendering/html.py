"""Outcomes as HTML for notebooks: one piece, no script, nothing fetched."""

from __future__ import annotations

import math
from html import escape
from itertools import count
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError
from vistaql.outcome import Explanation, Exploration, Relation
from vistaql.rendering.answer import account, answer
from vistaql.rendering.exploration import against, layer_lines, scale_of, title
from vistaql.rendering.relation import MOST_ROWS
from vistaql.rendering.style import printable
from vistaql.rendering.text import to_text
from vistaql.rendering.values import shown
from vistaql.rendering.verdict import contests

if TYPE_CHECKING:
    from pathlib import Path

    from vistaql.outcome import Outcome
    from vistaql.rendering.exploration import Line
    from vistaql.rendering.verdict import Contest

BAR = "display:inline-block;height:0.8em;background:currentColor;opacity:0.5"


def to_html(outcome: Outcome) -> str:
    """A fragment that stands alone; all that comes from data is escaped."""
    match outcome:
        case Exploration():
            return exploration_html(outcome)
        case Relation():
            return relation_html(outcome)
        case Explanation() if outcome.html:
            return f'<iframe srcdoc="{escape(outcome.html)}" style="width:100%;height:60em;border:0"></iframe>'
        case _:
            return f"<pre>{escape(to_text(outcome))}</pre>"


def write_page(html: str, folder: Path) -> Path:
    """Write a page to plan.html in a folder, or to plan-2.html where that is taken, and so on.

    Raises NOT_WRITABLE where the folder takes no file.
    """
    for number in count(1):
        path = folder / ("plan.html" if number == 1 else f"plan-{number}.html")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(html)
        except FileExistsError:
            continue
        except OSError as error:
            raise VistaQLError(
                Code.NOT_WRITABLE,
                f"'{path}' cannot be written: {error.strerror or error}.",
                hint="Send the page elsewhere: vistaql -c 'EXPLAIN FORMAT html ..' > ~/plan.html",
            ) from None
        return path
    raise AssertionError


def exploration_html(result: Exploration) -> str:
    """The tables, the answer above them, the account below."""
    tables = contests(result)
    parts = [f"<p><b>{safe(answer(result))}</b></p>"]
    if result.random_weights:
        parts.insert(0, f"<p><b>Random weights: {safe(', '.join(result.random_weights))}</b></p>")
    for found in tables:
        parts.append(f"<p>{safe(title(found, alone=len(tables) == 1).strip() or found.metric)}</p>")
        parts.append(contest_html(found, result))
    parts.append(f"<p>{safe(account(result))}</p>")
    parts.extend(f"<p>Note: {safe(note)}</p>" for note in result.notes)
    return f"<div>{''.join(parts)}</div>"


def contest_html(found: Contest, result: Exploration) -> str:
    """A row a layer, with its bar."""
    lines = [*layer_lines(found, result), *against(found, result)]
    scale = scale_of(found, lines)
    heads = ("layer", "width", found.metric, "", "over the table alone" if found.alone else "std", "")
    header = "".join(f"<th>{safe(head)}</th>" for head in heads)
    return (
        f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(row(line, scale) for line in lines)}</tbody></table>"
    )


def row(line: Line, scale: float) -> str:
    """A row of the table of layers."""
    share = min(max(line.mean / scale, 0.0), 1.0) if math.isfinite(line.mean) else 0.0
    figure = "" if math.isnan(line.mean) else f"{line.mean:.3f}"
    bar = f'<span style="{BAR};width:{10 * share:.2f}em"></span>'
    values = (safe(line.name), safe(line.width), figure, bar, safe(line.beside), safe(line.mark))
    return f"<tr>{''.join(f'<td>{value}</td>' for value in values)}</tr>"


def relation_html(relation: Relation) -> str:
    """A table of the first rows."""
    columns, count = relation.lists(MOST_ROWS), relation.num_rows
    header = "".join(f"<th>{safe(name)}</th>" for name in relation.names)
    rows = ("".join(f"<td>{safe(shown(value))}</td>" for value in values) for values in zip(*columns, strict=True))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    title_row = f"<p>{safe(relation.title)}</p>" if relation.title else ""
    more = f"<p>{count - MOST_ROWS:,} more rows</p>" if count > MOST_ROWS else ""
    notes = "".join(f"<p>{safe(note)}</p>" for note in relation.notes)
    return f"<div>{title_row}<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>{more}{notes}</div>"


def safe(text: str) -> str:
    """Text from data that is text in HTML as well."""
    return escape(printable(text))
