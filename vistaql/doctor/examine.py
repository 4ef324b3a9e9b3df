"""The examination: every topic in turn, written as soon as it is known."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vistaql.doctor import hardware, software, state, trial
from vistaql.doctor.finding import Finding, State
from vistaql.rendering.style import Style, printable
from vistaql.rendering.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = 18


def examine(home: Path) -> Iterator[Finding]:
    """Look at everything that VistaQL needs; `home` is where the catalog lies."""
    yield software.python()
    yield software.tensorflow()
    yield hardware.processor()
    yield hardware.gpu()
    yield hardware.cores()
    yield hardware.memory()
    yield hardware.disk(home)
    yield hardware.limits()
    yield software.spark()
    yield software.java()
    yield state.catalog(home)
    yield state.weights()
    yield trial.trial()


def show(findings: Iterable[Finding], stream: TextIO, style: Style) -> bool:
    """Write each finding, with what to do about it; whether there is no fault."""
    seen = []
    for finding in findings:
        seen.append(finding.state)
        mark = f"{finding.state.value:<6}"
        mark = style.alarm(mark) if finding.state is State.FAULT else style.strong(mark)
        print(f"{mark}{finding.topic:<12}{wrapped(finding.found, style)}", file=stream, flush=True)
        if finding.advice:
            print(f"{'':{HEAD}}{wrapped('-> ' + finding.advice, style)}", file=stream, flush=True)
    faults = seen.count(State.FAULT)
    told = f"{counted(faults, 'fault')} to mend." if faults else "All that is needed is here."
    print(f"\n{told}", file=stream)
    return not faults


def wrapped(text: str, style: Style) -> str:
    """Text beside the head of a line, without that head."""
    indent = " " * HEAD
    width = style.text_width - 1
    filled = textwrap.fill(printable(text), width, initial_indent=indent, subsequent_indent=indent)
    return filled[HEAD:]
