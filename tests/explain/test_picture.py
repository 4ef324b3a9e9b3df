"""The picture of a plan: boxes do not overlap, and what is read stands above what reads it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vistaql.explain.picture import Box, picture
from vistaql.explain.steps import Figures, Step


@st.composite
def plans(draw: st.DrawFn) -> Step:
    """A root that reads up to twelve steps, each of which reads some of those before it."""
    count = draw(st.integers(1, 12))
    below = tuple(
        Step(
            number,
            "Infer",
            "Infer " + "word " * draw(st.integers(0, 40)),
            Figures(),
            frozenset(),
            tuple(draw(st.sets(st.integers(1, number - 1), max_size=4))) if number > 1 else (),
        )
        for number in range(1, count + 1)
    )
    sources = draw(st.sets(st.integers(1, count), min_size=1))
    return Step(0, "Train", "Train lr", Figures(), frozenset(), tuple(sources), reads=below)


def apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


@settings(deadline=None)
@given(plans())
def test_boxes_do_not_overlap_and_lie_inside(root: Step) -> None:
    drawn = picture(root)
    boxes = drawn.boxes
    assert len(boxes) == len(list(root.walk()))
    assert all(apart(one, other) for place, one in enumerate(boxes) for other in boxes[:place])
    assert all(0 <= box.x <= box.x + box.width <= drawn.width for box in boxes)
    assert all(0 <= box.y <= box.y + box.height <= drawn.height for box in boxes)


@settings(deadline=None)
@given(plans())
def test_arrows_lead_down_and_through_no_box(root: Step) -> None:
    drawn = picture(root)
    assert len(drawn.arrows) == sum(len(step.sources) for step in root.walk())
    for arrow in drawn.arrows:
        heights = [y for _, y in arrow.points]
        assert heights == sorted(heights)
        for x, y in arrow.points[1:-1]:
            assert not any(box.x < x < box.x + box.width and box.y < y < box.y + box.height for box in drawn.boxes)
