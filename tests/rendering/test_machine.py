"""JSON, CSV, Markdown and HTML."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from vistaql.outcome import Explanation, Relation, Report
from vistaql.rendering.html import to_html
from vistaql.rendering.machine import to_csv, to_json, to_markdown

if TYPE_CHECKING:
    from tests.rendering.conftest import Answers

ROW_KEYS = {
    "cnn", "layer", "pool", "learner", "metric", "mean", "std", "folds", "lift", "lift_low", "lift_high", "width",
    "fit_seconds", "digest",
}  # fmt: skip
COUNT_KEYS = {
    "images", "decoded", "bad", "rows", "joined", "images_without_row", "rows_without_image", "duplicates",
    "rows_without_label",
}  # fmt: skip


def test_an_exploration_has_the_keys_that_programs_read(answers: Answers) -> None:
    text = to_json(answers.six())
    assert "\n" not in text
    found = json.loads(text)
    assert {"rows", "majority", "image_only", "counts", "plan", "seconds"} <= set(found)
    assert all(set(row) >= ROW_KEYS for row in found["rows"])
    assert set(found["counts"]) == COUNT_KEYS
    assert [row["layer"] for row in found["rows"]].count(None) == 1
    assert found["rows"][2]["mean"] == 0.919


def test_what_is_no_number_is_null(answers: Answers) -> None:
    nan = float("nan")
    rows = (replace(answers.six().rows[0], mean=nan, folds=(nan, float("inf"))),)
    found = json.loads(to_json(answers.six(rows=rows)), parse_constant=lambda name: name)
    assert found["rows"][0]["mean"] is None
    assert found["rows"][0]["folds"] == [None, None]


def test_a_relation_is_objects_on_one_line() -> None:
    table = pa.table(
        [
            pa.array([1, None]),
            pa.array(["a\nb\x1b", "ü"]),
            pa.array([dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC), None]),
            pa.array([Decimal("1.50"), None]),
            pa.array([b"\xff", None]),
        ],
        names=["a", "a", "when", "price", "photo"],
    )
    text = to_json(Relation(table, title="t"))
    assert text.isascii()
    assert "\n" not in text
    assert "\x1b" not in text
    found = json.loads(text)
    assert found["columns"] == ["a", "a_2", "when", "price", "photo"]
    first = {"a": 1, "a_2": "a\nb\x1b", "when": "2024-01-31T12:00:00+00:00", "price": 1.5, "photo": "/w=="}
    assert found["rows"][0] == first
    assert set(found["rows"][1].values()) == {None, "ü"}


def test_reports_and_plans_as_json() -> None:
    assert json.loads(to_json(Report(("made",), (("rows", 3),)))) == {"lines": ["made"], "rows": 3}
    assert json.loads(to_json(Explanation("text", {"strategy": "eager"}))) == {"plan": {"strategy": "eager"}}


def test_csv_reads_back(answers: Answers) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(answers.six()))))
    assert [row["layer"] for row in rows] == ["conv1", "conv2", "conv3", "conv4", "fc5", "fc6", ""]
    assert float(rows[2]["mean"]) == 0.919
    assert [float(fold) for fold in rows[2]["folds"].split()] == list(answers.six().rows[2].folds)
    assert rows[-1]["lift"] == ""


def test_csv_quotes_what_has_to_be_quoted() -> None:
    text = to_csv(Relation(pa.table({"a,b": ['x"y', None], "n": [True, False]})))
    assert list(csv.reader(io.StringIO(text))) == [["a,b", "n"], ['x"y', "true"], ["", "false"]]


def test_what_has_no_rows_is_no_csv() -> None:
    assert to_csv(Report(("made",))) == ""


def test_markdown_cells_cannot_leave_their_column() -> None:
    text = to_markdown(Relation(pa.table({"name": ["a|b", "c\nd", "<b>"]})))
    assert text == "| name |\n| --- |\n| a\\|b |\n| c d |\n| &lt;b> |"


def test_markdown_of_an_exploration(answers: Answers) -> None:
    lines = to_markdown(answers.six()).splitlines()
    assert len(lines) == 2 + 7
    assert lines[4].startswith("| strokes | conv3 | gap | logistic_regression | accuracy | 0.919 |")


def test_markdown_of_a_plan_is_a_block() -> None:
    assert to_markdown(Explanation("plan\n+- Train", {})) == "```\nplan\n+- Train\n```"


def test_html_stands_alone_and_escapes(answers: Answers) -> None:
    html = to_html(answers.six(majority_class="<script>alert(1)</script>", notes=("a & b",)))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "a &amp; b" in html
    assert "http" not in html
    assert "conv3, the third of six layers, is best: 0.919." in html


def test_html_of_other_outcomes() -> None:
    assert "<td>&lt;i&gt;</td>" in to_html(Relation(pa.table({"x": ["<i>"]})))
    assert to_html(Report(("<made>",))) == "<pre>&lt;made&gt;</pre>"
