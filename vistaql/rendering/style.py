"""What a screen can show: its width, its characters, its colours."""

from __future__ import annotations

import shutil
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN_WIDTH = 80
"""columns that prose and tables of layers keep to, even on a wider screen"""
NARROWEST = 40
"""columns below which nothing is squeezed any more"""
BOLD, DIM, RED, RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Style:
    """How to write. `width` is None where lines may be of any length, as in a pipe."""

    width: int | None = None
    unicode: bool = False
    colour: bool = False

    @property
    def text_width(self) -> int:
        """Columns for prose and for tables of layers."""
        return max(NARROWEST, min(self.width or PLAIN_WIDTH, PLAIN_WIDTH))

    @property
    def bar(self) -> str:
        """The character that bars are made of."""
        return "▇" if self.unicode else "#"

    @property
    def cut(self) -> str:
        """What stands for text that had no room."""
        return "…" if self.unicode else ".."

    def strong(self, text: str) -> str:
        """Text that stands out."""
        return self._in(BOLD, text)

    def faint(self, text: str) -> str:
        """Text that stands back."""
        return self._in(DIM, text)

    def alarm(self, text: str) -> str:
        """Text that reports a failure."""
        return self._in(RED, text)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{RESET}" if self.colour and text else text


PLAIN = Style()
"""for pipes, files and terminals that can do nothing"""


def style_of(stream: TextIO, environ: Mapping[str, str]) -> Style:
    """What the stream can show: plain ASCII unless it is a terminal that says more.

    NO_COLOR takes the colours away, TERM=dumb and a locale without UTF-8 everything.
    """
    if not stream.isatty() or environ.get("TERM", "dumb") == "dumb":
        return PLAIN if not stream.isatty() else Style(width=terminal_width())
    # Python itself writes UTF-8 under LC_ALL=C; the terminal does not read it.
    unicode = speaks_utf8(environ) and (stream.encoding or "").lower().replace("-", "") == "utf8"
    return Style(terminal_width(), unicode, colour=not environ.get("NO_COLOR"))


def terminal_width() -> int:
    """Columns of the terminal, or what COLUMNS says."""
    return max(NARROWEST, shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns)


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale has UTF-8. The first variable that is set decides.

    >>> speaks_utf8({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}), speaks_utf8({"LANG": "de_DE.utf8"}), speaks_utf8({})
    (False, True, False)
    """
    chosen = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "C")
    return chosen.lower().replace("-", "").endswith("utf8")


def printable(text: str) -> str:
    r"""Text from data made harmless for a screen: nothing in it moves the cursor, colours, or turns direction.

    Line ends and tabs become spaces; other control and format characters go.

    >>> printable("a\x1b[31mb\nc\u202ed")
    'a[31mb cd'
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = "".join(" " if c in "\t\n\r\x0b\x0c\x85\u2028\u2029" else c for c in text)
    # Cf holds what turns the direction of writing; Cs are halves of characters, which no screen can show.
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


def printable_lines(text: str) -> str:
    r"""`printable` for text whose line ends are meant.

    >>> printable_lines("a\x07\nb")
    'a\nb'
    """
    return "\n".join(printable(line) for line in text.split("\n"))


def cells(text: str) -> int:
    r"""Columns that text takes on a screen.

    >>> cells("abc"), cells("日本"), cells("e\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me") for c in text)


def fit(text: str, width: int, cut: str) -> str:
    """The text, or as much of it as `width` columns hold, with a sign that some is missing.

    >>> fit("abcdef", 4, "…"), fit("abcd", 4, "…")
    ('abc…', 'abcd')
    """
    if cells(text) <= width:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > width - len(cut):
            break
        kept += character
    return (kept + cut)[:width]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill up to `width` columns with spaces; `right` puts the text at the right.

    >>> pad("日", 4) + "|", pad("7", 3, right=True)
    ('日  |', '  7')
    """
    space = " " * (width - cells(text))
    return space + text if right else text + space
