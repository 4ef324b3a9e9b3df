"""What `start` sees in a folder and a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.start.conftest import KINDS, write_table
from vistaql.errors import Code, VistaQLError
from vistaql.start.keys import Files, Form, best_match
from vistaql.start.labels import candidates
from vistaql.start.look import gives_away, look

FILES = Files(tuple(f"{'day' if number % 2 else 'night'}/s{number:03}.jpg" for number in range(50)))


def found(*values: str) -> tuple[str, Form] | None:
    match = best_match(pa.table({"price": ["9"] * len(values), "name": list(values)}), FILES)
    return match and (match.column, match.form)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("s{0:03}", Form.STEM),
        ("s{0:03}.jpg", Form.NAME),
        ("{1}/s{0:03}.jpg", Form.PATH),
        ("/data/mira/{1}/s{0:03}.jpg", Form.LAST_PART),
        ("C:\\photos\\s{0:03}.jpg", Form.LAST_PART),
    ],
)
def test_the_ways_in_which_tables_name_files(written: str, form: Form) -> None:
    values = [written.format(number, "day" if number % 2 else "night") for number in range(50)]
    assert found(*values) == ("name", form)


def test_several_photos_of_one_row() -> None:
    files = Files(tuple(f"s{number // 3}_{number % 3}.jpg" for number in range(60)))
    match = best_match(pa.table({"sku": [f"s{number}" for number in range(20)]}), files)
    assert match is not None
    assert (match.form, match.files, match.rows, match.shared) == (Form.NUMBERED, 60, 20, True)


@given(st.sets(st.integers(0, 49)))
def test_a_match_counts_what_is_on_both_sides(rows: set[int]) -> None:
    match = best_match(pa.table({"sku": pa.array([f"s{number:03}" for number in rows], pa.string())}), FILES)
    assert (match.files if match else 0) == (len(rows) if len(rows) > 1 else 0)


def test_a_table_that_names_no_file_is_told_with_both_sides(photos: Callable[..., Path], tmp_path: Path) -> None:
    folder = photos("a1.png", "a2.png")
    table = write_table(tmp_path / "t.csv", ("id", "kind"), [("x-1", "shirt"), ("x-2", "shoe")])
    with pytest.raises(VistaQLError) as raised:
        look(folder, table)
    assert raised.value.code is Code.NO_COMMON_KEY
    assert "a file is called 'a1.png', and in a row id is 'x-1'" in raised.value.message


def test_labels_are_ranked_by_name_then_kind_then_place() -> None:
    kinds = [KINDS[number % 3] for number in range(60)]
    columns = {
        "place": kinds, "category": kinds, "sender_id": [number % 4 for number in range(60)],
        "title": [f"t{number}" for number in range(60)], "price": [number / 7 for number in range(60)],
        "count": [number % 5 for number in range(60)], "colour": kinds,
    }  # fmt: skip
    assert [one.column for one in candidates(pa.table(columns))] == [
        "category", "colour", "place", "count", "sender_id",
    ]  # fmt: skip


def test_a_number_is_asked_about_in_halves_where_there_is_no_class() -> None:
    prices = pa.table(
        {"price": [float(number) for number in range(60)], "title": [f"t{number}" for number in range(60)]}
    )
    (only,) = candidates(prices)
    assert (only.expression, only.count) == ("price > 29.5", 2)


def test_the_column_that_tells_the_label_is_found(products: Path) -> None:
    sight = look(products / "photos", products / "products.csv")
    label = next(one for one in sight.labels if one.column == "category")
    assert [item.column for item in gives_away(sight, label)] == ["subcategory"]
