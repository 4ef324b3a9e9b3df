"""Errors that say where, what was found, and what to type next.

An error is raised deep in the program with a code, a message, and, where the text is to blame, a span.
The source is attached at the top (`VistaQLError.in_source`), which is where the caret can be drawn.

>>> error = VistaQLError(Code.UNKNOWN_TABLE, "There is no table 'productz'.", span=Span(9, 17),
...                      hint="Did you mean products?")
>>> print(error.in_source("DESCRIBE productz;").render())
VQL1201: There is no table 'productz'.
  line 1: DESCRIBE productz;
                   ^^^^^^^^
  hint: Did you mean products?
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` up to, not including, `end` of a source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Cover both spans and what lies between them."""
        return Span(min(self.start, other.start), max(self.end, other.end))


class Code(Enum):
    """Every error has one stable code. A code is never given to another meaning."""

    # 10xx: the text is not a statement
    SYNTAX = "VQL1001"
    CLAUSE_TWICE = "VQL1002"
    BAD_LITERAL = "VQL1003"
    TOO_DEEP = "VQL1004"
    TOO_LONG = "VQL1005"

    # 12xx: the statement names what does not exist, or does not fit
    UNKNOWN_TABLE = "VQL1201"
    UNKNOWN_IMAGES = "VQL1202"
    UNKNOWN_COLUMN = "VQL1203"
    AMBIGUOUS_COLUMN = "VQL1204"
    UNKNOWN_CNN = "VQL1205"
    UNKNOWN_LAYER = "VQL1206"
    UNKNOWN_LEARNER = "VQL1207"
    UNKNOWN_METRIC = "VQL1208"
    UNKNOWN_OPTION = "VQL1209"
    BAD_OPTION_VALUE = "VQL1210"
    NO_COMMON_KEY = "VQL1211"
    NO_LABEL = "VQL1212"
    NO_LEARNER = "VQL1213"
    BAD_POOL = "VQL1214"
    MISSING_PARAMETER = "VQL1215"
    UNKNOWN_SETTING = "VQL1216"
    BAD_EXPRESSION = "VQL1217"
    NOTHING_BEFORE = "VQL1218"
    DUPLICATE_NAME = "VQL1219"
    BAD_EVALUATION = "VQL1220"

    # 13xx: the rows do not allow the question
    ONE_CLASS = "VQL1301"
    SEVERAL_IMAGES_A_KEY = "VQL1302"
    NO_ROWS = "VQL1303"
    TOO_FEW_ROWS = "VQL1304"
    TOO_MANY_CLASSES = "VQL1305"
    NOT_FINITE = "VQL1306"

    # 20xx: catalog and files
    NAME_TAKEN = "VQL2001"
    UNKNOWN_OBJECT = "VQL2002"
    FILE_NOT_FOUND = "VQL2003"
    UNREADABLE_FILE = "VQL2004"
    CATALOG = "VQL2005"
    SQL = "VQL2006"
    EQUAL_KEYS = "VQL2007"
    NO_IMAGES = "VQL2008"
    NOT_WRITABLE = "VQL2009"
    FOREIGN_FOLDER = "VQL2010"
    BAD_URL = "VQL2011"
    UNREACHABLE = "VQL2012"

    # 30xx: CNNs and their weights
    UNKNOWN_BUILDER = "VQL3001"
    NO_WEIGHTS = "VQL3002"
    WEIGHTS_CHANGED = "VQL3003"
    UNSAFE_MODEL = "VQL3004"
    BAD_MODEL = "VQL3005"
    DOWNLOAD_FAILED = "VQL3006"
    NO_TENSORFLOW = "VQL3007"

    # 31xx: images
    BAD_IMAGE = "VQL3101"
    TOO_MANY_BAD_IMAGES = "VQL3102"

    # 40xx: plans
    NO_FEASIBLE_PLAN = "VQL4001"
    NOT_CONFIRMED = "VQL4002"
    THREADS_FIXED = "VQL4003"

    # 50xx: running
    INTERRUPTED = "VQL5001"
    OUT_OF_SPACE = "VQL5002"

    # 60xx: Spark
    NO_JAVA = "VQL6001"
    SPARK_START = "VQL6002"
    SPARK_TASK = "VQL6003"
    GIVEN_SESSION = "VQL6004"

    # 90xx: this program
    USAGE = "VQL9001"
    INTERNAL = "VQL9002"


