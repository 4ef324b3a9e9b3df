"""Outcomes and errors as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.outcome import Explanation, Exploration, Relation
from vistaql.rendering.exploration import exploration_text
from vistaql.rendering.relation import relation_text
from vistaql.rendering.style import PLAIN, printable, printable_lines

if TYPE_CHECKING:
    from vistaql.errors import VistaQLError
    from vistaql.outcome import Outcome
    from vistaql.rendering.style import Style


def to_text(outcome: Outcome, style: Style = PLAIN) -> str:
    """What is printed for an outcome, without a line end after it."""
    match outcome:
        case Exploration():
            return exploration_text(outcome, style)
        case Relation():
            return relation_text(outcome, style)
        case Explanation():
            return printable_lines(outcome.text).rstrip("\n")
        case _:
            return "\n".join(printable(line) for line in outcome.lines)


def error_text(error: VistaQLError, style: Style = PLAIN) -> str:
    """An error with its line, its caret and its hint."""
    text = printable_lines(error.render())
    code = error.code.value
    return style.alarm(code) + text.removeprefix(code) if text.startswith(code) else text
