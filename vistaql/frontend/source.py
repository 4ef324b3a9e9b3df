"""The text itself, before and beside the grammar."""

from __future__ import annotations

import re
import unicodedata

from vistaql.errors import Code, Span, VistaQLError

# NUL ends strings in the libraries below; half a surrogate pair cannot be written to any file.
ODD = re.compile("[\x00\ud800-\udfff]")


def refuse_odd_characters(text: str) -> None:
    """Raise BAD_LITERAL at a character that is no text."""
    if found := ODD.search(text):
        message = f"The text holds {character_name(found[0])}, which is no text."
        hint = "Take it out, and save the file as UTF-8."
        raise VistaQLError(Code.BAD_LITERAL, message, Span(found.start(), found.end()), hint)


def character_name(character: str) -> str:
    """A character for people: itself where it can be seen, and always its number.

    >>> character_name("\\u200b"), character_name("@")
    ('U+200B (ZERO WIDTH SPACE)', "'@'")
    """
    if " " < character <= "~":
        return f"'{character}'"
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'unnamed')})"
