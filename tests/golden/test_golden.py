"""Plans and errors as people read them: each block of a script is run, and its answer stands below it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql.errors import VistaQLError
from vistaql.rendering.text import to_text
from vistaql.session import Session

FOLDER = Path(__file__).parent
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.vql"))
EXPECTED = "--: "
# Figures of time and memory are masked; where they end in a column, they keep their width.
FIGURE = re.compile(r"\d+(?:\.\d+)? (?:min \d+ s|h \d+ min|s|min|[KMGT]?B)\b")


def masked(text: str) -> str:
    """Text without figures of time and memory.

    >>> masked("decoding   9.3 s  80 MB")
    'decoding     _ s   _ MB'
    """
    return FIGURE.sub(lambda found: f"_ {found[0].split()[-1]}".rjust(len(found[0])), text)


def answer(text: str, session: Session, folder: Path) -> str:
    """What a person reads after typing the text, figures of time and memory masked."""
    try:
        outcomes = [outcome for _, outcome in session.run(text, {"low": 1, "word": "conv%"}, folder) if outcome]
        told = "\n".join(to_text(outcome) for outcome in outcomes)
    except VistaQLError as error:
        told = error.render()
    # Where a line is broken before a path depends on the length of the temporary folder's name.
    return re.sub(r"\n +path=FOLDER", " path=FOLDER", masked(told).replace(str(folder), "FOLDER"))


def blocks(text: str) -> list[tuple[str, str]]:
    """The typed text and the expected answer of each block; blank lines part the blocks."""
    found = []
    for block in text.strip().split("\n\n")[1:]:
        lines = block.split("\n")
        typed = [line for line in lines if not line.startswith(EXPECTED.rstrip())]
        expected = [line[len(EXPECTED) :] for line in lines if line.startswith(EXPECTED.rstrip())]
        found.append(("\n".join(typed), "\n".join(expected)))
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_answers_are_as_written(
    name: str, session: Session, golden_folder: Path, request: pytest.FixtureRequest
) -> None:
    path = FOLDER / f"{name}.vql"
    text = path.read_text(encoding="utf-8")
    fresh = session.settings
    parts = [text.split("\n\n")[0]]
    differing = []
    for typed, expected in blocks(text):
        # What a statement before has loaded or been asked changes no answer.
        session.settings, session.last_query = fresh, None
        session.machine = replace(session.machine, library_loaded=False)
        actual = answer(typed, session, golden_folder)
        parts.append(typed + "".join(f"\n{EXPECTED}{line}".rstrip() for line in actual.split("\n")))
        if actual != expected:
            differing.append((typed, actual, expected))
    if request.config.getoption("--bless"):
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    else:
        assert not differing, "\n".join(differing[0])


def test_every_script_has_blocks() -> None:
    assert all(blocks((FOLDER / f"{name}.vql").read_text(encoding="utf-8")) for name in SCRIPTS)


def test_every_error_of_binding_says_what_to_type_next() -> None:
    for typed, expected in blocks((FOLDER / "binding.vql").read_text(encoding="utf-8")):
        assert expected.startswith("VQL"), typed
        assert "^" in expected, typed
        assert "  hint: " in expected, typed


def test_plans_keep_to_the_screen() -> None:
    for typed, expected in blocks((FOLDER / "plans.vql").read_text(encoding="utf-8")):
        assert all(len(line) <= 80 for line in expected.split("\n")), typed
