"""Numbers and lists as a sentence says them."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CARDINALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = (
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip


# A figure and its unit are read as one.
WITH_UNIT = re.compile(r"(\d) (?=(?:s|min|h|[KMGT]?B)\b|%)")
GLUE = "\x00"


def filled(text: str, width: int, indent: str = "") -> str:
    """Text in lines of a width, which never end between a figure and its unit.

    >>> print(filled("In all it took 3.1 s", 18))
    In all it took
    3.1 s
    """
    glued = WITH_UNIT.sub(lambda found: found[1] + GLUE, text)
    return textwrap.fill(glued, width, initial_indent=indent, subsequent_indent=indent).replace(GLUE, " ")


def cardinal(number: int) -> str:
    """Words up to twelve, digits above.

    >>> cardinal(6), cardinal(1200)
    ('six', '1,200')
    """
    return CARDINALS[number] if number < len(CARDINALS) else f"{number:,}"


def ordinal(number: int) -> str:
    """A place in a row.

    >>> ordinal(3), ordinal(21), ordinal(112)
    ('third', '21st', '112th')
    """
    if number < len(ORDINALS):
        return ORDINALS[number]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(2000, "class", "classes")
    ('1 row', '2,000 classes')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(items: Sequence[str], most: int = 4) -> str:
    """Items in a row; of more than `most` the first few, and how many more there are.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(["a", "b", "c", "d", "e", "f"])
    ('a', 'a, b and c', 'a, b, c and three more')
    """
    if len(items) == 1:
        return items[0]
    if len(items) > most:
        return f"{', '.join(items[: most - 1])} and {cardinal(len(items) - most + 1)} more"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def capitalised(sentence: str) -> str:
    """The sentence with a capital at its beginning.

    >>> capitalised("one pass. Two.")
    'One pass. Two.'
    """
    return sentence[:1].upper() + sentence[1:]
