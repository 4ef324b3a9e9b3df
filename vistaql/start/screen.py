"""`vistaql start` as a person meets it: what was seen, what is taken, the script, the answer."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.outcome import Exploration
from vistaql.rendering.style import Style, printable
from vistaql.rendering.text import to_text
from vistaql.rendering.words import counted
from vistaql.start.cnn import Chosen, Weights, choose, missing
from vistaql.start.forecast import Forecast, forecast
from vistaql.start.keys import Files
from vistaql.start.labels import Candidate
from vistaql.start.look import FOLDS, Sight, gives_away, look
from vistaql.start.script import Script, script_of, shortened, written
from vistaql.units import format_duration

if TYPE_CHECKING:
    from vistaql.session import Session

Ask = Callable[[str], str]
HEAD = 8
MOST_SHOWN = 4


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line; None is left to this program, and to the person at the terminal."""

    photos: Path
    table: Path
    label: str | None = None
    cnn: str | None = None
    weights: Path | None = None


@dataclass(frozen=True)
class Screen:
    """Where to write, how to ask (None: take the defaults), and what to type for this program."""

    stream: TextIO
    style: Style
    ask: Ask | None
    program: str

    def line(self, head: str, text: str) -> None:
        """A line with its head; what is too long goes on under its text."""
        width = self.style.text_width - 1
        indent = " " * HEAD
        body = textwrap.fill(printable(text), width, initial_indent=indent, subsequent_indent=indent)
        print(self.style.strong(f"{head:<{HEAD}}") + body[HEAD:], file=self.stream, flush=True)


def begin(wishes: Wishes, session: Session, screen: Screen) -> None:
    """Look, ask, write explore.vql into the current folder, and run it."""
    folder = Path.cwd()
    sight = look(wishes.photos, wishes.table)
    show_sight(sight, wishes, screen)
    label = label_of(sight, wishes, screen)
    left_out = tuple(item.column for item in gives_away(sight, label))
    show_care(sight, label, left_out, screen)
    chosen = choose(session, wishes.cnn, wishes.weights)
    script = script_of(sight, label, chosen, left_out, session.catalog)
    screen.line("CNN", chosen.words)
    expected = priced(session, script, chosen, sight)
    show_time(expected, sight, screen)
    if chosen.weights is Weights.MISSING:
        raise missing(chosen, command(wishes, screen))
    text = script.text("explore.vql", expected.sample if expected else None, sight.key.rows, chosen.register)
    paths = (sight.images.place, sight.table.source, str(wishes.weights.absolute()) if wishes.weights else "")
    path = written(folder, shortened(text, folder, tuple(filter(None, paths))))
    agreed = chosen.weights is not Weights.NETWORK or agree(screen)
    show_script(path, expected, screen, running=agreed)
    if agreed:
        run(path, session, screen)


def show_sight(sight: Sight, wishes: Wishes, screen: Screen) -> None:
    """What is in the folder and in the table, and the key."""
    skipped = (
        f", {counted(sight.images.statistics.skipped, 'other')} skipped" if sight.images.statistics.skipped else ""
    )
    screen.line("photos", f"{wishes.photos}: {counted(len(sight.files.relatives), 'image')}{skipped}")
    columns = counted(len(sight.table.columns), "column")
    screen.line("table", f"{wishes.table}: {counted(sight.table.rows, 'row')}, {columns}")
    key = sight.key
    matching = (
        f"{key.files:,} of {counted(len(sight.files.relatives), 'image')} ({share(key.files, sight.files)}) have a row"
    )
    if key.files == len(sight.files.relatives) and key.rows == sight.table.rows:
        matching = "all match"
    screen.line("key", f"{key.column} = {key.form.value}: {matching}")


def share(part: int, files: Files) -> str:
    """Of a hundred images, with one decimal; 100.0 % is all of them and nothing less."""
    return f"{min(100 * part / len(files.relatives), 100.0 if part == len(files.relatives) else 99.9):.1f} %"


def label_of(sight: Sight, wishes: Wishes, screen: Screen) -> Candidate:
    """The label asked for, or the likeliest; a person at the terminal may name another."""
    if wishes.label is not None:
        label = named(sight, wishes.label)
        screen.line("label", described(label))
        return label
    if not sight.labels:
        raise VistaQLError(
            Code.NO_LABEL,
            f"No column of {wishes.table} has few enough values to be classes, with {FOLDS} rows or more each.",
            hint=f"{command(wishes, screen)} --label COLUMN, or make one: CREATE TABLE .. AS SELECT ..",
        )
    label, *others = sight.labels
    also = "; also possible: " + ", ".join(map(described, others[:MOST_SHOWN])) if others else ""
    screen.line("label", f"{described(label)}{also}")
    while screen.ask is not None and others:
        answer = screen.ask(f"{'':{HEAD}}which one? [{label.expression}] ").strip()
        if not answer:
            break
        try:
            return named(sight, answer)
        except VistaQLError as error:
            screen.line("", f"{error.message} {error.hint}")
    return label


