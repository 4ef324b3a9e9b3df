"""What happens beside the prompt: the session is opened, and TensorFlow is loaded.

The prompt is there before the modules that a statement needs, which are read while a person looks at it. TensorFlow
is loaded while the prompt is idle, so that the first query finds it there. Its shared libraries are opened first and
outside Python's lock, which takes most of the time; the rest is Python, which lets the prompt in between. A key that
is typed puts the beginning off.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vistaql.aside import awaited
from vistaql.errors import VistaQLError

if TYPE_CHECKING:
    from vistaql.session import Session

IDLE_SECONDS = 1.5


@dataclass
class Opening:
    """A session that is opened in a thread, once."""

    open_session: Callable[[], Session]
    _opened: Future[Session] = field(default_factory=Future)
    _begun: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, _: object = None) -> None:
        """Begin to open it, unless that has happened."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._open, name="open", daemon=True).start()

    def session(self) -> Session:
        """Wait for the session. Raises what opening it raised."""
        self.begin()
        return awaited(self._opened)

    def close(self) -> None:
        """Let go of a session that is open."""
        if self._opened.done() and self._opened.exception() is None:
            self._opened.result().close()

    def _open(self) -> None:
        try:
            from vistaql.frontend.parse_table import language

            language()
            self._opened.set_result(self.open_session())
        except BaseException as failure:  # noqa: BLE001, it is raised where the session is asked for
            self._opened.set_exception(failure)


@dataclass
class BackgroundLoading:
    """Waits for a pause, then loads TensorFlow in a thread."""

    touched: float = field(default_factory=time.monotonic)
    stopped: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Wait for the first pause."""
        threading.Thread(target=self._run, name="load", daemon=True).start()

    def touch(self, *_: object) -> None:
        """A key was typed."""
        self.touched = time.monotonic()

    def stop(self) -> None:
        """Load nothing any more."""
        self.stopped.set()

    def _run(self) -> None:
        while (pause := self.touched + IDLE_SECONDS - time.monotonic()) > 0:
            if self.stopped.wait(pause):
                return
        if not self.stopped.is_set() and "tensorflow" not in sys.modules:
            load()


def load() -> None:
    """Load TensorFlow; what fails here is told by the statement that needs it."""
    from vistaql.engines.tensorflow.runtime import import_tensorflow, open_libraries

    open_libraries()
    with suppress(VistaQLError):
        import_tensorflow()
