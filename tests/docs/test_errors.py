"""docs/errors.md lists every code once, and each example raises its own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.cli.arguments import understand
from vistaql.cli.command import perform
from vistaql.demo.folder import SETUP
from vistaql.errors import Code, VistaQLError
from vistaql.session import connect

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| (VQL\d{4}) (\w+) \| (.+?) \| (.+) \|$", re.MULTILINE)
IN_WORDS = {
    "TOO_DEEP", "TOO_LONG", "NOT_FINITE", "WEIGHTS_CHANGED", "DOWNLOAD_FAILED", "NO_TENSORFLOW", "NOT_CONFIRMED",
    "INTERRUPTED", "OUT_OF_SPACE", "INTERNAL", "NO_JAVA", "SPARK_START", "SPARK_TASK", "GIVEN_SESSION",
}  # fmt: skip


def rows() -> list[tuple[str, str, str, str]]:
    """Number, name, meaning and example of each code."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def examples() -> dict[str, str]:
    """The statement or command that raises each code; those told in words are left out."""
    return {name: last.strip("`") for _, name, _, last in rows() if last.startswith("`") and last.endswith("`")}


def test_the_page_and_the_program_know_the_same_codes() -> None:
    assert [(number, name) for number, name, _, _ in rows()] == [(code.value, code.name) for code in Code]


def test_what_has_no_example_is_known() -> None:
    assert {code.name for code in Code} - examples().keys() == IN_WORDS


def raised(words: str, folder: Path) -> list[Code]:
    """The codes that a statement or a command raises, with the demo's objects in the catalog."""
    try:
        if words.startswith("vistaql "):
            perform(understand(shlex.split(words)[1:]))
        else:
            with connect("home") as session:
                for _ in session.run(words, {}, folder):
                    pass
    except VistaQLError as error:
        return [error.code]
    return []


def test_every_example_raises_its_code(odd_place: Path, subtests: pytest.Subtests) -> None:
    with connect("home") as session:
        for _ in session.run(SETUP, {}, odd_place):
            pass
    for name, words in examples().items():
        with subtests.test(name):
            assert raised(words, odd_place) == [Code[name]]
