"""Ctrl-C while a statement runs: the first stops it, a second ends the program, and no process is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130
PATIENCE_SECONDS = 2.5
"""after it the user is told that the statement does not end"""


@contextmanager
def stoppable(say: Callable[[str], None]) -> Iterator[None]:
    """Run a statement so that the first Ctrl-C raises KeyboardInterrupt in it, and the second ends everything."""
    heard: list[threading.Timer] = []

    def interrupt(_: int, __: FrameType | None) -> None:
        if heard:
            end_everything(INTERRUPTED)
        timer = threading.Timer(PATIENCE_SECONDS, say, ["Still stopping .. Ctrl-C again ends the program."])
        timer.daemon = True
        timer.start()
        heard.append(timer)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        for timer in heard:
            timer.cancel()


def end_everything(code: int) -> None:
    """End this process and those it started, without waiting for threads that compute."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    for child in children():
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
    os._exit(code)


def children() -> list[int]:
    """The processes below this one."""
    import psutil

    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process().children(recursive=True)]
    return []
