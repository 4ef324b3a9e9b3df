"""The text itself, before and beside the grammar."""

from __future__ import annotations

import re
import unicodedata

from vistaql.errors import Code, Span, VistaQLError

# NUL ends texts in the libraries below; half a surrogate pair cannot be written to any file.
ODD = re.compile("[\x00\ud800-\udfff]")

SPACE = re.compile(r"(?:[\s\ufeff]+|--[^\n]*|/\*[\s\S]*?\*/)+")
WORD = re.compile(r"""(?P<string>'[^']*(?:''[^']*)*')|(?P<quoted>"[^"]*")|(?P<number>\d[\w.]*)|\w+|/\*|[\s\S]""")

UNCLOSED = ("'", '"', "/*")


def refuse_odd_characters(text: str) -> None:
    """Raise BAD_LITERAL at a character that is no text."""
    if found := ODD.search(text):
        message = f"The text holds {character_name(found[0])}, which is no text."
        hint = "Take it out, and save the file as UTF-8."
        raise VistaQLError(Code.BAD_LITERAL, message, Span(found.start(), found.end()), hint)


def character_name(character: str) -> str:
    r"""A character for people: itself where it is on every keyboard, else its number and name.

    >>> character_name("\u200b"), character_name("@")
    ('U+200B (ZERO WIDTH SPACE)', "'@'")
    """
    if " " < character <= "~":
        return f"'{character}'"
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'no name')})"


def shown(text: str) -> str:
    r"""The text for a message, without what would move or hide its other parts.

    >>> shown("a\n\u202eb")
    'a??b'
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def statement_spans(text: str) -> list[Span]:
    """Where each statement begins and ends, its semicolon included.

    >>> [(span.start, span.end) for span in statement_spans("show tables; select ';'")]
    [(0, 12), (12, 23)]
    """
    found, begin, place = [], 0, 0
    while place < len(text):
        if space := SPACE.match(text, place):
            place = space.end()
        elif word := WORD.match(text, place):
            # What is not closed goes on to the end.
            place = len(text) if word[0] in UNCLOSED else word.end()
            if word[0] == ";":
                found.append(Span(begin, place))
                begin = place
    return [*found, Span(begin, len(text))] if text[begin:].strip() else found


def words(text: str) -> list[str]:
    """The words in capitals, `0` for a number, `''` for a string, `name` for a quoted name; no comments.

    >>> words("select 'a;b', 12 -- c")
    ['SELECT', "''", ',', '0']
    """
    found, place = [], 0
    while place < len(text):
        if space := SPACE.match(text, place):
            place = space.end()
        elif word := WORD.match(text, place):
            kinds = {"string": "''", "quoted": "name", "number": "0"}
            found.append(kinds.get(word.lastgroup or "", word[0].upper()))
            place = word.end()
    return found


def words_of_statement(text: str) -> list[str]:
    """The words after the last semicolon, with ^ before them."""
    found = words(text)
    last = max((place for place, word in enumerate(found) if word == ";"), default=-1)
    return ["^", *found[last + 1 :]]


def is_complete(text: str) -> bool:
    """Whether the text ends with the semicolon of a statement, outside strings and comments.

    >>> is_complete("show tables;"), is_complete("show tables"), is_complete("set a = 'x;")
    (True, False, False)
    """
    found = words(text)
    return bool(found) and found[-1] == ";" and not {"'", '"', "/*"} & set(found)
