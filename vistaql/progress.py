"""How long work tells that it goes on, and asks whether it should: two protocols, and the silent answer to each.

A statement that has a plan shows it with `plan`. Whoever works calls `start` once, `advance` as pieces are done, and
`finish` at the end, whatever the end was: `with task(progress, "strokes fc6", 896, "images") as advance: ...` does
all three. Work whose name is that of a part of the plan counts there; other work stands alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOADING, FITTING = "Load TensorFlow", "Train"
"""names of parts that every plan has"""


@dataclass(frozen=True)
class Part:
    """A node of a plan as it is watched: `name` is what work on it is called, `words` what it shows.

    `seconds` are those of the cost model for all `total` pieces; `depth` counts the nodes above.
    """

    name: str
    words: str
    seconds: float
    total: int
    unit: str
    depth: int = 0


class Progress(Protocol):
    """Someone who watches work. Calls may come from any thread; one piece of work at a time."""

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        """A plan begins to run, its root first, which may take so much memory."""

    def end(self) -> None:
        """The plan is over, done or not."""

    def start(self, what: str, total: int, unit: str) -> None:
        """Work begins: `total` pieces, named by `unit` in the plural."""

    def advance(self, count: int) -> None:
        """`count` more pieces are done."""

    def finish(self) -> None:
        """The work is over, done or not."""

    def say(self, line: str) -> None:
        """A line worth reading while the work goes on."""


class Confirm(Protocol):
    """Someone who can be asked before expensive work."""

    def __call__(self, question: str) -> bool:
        """Whether to go on; a program without a person at it goes on."""


class Silent:
    """The progress that nobody watches."""

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""

    def start(self, what: str, total: int, unit: str) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""


def go_on(question: str) -> bool:  # noqa: ARG001, the protocol passes it
    """The answer where nobody is there to be asked."""
    return True


@contextmanager
def planned(progress: Progress, parts: tuple[Part, ...], limit_bytes: int) -> Iterator[None]:
    """Show a plan while it runs."""
    progress.plan(parts, limit_bytes)
    try:
        yield
    finally:
        progress.end()


@contextmanager
def task(progress: Progress, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Report one piece of work; gives the function that counts what is done.

    >>> with task(Silent(), "Decode", 2, "images") as advance:
    ...     advance(2)
    """
    progress.start(what, total, unit)
    try:
        yield progress.advance
    finally:
        progress.finish()
