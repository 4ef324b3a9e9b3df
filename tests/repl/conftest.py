"""The demo's folder with its home, what a prompt knows of it, and a terminal whose screen can be read."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pyte
import pytest

from vistaql.demo.folder import SETUP, write
from vistaql.names import KnownNames
from vistaql.repl.place import World
from vistaql.session import connect

PATIENCE = 120
"""seconds that a busy machine may take for what takes one"""
WHERE = "\x1b[6n"
"""what the shell sends to learn where the cursor is; a terminal answers"""
STILL = 0.15
"""seconds without a change, after which a screen is taken to be complete; a tree is drawn every 0.2"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's scans and table, named in a home of its own; a table without a key beside them."""
    demo = write(tmp_path_factory.mktemp("shell") / "demo")
    (demo.folder / "prices.csv").write_text("sku,price\n1,2.5\n")
    with connect(demo.home) as session:
        for _ in session.run(SETUP, {}, demo.folder):
            pass
        for _ in session.run("CREATE TABLE prices FROM 'prices.csv'", {}, demo.folder):
            pass
    return demo.folder


@pytest.fixture
def world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """What a prompt in the demo's folder knows."""
    monkeypatch.chdir(folder)
    with connect(folder / "home") as session:
        yield World(KnownNames(session.catalog, session.registered), session.catalog, session.settings)


@dataclass
class Terminal:
    """The shell in a terminal, and the screen as a person would see it."""

    child: pexpect.spawn[str]
    screen: pyte.Screen
    stream: pyte.Stream

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what the shell has drawn; whether it drew anything."""
        with suppress(pexpect.TIMEOUT, pexpect.EOF):
            text = self.child.read_nonblocking(65536, seconds)
            first, *others = text.split(WHERE)
            self.stream.feed(first)
            for other in others:
                self.child.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
                self.stream.feed(other)
            return True
        return False

    @property
    def lines(self) -> list[str]:
        """The lines of the screen that hold something."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def shows(self, holds: Callable[[list[str]], bool] | str) -> list[str]:
        """Wait until a line of the screen begins with a text, or the lines have a property; gives the lines."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            # What is drawn in pieces is looked at when all of them are there.
            if self.read(STILL):
                continue
            lines = self.lines
            if any(line.startswith(holds) for line in lines) if isinstance(holds, str) else holds(lines):
                return lines
        message = f"{holds!r} did not come. The screen:\n" + "\n".join(self.lines)
        raise AssertionError(message)

    def at_prompt(self) -> list[str]:
        """Wait until the shell is ready for the next statement."""
        return self.shows(lambda lines: bool(lines) and lines[-1] == "vistaql>")

    def type(self, text: str) -> None:
        """Type, and press no Enter."""
        self.child.send(text)

    def run(self, statement: str) -> list[str]:
        """Type a statement on a fresh screen, run it, and wait for the prompt."""
        self.at_prompt()
        self.child.send("\x0c")
        self.shows(lambda lines: lines == ["vistaql>"])
        self.type(statement)
        self.shows(lambda lines: any(line.endswith(statement.rsplit("\n", maxsplit=1)[-1]) for line in lines))
        self.child.send("\r")
        return self.shows(lambda lines: len(lines) > 1 and lines[-1] == "vistaql>")

    def ended(self) -> int | None:
        """Wait for the end of the shell; its exit code."""
        self.child.expect(pexpect.EOF, timeout=PATIENCE)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def home(folder: Path, tmp_path: Path) -> Path:
    """A copy of the demo's home, for tests that type."""
    return Path(shutil.copytree(folder / "home", tmp_path / "home"))


@pytest.fixture
def terminal(folder: Path, home: Path) -> Iterator[Callable[..., Terminal]]:
    """Start the shell in a terminal of 100 columns."""
    started: list[Terminal] = []

    def start(*words: str) -> Terminal:
        environ = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLUMNS": "100", "LINES": "40"}
        command = ["-m", "vistaql", "--home", str(home), *words]
        size = {"dimensions": (40, 100), "timeout": PATIENCE, "encoding": "utf-8"}
        child = pexpect.spawn(sys.executable, command, cwd=str(folder), env=environ, **size)
        child.delaybeforesend = None
        screen = pyte.Screen(100, 40)
        started.append(Terminal(child, screen, pyte.Stream(screen)))
        return started[-1]

    yield start
    for one in started:
        one.child.close(force=True)