@dataclass(eq=False)
class VistaQLError(Exception):
    """The one exception that reaches a user.

    `span` points into `source`; `hint` is the way out, and is written so that it can be typed.
    """

    code: Code
    message: str
    span: Span | None = None
    hint: str | None = None
    source: str | None = field(default=None, repr=False)
    others: tuple[VistaQLError, ...] = field(default=(), repr=False)
    """further errors of the same script, in the order of its text"""

    def __str__(self) -> str:
        return self.render()

    def in_source(self, source: str) -> VistaQLError:
        """Attach the text that the span points into, unless an inner source is attached already."""
        if self.source is None:
            self.source = source
        return self

    def render(self) -> str:
        """The message, the line with a caret, and the hint, as plain text."""
        parts = [f"{self.code.value}: {masked(self.message)}"]
        if self.span is not None and self.source is not None:
            parts.append(point(masked(self.source), self.span))
        if self.hint:
            parts.append(f"  hint: {self.hint}")
        return "\n".join(parts)

    def to_json(self) -> dict[str, object]:
        """For `--format json`: code, message, hint and the place (line and column count from 1)."""
        place = None if self.span is None or self.source is None else line_and_column(self.source, self.span.start)
        return {
            "error": self.code.value,
            "message": masked(self.message),
            "hint": self.hint,
            "line": place and place[0],
            "column": place and place[1],
        }


PASSWORD = re.compile(r"(?<=://)([^/:@\s]*:)(?!\d+/)([^@\s'\"]+)(?=@)")
"""the user and the password in a URL; keys of S3 may hold slashes"""
TOLD = re.compile(r"\bVistaQLError: (VQL\d{4}): (.+?)(?:\n  hint: (.+?))?\n(?!  )", re.DOTALL)


def masked(text: str) -> str:
    """The text with stars in place of passwords in URLs, as many as it has letters, so that carets stay in place.

    >>> masked("FROM 's3://AKIA:ab/c@photos/', 'ftp://host:21/a@b/'")
    "FROM 's3://AKIA:****@photos/', 'ftp://host:21/a@b/'"
    """
    return PASSWORD.sub(lambda found: found[1] + "*" * len(found[2]), text)


def told_in(trace: str) -> VistaQLError | None:
    r"""The error that the trace of another program, or of DuckDB, ends in; None where it is not one of ours.

    >>> print(told_in("Traceback\nvistaql.errors.VistaQLError: VQL3003: The weights changed.\n  hint: Again.\n\n"))
    VQL3003: The weights changed.
      hint: Again.
    """
    found = TOLD.search(trace + "\n")
    return VistaQLError(Code(found[1]), found[2], hint=found[3]) if found else None


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    r"""Line and column of a character, both from 1.

    >>> line_and_column("a\nbc", 3)
    (2, 2)
    """
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


# Longer lines are cut around the caret, so that it stays on the screen.
WIDEST_LINE = 100


def point(source: str, span: Span) -> str:
    """Draw the line that holds the start of the span, with carets below the span."""
    start = min(span.start, len(source))
    line, column = line_and_column(source, start)
    text = source.split("\n")[line - 1]
    length = max(1, min(span.end - start, len(text) - column + 1))
    cut = max(0, column - 1 - WIDEST_LINE // 2)
    shown = "".join(c if c.isprintable() else " " for c in text[cut : cut + WIDEST_LINE])
    head = f"  line {line}: "
    return f"{head}{shown}\n{' ' * (len(head) + column - 1 - cut)}{'^' * min(length, WIDEST_LINE)}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that the word was most likely meant to be.

    >>> nearest("productz", ["senders", "products"])
    'products'
    >>> nearest("xyz", ["senders", "products"]) is None
    True
    """
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """A hint that names the nearest known name, and otherwise what exists.

    >>> did_you_mean("productz", ["senders", "products"], "tables")
    'Did you mean products? The tables are: products, senders.'
    """
    names = sorted(set(known))
    if not names:
        return f"There are no {what} yet."
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    close = nearest(word, names)
    return (f"Did you mean {close}? " if close else "") + f"The {what} are: {shown}."
