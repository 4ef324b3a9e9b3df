"""Progress on a terminal, and what a terminal can show."""

from __future__ import annotations

import io
from typing import Self

import pytest

from vistaql.errors import Code, Span, VistaQLError
from vistaql.progress import task
from vistaql.rendering.error import error_text
from vistaql.rendering.style import PLAIN, Style, style_of
from vistaql.rendering.terminal import TerminalProgress

UTF8 = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    @classmethod
    def opened(cls, encoding: str = "utf-8") -> Self:
        return cls(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def written(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_with_utf8_shows_everything() -> None:
    style = style_of(Terminal.opened(), UTF8)
    assert style.unicode
    assert style.colour
    assert style.width


@pytest.mark.parametrize(
    "environ",
    [{**UTF8, "TERM": "dumb"}, {"LANG": "en_US.UTF-8"}, {**UTF8, "LC_ALL": "C"}, {"TERM": "xterm"}],
    ids=["dumb", "no TERM", "LC_ALL=C", "no locale"],
)
def test_others_get_ascii(environ: dict[str, str]) -> None:
    assert not style_of(Terminal.opened(), environ).unicode


def test_an_encoding_without_the_bars_gets_ascii() -> None:
    assert not style_of(Terminal.opened("latin-1"), UTF8).unicode


def test_no_color_takes_the_colours_only() -> None:
    style = style_of(Terminal.opened(), {**UTF8, "NO_COLOR": "1"})
    assert style.unicode
    assert not style.colour
    assert not style_of(Terminal.opened(), {**UTF8, "TERM": "dumb"}).colour


def test_a_pipe_is_plain() -> None:
    assert style_of(io.StringIO(), UTF8) == PLAIN


def test_progress_tells_images_rate_and_time_left() -> None:
    stream, clock = Terminal.opened(), Clock()
    watched = TerminalProgress(stream, Style(80), clock)
    with task(watched, "Infer strokes", 896, "images") as advance:
        clock.now = 2.0
        advance(224)
        assert "Infer strokes [#####               ] 224/896 images, 112 images/s, 6.0 s left" in stream.written()
    assert stream.written().endswith("\r" + " " * 79 + "\r")


def test_short_work_is_not_shown() -> None:
    stream, clock = Terminal.opened(), Clock()
    with task(TerminalProgress(stream, Style(80), clock), "Decode", 10, "images") as advance:
        clock.now = 0.3
        advance(10)
    assert stream.written() == ""


def test_a_line_that_stays_is_written_above() -> None:
    stream, clock = Terminal.opened(), Clock()
    watched = TerminalProgress(stream, Style(80), clock)
    watched.start("Infer", 10, "images")
    clock.now = 1.0
    watched.advance(1)
    watched.say("3 images\x1b[2J are bad")
    assert stream.written().endswith("\r3 images[2J are bad\n")


def test_work_that_fails_takes_its_line_away() -> None:
    stream, clock = Terminal.opened(), Clock()
    watched = TerminalProgress(stream, Style(80), clock)

    def fail() -> None:
        with task(watched, "Infer", 10, "images") as advance:
            clock.now = 1.0
            advance(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stream.written().endswith("\r" + " " * 79 + "\r")


def test_errors_point_and_do_not_move_the_cursor() -> None:
    error = VistaQLError(Code.UNKNOWN_TABLE, "There is no table 'a\x1b[2J'.", Span(9, 10), "Did you mean b?")
    text = error_text(error.in_source("DESCRIBE a;"), Style(80))
    assert text == (
        "VQL1201: There is no table 'a[2J'.\n  line 1: DESCRIBE a;\n                   ^\n  hint: Did you mean b?"
    )
    assert error_text(error, Style(80, colour=True)).startswith("\x1b[31mVQL1201\x1b[0m:")
