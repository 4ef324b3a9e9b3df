"""docs/settings.md says what the program knows."""

from __future__ import annotations

import re
from pathlib import Path

from vistaql.settings import Settings
from vistaql.statements import changed_setting

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `([\w.]+)` \| `(.+?)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str, str]]:
    """Name, default, meaning, and values that are taken."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_setting_is_there_with_its_default_and_meaning() -> None:
    assert [(name, default, meaning) for name, default, meaning, _ in rows()] == list(Settings().describe())


def test_the_values_that_are_said_to_be_taken_are_taken() -> None:
    for name, _, _, values in rows():
        for value in re.findall(r"`(.+?)`", values):
            changed_setting(Settings(), name, value)
