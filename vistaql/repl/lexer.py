"""Colours at the prompt. The grammar is read at the first character, not before the prompt is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.lexers import Lexer

if TYPE_CHECKING:
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

STYLES = {
    "keyword": "bold ansiblue",
    "string": "ansigreen",
    "number": "ansicyan",
    "parameter": "ansimagenta",
    "comment": "ansibrightblack italic",
    "wrong": "ansired underline",
    "command": "bold ansimagenta",
}


class GrammarLexer(Lexer):
    """The colours, line by line, as a prompt wants them."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The fragments of a line."""
        if not document.text:
            return lambda _: []
        from vistaql.repl.highlight import fragments

        lines = fragments(document.text)
        return lambda number: lines[number] if number < len(lines) else []
