"""Rows and columns on a screen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistaql.outcome import Relation
from vistaql.rendering.relation import MOST_ROWS, squeezed
from vistaql.rendering.style import PLAIN, Style, cells, fit
from vistaql.rendering.text import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence


def relation(**columns: Sequence[object]) -> Relation:
    """A relation of the given columns."""
    return Relation(pa.table({name: pa.array(values) for name, values in columns.items()}))


def test_numbers_stand_at_the_right() -> None:
    text = to_text(relation(sku=["007", "8"], price=[1.5, 200.25], stock=[3, None]))
    assert text == "sku   price  stock\n---  ------  -----\n007    1.50      3\n8    200.25   NULL"


def test_values_are_shown_as_people_write_them() -> None:
    values = relation(
        folds=[[0.5, 0.25]], day=[dt.date(2024, 1, 31)], photo=[b"\xff\xd8"], kept=[True], third=[1 / 3], text=["ü"]
    )
    assert to_text(values).splitlines()[2].split("  ") == [
        "[0.5, 0.25]", "2024-01-31", "2 bytes", "true", "0.333333", "ü",
    ]  # fmt: skip


def test_no_rows_is_said() -> None:
    assert to_text(relation(sku=pa.array([], pa.string()))).endswith("(no rows)")


def test_a_screen_cuts_the_widest_column_first() -> None:
    text = to_text(relation(id=[1], short=["abc"], long=["x" * 200]), Style(width=40, unicode=True))
    assert max(map(cells, text.splitlines())) == 40
    assert "abc" in text
    assert text.endswith("x…")


def test_a_pipe_cuts_nothing() -> None:
    assert "x" * 500 in to_text(relation(long=["x" * 500]), PLAIN)


def test_too_many_columns_stand_below_each_other() -> None:
    text = to_text(relation(**{f"column_{number}": ["value"] for number in range(30)}), Style(width=80))
    assert text.startswith("-- row 1\ncolumn_0   value\ncolumn_1   value")


def test_a_screen_shows_the_first_rows_and_says_so() -> None:
    many = relation(number=list(range(MOST_ROWS + 40)))
    on_screen = to_text(many, Style(width=80)).splitlines()
    assert on_screen[-1] == "40 more rows; --format csv prints all"
    assert len(on_screen) == MOST_ROWS + 3
    assert len(to_text(many, PLAIN).splitlines()) == MOST_ROWS + 42


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "a\rb", "a\nb", "\u202egnp", "\x00", "\ud800"])
def test_data_cannot_write_on_the_screen(hostile: str) -> None:
    shown = to_text(relation(name=["x"]), Style(80))
    names = pa.table({"name\x1b[1m": pa.array(["x"])})
    assert "\x1b" not in to_text(Relation(names, title="\x1b", notes=("\x1b",)), Style(80))
    if hostile != "\ud800":  # Arrow holds no halves of characters
        text = to_text(relation(name=[hostile, "x"]), Style(80))
        assert text.count("\n") == shown.count("\n") + 1
        assert not set(text) & set("\x1b\x9b\r\u202e\x00")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.integers(40, 200))
def test_squeezed_columns_fit_and_none_is_lost(widths: list[int], screen: int) -> None:
    narrowed = squeezed(widths, screen)
    if narrowed is None:
        assert sum(min(width, 6) for width in widths) + 2 * (len(widths) - 1) > screen
    else:
        assert sum(narrowed) + 2 * (len(widths) - 1) <= max(screen, sum(widths) + 2 * (len(widths) - 1))
        assert sum(narrowed) + 2 * (len(widths) - 1) <= screen or narrowed == widths
        assert all(min(width, 6) <= new <= width for width, new in zip(widths, narrowed, strict=True))


@given(st.text(), st.integers(2, 30))
def test_cut_text_fits(text: str, width: int) -> None:
    assert cells(fit(text, width, "…")) <= width


def test_points_and_units_stand_below_each_other() -> None:
    text = to_text(relation(size=["114 KB", "2.2 MB"], gflops=[0.5, 12.0625]))
    assert text == "  size   gflops\n------  -------\n114 KB   0.5000\n2.2 MB  12.0625"