def described(label: Candidate) -> str:
    """A candidate and how many classes it has."""
    return f"{label.expression} ({label.count} classes)"


def named(sight: Sight, name: str) -> Candidate:
    """The label of that name, among those that can be one."""
    wanted = name.casefold()
    found = next((one for one in sight.labels if wanted in (one.column.casefold(), one.expression.casefold())), None)
    if found is None:
        known = sight.table.column(name) is not None
        raise VistaQLError(
            Code.NO_LABEL if known else Code.UNKNOWN_COLUMN,
            f"'{name}' cannot be the label: it has too many values, or too few rows of each."
            if known
            else f"There is no column '{name}' in the table.",
            hint=did_you_mean(name, [one.expression for one in sight.labels], "possible labels"),
        )
    return found


def show_care(sight: Sight, label: Candidate, left_out: tuple[str, ...], screen: Screen) -> None:
    """What a person should know before believing the figures."""
    for column in left_out:
        screen.line("care", f"{column} alone gives {label.column}: it is left out of the features")
    key = sight.key
    if key.rows < sight.table.rows / 2:
        screen.line("care", f"{counted(sight.table.rows - key.rows, 'row')} have no photo, and are not learnt from")
    if key.repeated:
        screen.line("care", f"{counted(key.repeated, 'row')} name a photo again; the first of each photo counts")
    if key.shared:
        screen.line("care", "several photos have one key: their features are averaged (PER KEY mean)")
    without = label.classes.without_label
    if without:
        screen.line("care", f"{counted(without, 'row')} have no {label.column}, and are not learnt from")
    small = label.classes.smaller_than(FOLDS)
    if small:
        shown = ", ".join(small[:MOST_SHOWN]) + (" and others" if len(small) > MOST_SHOWN else "")
        screen.line("care", f"fewer than {FOLDS} rows have {label.column} {shown}")


def priced(session: Session, script: Script, chosen: Chosen, sight: Sight) -> Forecast | None:
    """How long it takes; a model that has to be read first is not priced."""
    if chosen.register and chosen.known is None:
        return None
    query = script.query.replace(f"EXPLORE {chosen.name}\n", f"EXPLORE {chosen.base}\n", 1)
    return forecast(session, script.setup, query, sight.key.rows)


def show_time(expected: Forecast | None, sight: Sight, screen: Screen) -> None:
    """The first look, and all of it."""
    if expected is None:
        return
    everything = f"all {counted(sight.key.rows, 'row')}: about {format_duration(expected.everything)}"
    if expected.sample is not None:
        everything = f"first look at {expected.sample:,} rows: about {format_duration(expected.first)}; {everything}"
    screen.line("time", everything)


def agree(screen: Screen) -> bool:
    """Whether the weights may be downloaded."""
    answer = screen.ask(f"{'':{HEAD}}download the weights? [Y/n] ") if screen.ask else ""
    return answer.strip().casefold() in {"", "y", "yes"}


def show_script(path: Path, expected: Forecast | None, screen: Screen, *, running: bool) -> None:
    """What was written, and what happens now."""
    lines = sum(bool(line) and not line.startswith("--") for line in path.read_text(encoding="utf-8").splitlines())
    now = ""
    if running:
        sample = expected.sample if expected else None
        now = f"; running it with SAMPLE {sample}" if sample is not None else "; running it"
    screen.line("wrote", f"{path.name} ({counted(lines, 'line')} of statements, yours to edit){now}")
    if not running:
        screen.line("", f"to run it: {screen.program} run {path.name}")


def run(path: Path, session: Session, screen: Screen) -> None:
    """Run the script and print its answer, and what to try next."""
    print(file=screen.stream)
    for _, outcome in session.run(path.read_text(encoding="utf-8"), {}, path.parent):
        if isinstance(outcome, Exploration):
            print(to_text(outcome, screen.style), file=screen.stream)
    name = shlex.quote(path.name)
    home = f" --home {shlex.quote(os.path.relpath(session.home))}" if session.home.is_relative_to(Path.cwd()) else ""
    steps = (
        ("change the question, and ask again", f"{screen.program} run {name}{home}"),
        ("every figure, as rows", f'{screen.program} -c "SELECT * FROM _"{home}'),
    )
    print(screen.style.strong("\nTry next"), file=screen.stream)
    for what, words in steps:
        print(f"  # {what}\n  {words}", file=screen.stream)


def command(wishes: Wishes, screen: Screen) -> str:
    """The command that was typed, to be typed again with more."""
    label = f" --label {shlex.quote(wishes.label)}" if wishes.label else ""
    return f"{screen.program} start {shlex.quote(str(wishes.photos))} {shlex.quote(str(wishes.table))}{label}"
