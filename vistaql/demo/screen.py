"""The demo as a user meets it: the question, the answer, and what to try next."""

from __future__ import annotations

import shlex
import textwrap
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from vistaql.demo.folder import HOME, MEASURES, QUESTION, SCANS, SCRIPT, SETUP, Demo, write
from vistaql.outcome import Exploration
from vistaql.rendering.style import Style
from vistaql.rendering.text import to_text
from vistaql.rendering.verdict import contests
from vistaql.session import connect
from vistaql.units import format_duration

if TYPE_CHECKING:
    from pathlib import Path

    from vistaql.progress import Progress

INTRODUCTION = """\
  A small CNN has learnt to read the handwritten digits 0 to 4, and no others.
  Which of its layers tells 5, 6, 7, 8 and 9 apart best?
  (Real scans, each set at a random place and size on grey paper by this demo.)
"""


def show(folder: Path, stream: TextIO, style: Style, *, program: str, progress: Progress) -> None:
    """Write the demo into the folder, run its question, and print the screen. `program` is what to type for vistaql."""
    started = perf_counter()
    demo = write(folder)
    with connect(demo.home) as session:
        for _ in session.run(SETUP, {}, demo.folder):
            pass
        done(demo, perf_counter() - started, stream, style)
        print(INTRODUCTION, file=stream)
        print(prompted(QUESTION, style), end="\n\n", file=stream, flush=True)
        session.progress = progress
        for _, outcome in session.run(QUESTION, {}, demo.folder):
            if isinstance(outcome, Exploration):
                print(to_text(outcome, style), file=stream)
                print(moral(outcome), file=stream)
    print(next_steps(demo, program, style), file=stream)


def done(demo: Demo, seconds: float, stream: TextIO, style: Style) -> None:
    """The line that says what was written, and how long it took."""
    kept = f"; your {SCRIPT} is kept" if demo.kept else ""
    line = f"{demo.folder}/  {demo.count} {SCANS}, {MEASURES}, {SCRIPT}, {HOME}/{kept} "
    end = f" {format_duration(seconds)}"
    print(line.ljust(style.text_width - 1 - len(end), ".") + end, end="\n\n", file=stream, flush=True)


def prompted(statement: str, style: Style) -> str:
    r"""A statement as it is typed at a prompt.

    >>> print(prompted("EXPLORE a\nFROM b;", Style()))
    vistaql> EXPLORE a
        ...> FROM b;
    """
    first, *rest = statement.strip().split("\n")
    lines = [("vistaql> ", first), *(("    ...> ", line) for line in rest)]
    return "\n".join(f"{style.faint(prompt)}{style.strong(line)}" for prompt, line in lines)


def moral(result: Exploration) -> str:
    """What asking was worth, against taking the last layer unasked."""
    found = contests(result)[0]
    if found.last is found.best or found.last in found.as_good:
        return "The last layer, which most people take, would have done as well this time."
    points = round(100 * found.ahead(found.best, found.last))
    return f"Most people take the last layer. Asking was worth {points} points."


def next_steps(demo: Demo, program: str, style: Style) -> str:
    """Three commands that work as they are printed, in the folder where the demo was started."""
    home = f"--home {shlex.quote(str(demo.home))}"
    question = "EXPLAIN EXPLORE strokes FROM scans JOIN measures TRAIN lr"
    steps = (
        ("what the plan is, and which plans lost", f'{program} {home} -c "\n    {question}"'),
        ("every figure, as rows", f'{program} {home} -c "SELECT * FROM _"'),
        ("the question again; the file is yours to change", f"{program} run {shlex.quote(str(demo.script))} {home}"),
    )
    lines = [style.strong("\nTry next")]
    for what, command in steps:
        lines += [f"  # {what}", textwrap.indent(command, "  ")]
    return "\n".join(lines)
