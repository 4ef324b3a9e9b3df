"""Statements and errors as people would read them, in .vql files."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistaql.errors import Span, VistaQLError
from vistaql.frontend.hints import HELPED
from vistaql.frontend.parser import parse
from vistaql.frontend.printer import to_text
from vistaql.help import help_on

GOLDEN = Path(__file__).with_name("golden")
EXPECTED = "--: "


def answer(text: str) -> str:
    try:
        return to_text(parse(text))
    except VistaQLError as error:
        return error.render()


def blocks(text: str) -> list[tuple[str, str]]:
    """The typed text and the expected answer of each block; blank lines part the blocks."""
    found = []
    for block in text.strip().split("\n\n")[1:]:
        lines = block.split("\n")
        typed = [line for line in lines if not line.startswith(EXPECTED.rstrip())]
        expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED.rstrip())]
        found.append(("\n".join(typed), "\n".join(expected)))
    return found


def bless(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parts = [text.split("\n\n")[0]]
    for typed, _ in blocks(text):
        parts.append(typed + "".join(f"\n{EXPECTED}{line}" for line in answer(typed).split("\n")))
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["statements", "first_typed", "errors"])
def test_answers_are_as_written(name: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.vql"
    if request.config.getoption("--bless"):
        bless(path)
    for typed, expected in blocks(path.read_text(encoding="utf-8")):
        assert answer(typed) == expected


def test_statements_parse_and_print_to_a_fixed_point() -> None:
    for typed, expected in blocks((GOLDEN / "statements.vql").read_text(encoding="utf-8")):
        assert repr(parse(expected)) == repr(parse(typed))
        assert to_text(parse(expected)) == expected


@pytest.mark.parametrize("name", ["first_typed", "errors"])
def test_every_wrong_text_is_told_where_what_and_what_next(name: str) -> None:
    for typed, expected in blocks((GOLDEN / f"{name}.vql").read_text(encoding="utf-8")):
        assert expected.startswith("VQL1"), typed
        assert "^" in expected, typed
        assert "  hint: " in expected, typed


def test_what_a_hint_calls_a_topic_of_help_is_one() -> None:
    for topic in HELPED.values():
        help_on(topic, Span(0, 0))
