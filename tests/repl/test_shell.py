"""The shell as a person meets it: in a terminal, with what stands on its screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repl.conftest import Terminal
from vistaql import __version__
from vistaql.repl.prompt import history

Start = Callable[..., Terminal]
DOWN, UP, LEFT, END_OF_INPUT, CTRL_C = "\x1b[B", "\x1b[A", "\x1b[D", "\x04", "\x03"


def test_the_menu_shows_shape_size_and_cost(terminal: Start) -> None:
    shell = terminal()
    banner, _ = shell.at_prompt()
    assert banner.startswith(f"VistaQL {__version__}: 2 tables, 1 image set in ")
    assert banner.endswith(". Tab completes, ? helps, exit leaves.")
    shell.type("EXPLORE LAYERS c")
    shell.shows(lambda lines: len(lines) > 8)
    shell.type(" OF strokes" + LEFT * len(" OF strokes"))
    shell.type("o")
    lines = shell.shows(lambda lines: lines[-1].split()[0] == "conv4")
    assert [line.split() for line in lines[-4:]] == [
        ["conv1", "48x48x16", "147.5", "KB", "0.00199", "GFLOPs"],
        ["conv2", "24x24x32", "73.73", "KB", "0.00734", "GFLOPs"],
        ["conv3", "12x12x48", "27.65", "KB", "0.0113", "GFLOPs"],
        ["conv4", "6x6x64", "9.216", "KB", "0.0133", "GFLOPs"],
    ]
    shell.type(DOWN + DOWN + "\r")
    shell.shows(lambda lines: lines[-1] == "vistaql> EXPLORE LAYERS conv2 OF strokes")


def test_a_statement_spans_lines_until_its_semicolon(terminal: Start) -> None:
    shell = terminal()
    lines = shell.run("SELECT count(*) AS n\nFROM measures\nWHERE digit = 7 -- not yet;\n;")
    assert lines[:4] == [
        "vistaql> SELECT count(*) AS n",
        "    ...> FROM measures",
        "    ...> WHERE digit = 7 -- not yet;",
        "    ...> ;",
    ]
    assert lines[4:7] == ["  n", "---", "179"]


def test_history_keeps_no_password_of_a_url(tmp_path: Path) -> None:
    history(tmp_path).append_string("CREATE IMAGES p FROM 'ftp://ann:s3/cret@127.0.0.1/';")
    assert "FROM 'ftp://ann:*******@127.0.0.1/';" in (tmp_path / "history").read_text()


def test_history_outlives_the_shell_and_stays_in_the_home(terminal: Start, home: Path) -> None:
    first = terminal()
    first.run("SELECT 41 + 1 AS answer;")
    first.type("quit\r")
    assert first.ended() == 0
    assert "+SELECT 41 + 1 AS answer;" in (home / "history").read_text()
    second = terminal()
    second.at_prompt()
    second.type(UP + UP)
    second.shows(lambda lines: lines[-1] == "vistaql> SELECT 41 + 1 AS answer;")


def test_modes_and_files(terminal: Start, tmp_path: Path) -> None:
    shell = terminal()
    shell.run(".timer off")
    question = "SELECT 1 AS a, 'x|y' AS b;"
    assert shell.run(question)[1:-1] == ["a  b", "-  ---", "1  x|y"]
    shell.run(".mode csv")
    assert shell.run(question)[1:-1] == ["a,b", "1,x|y"]
    shell.run(".mode markdown")
    assert shell.run(question)[1:-1] == ["| a | b |", "| --- | --- |", "| 1 | x\\|y |"]
    shell.run(".mode json")
    shell.run(f".once {tmp_path / 'one.json'}")
    assert shell.run(question)[1:-1] == []
    assert json.loads((tmp_path / "one.json").read_text())["rows"] == [{"a": 1, "b": "x|y"}]
    assert json.loads(shell.run(question)[1])["rows"] == [{"a": 1, "b": "x|y"}]
    assert shell.run(".mode xml")[1] == "VQL9001: There is no mode 'xml'."


@pytest.mark.parametrize("word", ["exit", "quit;", "\\q", ".exit", END_OF_INPUT])
def test_every_way_out_is_one(terminal: Start, word: str) -> None:
    shell = terminal()
    shell.at_prompt()
    shell.type(word if word == END_OF_INPUT else word + "\r")
    assert shell.ended() == 0


def test_commands_stand_for_statements_and_say_so(terminal: Start) -> None:
    shell = terminal()
    lines = shell.run(".tables")
    assert lines[1] == "SHOW TABLES;"
    assert any(line.startswith("measures  ") for line in lines)
    assert "statements end with a semicolon" in shell.run("?")[1].lower()
    assert shell.run(".tabels")[1] == "VQL9001: There is no command '.tabels'."


def test_failures_and_ctrl_c_at_the_prompt_keep_the_shell(terminal: Start) -> None:
    shell = terminal()
    lines = shell.run("SHOW TABELS;")
    assert lines[1].startswith("VQL1001: ")
    assert "               ^^^^^^" in lines
    shell.type("SELECT half a statement")
    shell.shows("vistaql> SELECT half a statement")
    shell.type(CTRL_C)
    shell.at_prompt()
    assert shell.run("SELECT 1 AS still_here;")[1].strip() == "still_here"


def test_the_last_query_and_its_result_have_short_names(terminal: Start) -> None:
    shell = terminal()
    lines = shell.run("EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures SAMPLE 100 TRAIN lr;")
    assert any(line.startswith("  fc6 ") for line in lines)
    assert "plan eager" in shell.run("EXPLAIN;")[1]
    assert shell.run("SELECT layer FROM _;")[1:4] == ["layer", "-----", "fc6"]


def test_a_folder_brings_its_own_home(terminal: Start, folder: Path) -> None:
    shell = terminal(str(folder))
    assert "2 tables" in shell.at_prompt()[0]
