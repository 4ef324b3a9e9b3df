"""Outcomes in the form that was asked for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from vistaql.rendering.style import PLAIN

if TYPE_CHECKING:
    from vistaql.outcome import Outcome
    from vistaql.rendering.style import Style


class Format(Enum):
    """How outcomes are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def written(outcome: Outcome, form: Format, style: Style = PLAIN) -> str:
    """An outcome as text without a line end after it; as CSV, what has no rows is nothing."""
    from vistaql.rendering import machine
    from vistaql.rendering.text import to_text

    match form:
        case Format.JSON:
            return machine.to_json(outcome)
        case Format.CSV:
            return machine.to_csv(outcome)
        case Format.MARKDOWN:
            return machine.to_markdown(outcome)
        case Format.TABLE:
            return to_text(outcome, style)
