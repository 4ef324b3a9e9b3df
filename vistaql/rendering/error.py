"""Errors as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.rendering.style import PLAIN, Style, printable_lines

if TYPE_CHECKING:
    from vistaql.errors import VistaQLError


def error_text(error: VistaQLError, style: Style = PLAIN) -> str:
    """An error with its line, its caret and its hint."""
    code = error.code.value
    return style.alarm(code) + printable_lines(error.render()).removeprefix(code)
