"""Colours for a text that is being typed, from the tokens of the grammar itself.

A keyword is coloured only where it is one: in `LABEL label` the second word is a name. What the parser cannot
read is left as it is, behind the word at which it stopped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lark.exceptions import UnexpectedInput, UnexpectedToken

from vistaql.errors import VistaQLError
from vistaql.repl.standing import keyword, reader_of, tokens_of

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

KINDS = {"STRING": "string", "NUMBER": "number", "QUANTITY": "number", "PARAMETER": "parameter"}
COMMENT = re.compile(r"--[^\n]*|/\*[\s\S]*?(?:\*/|$)")
SQL_PARTS = re.compile(
    r"(?P<string>'[^']*'?)|(?P<comment>--[^\n]*|/\*[\s\S]*?\*/)|(?P<number>\b\d[\w.]*)"
    r"|(?P<keyword>\b(?:select|summarize|with|from|where|group|order|by|having|limit|join|left|inner|using|on|as|and"
    r"|or|not|in|is|null|like|ilike|between|distinct|asc|desc|case|when|then|else|end|union|all)\b)",
    re.IGNORECASE,
)


def coloured(text: str) -> list[tuple[int, int, str]]:
    """Stretches of the text that have a colour: begin, end, and its kind.

    >>> [(text[a:b], kind) for text in ["explore label"] for a, b, kind in coloured(text)]
    [('explore', 'keyword')]
    """
    if text.lstrip().startswith("."):
        return [(0, len(text.split(" ", 1)[0]), "command")]
    found: list[tuple[int, int, str]] = []
    read = 0
    try:
        for token in tokens_of(reader_of(text)):
            begin, end = token.start_pos or 0, token.end_pos or 0
            found += comments(text, read, begin)
            read = end
            if token.type == "SQL":
                found += sql_parts(text, begin, end)
            elif kind := KINDS.get(token.type) or ("keyword" if keyword(token.type) else ""):
                found.append((begin, end, kind))
    except UnexpectedToken as error:
        begin, end = error.token.start_pos or 0, error.token.end_pos or 0
        # The word that is being typed is not wrong yet.
        if error.token.type != "$END" and end < len(text):
            found = [one for one in found if one[0] < begin]
            found.append((begin, end, "wrong"))
        return found
    except (UnexpectedInput, VistaQLError):
        return found
    return [*found, *comments(text, read, len(text))]


def comments(text: str, begin: int, end: int) -> list[tuple[int, int, str]]:
    """Comments between two tokens."""
    return [(one.start(), one.end(), "comment") for one in COMMENT.finditer(text, begin, end)]


def sql_parts(text: str, begin: int, end: int) -> list[tuple[int, int, str]]:
    """Colours inside raw SQL, which is one token of the grammar."""
    return [(one.start(), one.end(), one.lastgroup or "") for one in SQL_PARTS.finditer(text, begin, end)]


@lru_cache(maxsize=16)
def fragments(text: str) -> list[StyleAndTextTuples]:
    """Each line of a text as pieces with a style."""
    lines: list[StyleAndTextTuples] = [[]]
    place = 0

    def add(piece: str, style: str) -> None:
        first, *others = piece.split("\n")
        lines[-1].append((style, first))
        lines.extend([(style, other)] for other in others)

    for begin, end, kind in coloured(text):
        if begin >= place:
            add(text[place:begin], "")
            add(text[begin:end], f"class:{kind}")
            place = end
    add(text[place:], "")
    return lines
