"""Outcomes as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.outcome import Explanation, Exploration, Relation
from vistaql.rendering.style import PLAIN, printable, printable_lines

if TYPE_CHECKING:
    from vistaql.outcome import Outcome
    from vistaql.rendering.style import Style


def to_text(outcome: Outcome, style: Style = PLAIN) -> str:
    """What is printed for an outcome, without a line end after it."""
    match outcome:
        case Exploration():
            from vistaql.rendering.exploration import exploration_text

            return exploration_text(outcome, style)
        case Relation():
            from vistaql.rendering.relation import relation_text

            return relation_text(outcome, style)
        case Explanation():
            return outcome.html or printable_lines(outcome.text).rstrip("\n")
        case _:
            return "\n".join(printable(line) for line in outcome.lines)
