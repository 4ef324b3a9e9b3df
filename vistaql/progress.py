"""How long work tells that it goes on, and asks whether it should: two protocols, and the silent answer to each.

Whoever works calls `start` once, `advance` as pieces are done, and `finish` at the end, whatever the end was:
`with task(progress, "Infer strokes", 896, "images") as advance: ...` does all three.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Progress(Protocol):
    """Someone who watches work. Calls may come from any thread; one piece of work at a time."""

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
