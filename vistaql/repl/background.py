"""TensorFlow is loaded while the prompt is idle, so that the first query finds it there.

The shared libraries are opened first and outside Python's lock, which takes most of the time; the rest is Python,
which lets the prompt in between. A key that is typed puts the beginning off.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from vistaql.errors import VistaQLError

IDLE_SECONDS = 1.5


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
