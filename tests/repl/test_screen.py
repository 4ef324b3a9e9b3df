"""The screen as a person sees it, kept as text in `screen.txt`; `--bless` writes it anew, for review."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.repl.conftest import Terminal

if TYPE_CHECKING:
    import pytest

SCREEN = Path(__file__).with_name("screen.txt")
LEFT = "\x1b[D"
CHANGES = (
    (r" in \S+/home\. Tab", " in HOME. Tab"),
    (r"\b\d+(?:\.\d+)? s\b", "N s"),
    (r"result_\d+", "result_N"),
    (r"up to \S+ [MG]B", "up to N GB"),
)
"""what differs from run to run"""


def same_every_time(lines: list[str]) -> str:
    text = "\n".join(lines)
    for pattern, replacement in CHANGES:
        text = re.sub(pattern, replacement, text)
    return text


def test_the_screen_is_the_one_that_was_looked_at(
    terminal: Callable[..., Terminal], request: pytest.FixtureRequest
) -> None:
    shell = terminal()
    seen = [shell.at_prompt()]
    shell.type("EXPLORE LAYERS ")
    shell.shows(lambda lines: len(lines) > 8)
    shell.type(" OF strokes" + LEFT * len(" OF strokes") + "c")
    seen.append(shell.shows(lambda lines: len(lines) > 2 and "48x48x16" in lines[2]))
    shell.type("\x03")
    shell.at_prompt()
    seen.append(shell.run("EXPLORE LAYERS conv3, fc6 OF strokes\nFROM scans JOIN measures TRAIN lr;"))
    seen.append(shell.run("EXPLORE LAYERS conv9 OF strokes FROM scans JOIN measures TRAIN lr;"))
    seen.append(shell.run(".learners"))
    screens = f"\n{'=' * 100}\n".join(map(same_every_time, seen)) + "\n"
    if request.config.getoption("--bless"):
        SCREEN.write_text(screens, encoding="utf-8")
    assert screens == SCREEN.read_text(encoding="utf-8")
