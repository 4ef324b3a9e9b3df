"""Dot commands, where outcomes go, and colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistaql.errors import VistaQLError
from vistaql.frontend.parser import parse
from vistaql.outcome import Report
from vistaql.rendering.output import Format
from vistaql.rendering.style import PLAIN
from vistaql.repl.commands import COMMANDS, help_lines, rewritten
from vistaql.repl.highlight import coloured, fragments
from vistaql.repl.target import Target


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.statement], ids=lambda one: one.name)
def test_what_a_command_stands_for_is_a_statement(command: object) -> None:
    argument = " x" if "{}" in command.statement else ""  # type: ignore[attr-defined]
    statement = rewritten(command.name + argument)  # type: ignore[attr-defined]
    assert statement is not None
    assert len(parse(statement).statements) == 1


def test_wrong_commands_say_what_there_is() -> None:
    with pytest.raises(VistaQLError) as unknown:
        rewritten(".tabels")
    assert "Did you mean .tables?" in (unknown.value.hint or "")
    with pytest.raises(VistaQLError, match="needs a name"):
        rewritten(".layers")
    with pytest.raises(VistaQLError, match="takes nothing"):
        rewritten(".tables x")


def test_files_may_stand_in_quotes_or_not() -> None:
    assert rewritten(".read 'a b.vql'") == rewritten(".read a b.vql") == "SOURCE 'a b.vql';"
    assert rewritten(".read it's.vql") == "SOURCE 'it''s.vql';"


def test_help_names_every_command_within_100_columns() -> None:
    text = "\n".join(help_lines())
    assert all(command.name in text for command in COMMANDS)
    assert max(map(len, help_lines())) <= 105


def test_outcomes_go_to_a_file_always_or_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Report(("done",), (("rows", 3),))
    kept = Target(Format.JSON).to_file(str(tmp_path / "all.json"), once=False)
    assert kept.write(outcome, PLAIN).write(outcome, PLAIN) is kept
    assert (tmp_path / "all.json").read_text() == '{"lines": ["done"], "rows": 3}\n' * 2
    once = Target().to_file(str(tmp_path / "one.txt"), once=True)
    once.write(outcome, PLAIN).write(outcome, PLAIN)
    assert (tmp_path / "one.txt").read_text() == capsys.readouterr().out == "done\n"
    with pytest.raises(VistaQLError, match="cannot be written"):
        Target().to_file(str(tmp_path / "no" / "one.txt"), once=True)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(text[begin:end], kind) for begin, end, kind in coloured(text)]


def test_colours_follow_the_grammar() -> None:
    assert kinds("EXPLORE label FROM 'a--b' LABEL label -- so") == [
        ("EXPLORE", "keyword"), ("FROM", "keyword"), ("'a--b'", "string"), ("LABEL", "keyword"), ("-- so", "comment"),
    ]  # fmt: skip
    assert kinds("SELECT a FROM t WHERE b > 2") == [
        ("SELECT", "keyword"), ("FROM", "keyword"), ("WHERE", "keyword"), ("2", "number"),
    ]  # fmt: skip
    assert kinds("SET memory_limit = 4GB;")[-1] == ("4GB", "number")
    assert ("5", "wrong") in kinds("EXPLORE 5 FROM x")
    assert kinds("SHOW TAB") == [("SHOW", "keyword")]
    assert kinds(".mode csv") == [(".mode", "command")]


@pytest.mark.parametrize("text", ["", "a\nb", "SELECT '\n' FROM x;\n\nSHOW TABLES;", "EXPLORE 'x", "\x00", "/* a\nb"])
def test_coloured_lines_hold_the_text_as_it_is(text: str) -> None:
    assert "\n".join("".join(piece for _, piece in line) for line in fragments(text)) == text
