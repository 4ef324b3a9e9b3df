"""Errors as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.rendering.style import PLAIN, Style, printable_lines

if TYPE_CHECKING:
    from vistaql.errors import VistaQLError


def error_text(error: VistaQLError, style: Style = PLAIN) -> str:
    """An error with its line, its caret and its hint, and below it the other errors of the same script."""
    errors = (error, *error.others)
    texts = [style.alarm(one.code.value) + printable_lines(one.render()).removeprefix(one.code.value) for one in errors]
    return "\n\n".join([*texts, *([f"{len(errors)} errors."] * bool(error.others))])
