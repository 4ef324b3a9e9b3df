"""docs/reference says what the program knows, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reference import ANSWERS, PAGES, SECTIONS, documented, rules
from vistaql.help import TOPICS

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
STATEMENTS = "_statement"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_as_the_program_writes_it(name: str, request: pytest.FixtureRequest) -> None:
    path, text = FOLDER / f"{name}.md", PAGES[name]()
    if request.config.getoption("--bless"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_page_is_generated() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(PAGES)


def test_every_statement_of_the_grammar_is_on_the_page() -> None:
    named = {word for word in rules()[STATEMENTS].replace("|", " ").split()[1:] if word.isidentifier()}
    shown = {name for names in SECTIONS.values() for name in names}
    assert named - shown - {"help"} == set()
    assert set(SECTIONS) <= set(TOPICS)


def test_every_key_of_an_answer_has_a_meaning() -> None:
    without = [name for owner in ANSWERS for name, _, meaning in documented(owner) if not meaning]
    assert without == []
