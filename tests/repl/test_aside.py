"""Waiting that can be interrupted, and work that ends when nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from vistaql.aside import aside, side_by_side


def interrupt_once(ready: threading.Event) -> None:
    """Press Ctrl-C as soon as the work has begun."""

    def press() -> None:
        ready.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()


def gone(name: str) -> bool:
    """Whether the threads of that name come to an end."""
    end = time.monotonic() + 60
    while any(thread.name.startswith(name) for thread in threading.enumerate()):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_an_interrupted_wait_stops_the_work() -> None:
    begun, rounds = threading.Event(), [0]

    def endless() -> None:
        while True:
            begun.set()
            rounds[0] += 1
            np.ones((300, 300)) @ np.ones((300, 300))

    interrupt_once(begun)
    with pytest.raises(KeyboardInterrupt):
        aside(endless)
    assert gone("aside")
    assert rounds[0] > 0


def test_what_must_finish_does() -> None:
    begun, finished = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.2)
        finished.set()

    interrupt_once(begun)
    with pytest.raises(KeyboardInterrupt):
        aside(work, finish=True)
    assert finished.wait(60)


def test_a_failure_is_that_of_the_work() -> None:
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0)


def test_an_interrupt_sends_those_home_who_work_side_by_side() -> None:
    begun = threading.Event()

    def endless(_: int) -> None:
        while True:
            begun.set()
            time.sleep(0.001)

    def all_of_it() -> None:
        with side_by_side(2, "crew") as crew:
            list(crew.map(endless, range(8)))

    interrupt_once(begun)
    with pytest.raises(KeyboardInterrupt):
        all_of_it()
    assert gone("crew")


def test_results_come_in_order_and_failures_come_through() -> None:
    with side_by_side(3, "crew") as crew:
        assert list(crew.map(lambda a, b: a - b, range(100), range(100))) == [0] * 100
    with pytest.raises(ZeroDivisionError), side_by_side(3, "crew") as crew:
        list(crew.map(lambda number: 1 // number, [1, 0, 2]))
    assert gone("crew")
