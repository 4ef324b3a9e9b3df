"""What the words after `vistaql` mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistaql.cli.arguments import Arguments, Command, Format, understand
from vistaql.errors import Code, VistaQLError

COMMANDS = "The commands are: check, demo, doctor, run, start."


def test_options_stand_anywhere() -> None:
    expected = Arguments(
        Command.RUN,
        "jobs.vql",
        home=Path("h"),
        format=Format.JSON,
        parameters=(("sku", "007"), ("price", 5)),
        settings=(("plan", "lazy"),),
        verbose=True,
    )
    before = ["--home", "h", "--format", "json", "--param", "sku=007", "--param", "price=5", "--set", "plan=lazy"]
    assert understand([*before, "--verbose", "run", "jobs.vql"]) == expected
    assert understand(["run", "jobs.vql", *before, "--verbose"]) == expected
    assert understand(["run", "--verbose", *before, "jobs.vql"]) == expected


def test_statements_on_the_command_line() -> None:
    assert understand(["-c", "SHOW TABLES"]) == Arguments(Command.STATEMENTS, text="SHOW TABLES")
    assert understand([]) == Arguments(Command.STATEMENTS)


def test_the_demo_needs_no_folder() -> None:
    assert understand(["demo"]) == Arguments(Command.DEMO)
    assert understand(["demo", "d"]) == Arguments(Command.DEMO, "d")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["run", "--help"], ["nonsense", "--help"]])
def test_help_is_always_there(words: list[str]) -> None:
    assert understand(words).command is Command.HELP


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ["rnu", "a.vql"],
            "There is no command 'rnu'.",
            f"Did you mean run? {COMMANDS}",
        ),
        (["jobs.vql"], "There is no command 'jobs.vql'.", "vistaql run jobs.vql"),
        (["SHOW TABLES"], "There is no command 'SHOW TABLES'.", 'vistaql -c "SHOW TABLES"'),
        (["run"], "'vistaql run' needs the name of a script.", "vistaql run FILE.vql"),
        (["run", "a", "b"], "'vistaql run' takes one name, not 2.", "vistaql --help"),
        (["-c", "SHOW TABLES", "run"], "-c takes statements, and nothing beside them: 'run'.", "vistaql --help"),
        (["-c"], "Argument -c: expected one argument.", 'vistaql -c "SHOW TABLES"'),
        (["--formt", "json"], "Unrecognized arguments: --formt", "Did you mean --format? vistaql --help"),
        (["run", "a.vql", "--param", "sku"], "--param takes NAME=VALUE, not 'sku'.", "--param name=value"),
        (["run", "a.vql", "--set", "=1"], "--set takes NAME=VALUE, not '=1'.", "--set name=value"),
    ],
)
def test_wrong_use_says_what_to_type(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(VistaQLError) as raised:
        understand(words)
    assert raised.value.code is Code.USAGE
    assert raised.value.message.startswith(message)
    assert raised.value.hint == hint


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5), ("-5", -5), ("0.5", 0.5), ("007", "007"), ("'5'", "5"), ("'it''s'", "it's"), ("TRUE", True),
        ("null", None), ("", ""), ("1e5", "1e5"), ("a=b", "a=b"), ("'", "'"),
    ],
)  # fmt: skip
def test_values_are_numbers_only_where_they_look_like_one(written: str, value: object) -> None:
    assert understand(["-c", "x", "--param", f"p={written}"]).parameters == (("p", value),)
