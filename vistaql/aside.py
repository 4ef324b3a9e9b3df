"""Work beside the main thread, so that Ctrl-C is heard at once and what it interrupts comes to an end.

Python hears a signal between two of its own steps in the main thread. A batch of a large CNN, the trace of a graph
or a matrix product is one such step and takes seconds, so it runs in another thread, and the main thread waits for it.
An interrupted wait asks the other threads to stop where they next come by, and does not wait for them.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# A signal that arrives just before Python begins to wait for a lock is heard only when that wait ends,
# so no wait is longer than this.
AWAKE_SECONDS = 0.5


@dataclass
class Errand(Generic[T]):
    """One call in a thread of its own: what it gave, or how it failed."""

    work: Callable[[], T]
    given: list[T] = field(default_factory=list)
    failure: BaseException | None = None
    unwanted: bool = False

    def run(self) -> None:
        """Do the work; whoever waits hears of its failure. What nobody waits for any more is not begun."""
        if self.unwanted:
            return
        try:
            self.given.append(self.work())
        except BaseException as failure:  # noqa: BLE001, it is raised again in the thread that waits
            self.failure = failure


def aside(work: Callable[[], T], *, finish: bool = False) -> T:
    """What the work gives, or raises. In the main thread an interrupt ends the wait at once.

    With `finish` the work goes on to its end after an interrupt, which is right for an import: half of one
    cannot be repeated. Elsewhere than in the main thread the work is called as it is.

    >>> aside(lambda: 6 * 7)
    42
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    errand = Errand(work)
    thread = threading.Thread(target=errand.run, name="aside", daemon=True)
    try:
        # The interrupt may come while the thread starts; it has a number before it runs the errand.
        thread.start()
        while thread.is_alive():
            thread.join(AWAKE_SECONDS)
    except BaseException:
        if not finish:
            errand.unwanted = True
            stop([thread.ident])
        raise
    if errand.failure is not None:
        raise errand.failure
    return errand.given[0]


def stop(threads: Iterable[int | None]) -> None:
    """Raise KeyboardInterrupt in other threads, each where it next runs Python."""
    for ident in threads:
        if ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))


def awaited(future: Future[T]) -> T:
    """What a future gives, or raises; an interrupt is heard meanwhile."""
    while not future.done():
        # Unlike `concurrent.futures.wait` this makes no waiter for each of thousands of small pieces of work.
        with suppress(TimeoutError):
            future.exception(AWAKE_SECONDS)
    return future.result()


@dataclass
class Crew:
    """Threads that work side by side, and can be sent home in the middle of it."""

    pool: ThreadPoolExecutor
    busy: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    dismissed: bool = False

    def map(self, work: Callable[..., T], *columns: Iterable[Any]) -> Iterator[T]:
        """`map`, side by side; results come in order."""
        futures = [self.pool.submit(self._each, work, row) for row in zip(*columns, strict=False)]
        return map(awaited, futures)

    def _each(self, work: Callable[..., T], row: tuple[Any, ...]) -> T:
        ident = threading.get_ident()
        with self.lock:
            if self.dismissed:
                raise KeyboardInterrupt
            self.busy.add(ident)
        try:
            return work(*row)
        finally:
            with self.lock:
                self.busy.discard(ident)

    def dismiss(self) -> None:
        """Take no more work, and stop what is being done."""
        with self.lock:
            self.dismissed = True
            stop(self.busy)
        self.pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def side_by_side(workers: int, name: str) -> Iterator[Crew]:
    """Threads that work side by side. A failure of the block, an interrupt above all, sends them home.

    >>> with side_by_side(2, "double") as crew:
    ...     list(crew.map(lambda number: 2 * number, [1, 2, 3]))
    [2, 4, 6]
    """
    with_threads = ThreadPoolExecutor(max(1, workers), thread_name_prefix=name)
    crew = Crew(with_threads)
    try:
        yield crew
    except BaseException:
        crew.dismiss()
        raise
    with_threads.shutdown(wait=True)
