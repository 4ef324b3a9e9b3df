"""Time left, corrected by what is measured; the tree on a screen; lines where there is none."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pyte
from hypothesis import given
from hypothesis import strategies as st

from vistaql.progress import FITTING, LOADING, Part, planned, task
from vistaql.rendering.line_progress import LineProgress
from vistaql.rendering.plan_progress import PlanProgress
from vistaql.rendering.style import Style
from vistaql.rendering.watching import PlanWatch

PARTS = (
    Part(FITTING, "Train lr 4 times, accuracy by 5 folds", 2.0, 4, "fits"),
    Part("", "Rows of scans (896), 896", 0.0, 0, "", 1),
    Part(LOADING, "Load TensorFlow", 4.0, 1, "", 1),
    Part("strokes fc6", "Infer strokes conv1 > fc6", 8.0, 800, "images", 1),
)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def watching() -> tuple[PlanWatch, Clock]:
    clock = Clock()
    return PlanWatch.of(PARTS, 10**9, clock), clock


def test_before_anything_runs_the_estimate_is_what_is_left() -> None:
    watch, _ = watching()
    assert watch.left() == 14.0


def test_measured_seconds_take_over_from_the_estimate() -> None:
    watch, clock = watching()
    watch.start(LOADING)
    clock.now = 1.0
    watch.advance(1)
    watch.finish()
    assert watch.left() == 10.0
    watch.start("strokes fc6")
    for _ in range(40):
        clock.now += 0.4
        watch.advance(10)
    # Half of the images took 16 s instead of 4.
    infer, fits = watch.parts[3], watch.parts[0]
    assert 14.0 < infer.left(clock.now, watch.correction) <= 16.0
    assert 5.0 < fits.left(clock.now, watch.correction) <= 8.0


@given(st.lists(st.floats(0.001, 5.0), min_size=1, max_size=80))
def test_a_share_never_leaves_its_bounds_and_ends_at_one(steps: list[float]) -> None:
    watch, clock = watching()
    watch.start("strokes fc6")
    for step in steps:
        clock.now += step
        watch.advance(10)
        assert 0.0 <= watch.parts[3].share(clock.now, watch.correction) < 1.0
        assert watch.left() >= 0.0
    watch.advance(800 - 10 * len(steps))
    watch.finish()
    assert watch.parts[3].share(clock.now, watch.correction) == 1.0
    assert watch.parts[3].left(clock.now, watch.correction) == 0.0


def screen_of(text: str) -> list[str]:
    screen = pyte.Screen(100, 12)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display if line.strip()]


def test_the_tree_is_drawn_in_place_and_taken_away() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = PlanProgress(stream, Style(100, unicode=True), clock, memory=lambda: 400_000_000)
    with planned(shown, PARTS, 10**9):
        shown.say("896 images, about 14 s")
        with task(shown, LOADING, 1, "") as loaded:
            clock.now = 2.0
            shown.draw()
            loaded(1)
        with task(shown, "strokes fc6", 800, "images") as advance:
            clock.now = 4.0
            advance(400)
            shown.draw()
            assert screen_of(stream.getvalue()) == [
                "896 images, about 14 s",
                f"{'Train lr 4 times, accuracy by 5 folds':<43} {'':12} about 1.1 s",
                f"{'+- Rows of scans (896), 896':<43} ▇▇▇▇▇▇▇▇▇▇▇▇ done",
                f"{'+- Load TensorFlow':<43} ▇▇▇▇▇▇▇▇▇▇▇▇ 2.0 s",
                f"{'+- Infer strokes conv1 > fc6':<43} {'▇▇▇▇▇▇':<12} 400/800 images, 200 images/s, 2.0 s left",
                "3.1 s left   400 MB of 1.0 GB memory",
            ]
    assert screen_of(stream.getvalue()) == ["896 images, about 14 s"]


def test_where_there_is_no_terminal_long_work_writes_lines_and_short_work_none() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = LineProgress(stream, clock)
    for seconds in (10.0, 40.0):
        shown.say("896 images, about 14 s")
        with planned(shown, PARTS, 10**9), task(shown, "strokes fc6", 800, "images") as advance:
            clock.now += seconds
            advance(400)
        if seconds == 10.0:
            assert stream.getvalue() == ""
    assert stream.getvalue().splitlines() == [
        "896 images, about 14 s",
        "Infer strokes conv1 > fc6: 400/800 images, 10 images/s, 40 s left",
    ]
