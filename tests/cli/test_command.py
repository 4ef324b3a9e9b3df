"""Statements in, outcomes out, exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from vistaql import __version__
from vistaql.cli import main
from vistaql.cli.arguments import HELP

PROGRAM = (sys.executable, "-m", "vistaql")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a folder with a table to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISTAQL_HOME", str(tmp_path / "home"))
    (tmp_path / "products.csv").write_text("sku,price,name\n007,1.5,ä\n8,200.25,b\n")
    return tmp_path


def started(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    given = {"input": "", "capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120, **options}
    return subprocess.run([*PROGRAM, *words], check=False, **given)  # type: ignore[call-overload,no-any-return]


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == f"vistaql {__version__}\n{HELP}"


def test_help_fits_the_screen_and_names_every_exit_code(checkout: Path) -> None:
    assert max(map(len, HELP.splitlines())) <= 80
    codes = re.findall(r"^\| (\d+) \|", (checkout / "docs" / "cli.md").read_text(), re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "130", "141"]


@pytest.mark.usefixtures("home")
def test_outcomes_come_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    text = "CREATE TABLE products FROM 'products.csv' KEY sku; SET plan = lazy; SELECT sku, price FROM products"
    assert main(["-c", text]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("\n\nsku   price\n---  ------\n007    1.50\n8    200.25\n")
    assert err == ""


@pytest.mark.usefixtures("home")
def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = "CREATE TABLE products FROM 'products.csv'; SET plan = lazy; SELECT name FROM products; SHOW TABLES"
    assert main(["-c", text, "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    created, selected, shown = map(json.loads, lines)
    assert created["lines"]
    assert selected["rows"] == [{"name": "ä"}, {"name": "b"}]
    assert shown["rows"][0]["name"] == "products"


@pytest.mark.usefixtures("home")
def test_csv_stays_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "CREATE TABLE p FROM 'products.csv'; SELECT * FROM p", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "sku,price,name"
    assert "p" in err


@pytest.mark.usefixtures("home")
def test_parameters_and_settings(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-c", "SELECT :a AS a, :b AS b; SHOW SETTINGS", "--param", "a=007", "--param", "b=7", "--format", "json"]
    assert main([*words, "--set", "plan=lazy"]) == 0
    selected, settings = map(json.loads, capsys.readouterr().out.splitlines())
    assert selected["rows"] == [{"a": "007", "b": 7}]
    assert {"lazy"} <= {row["value"] for row in settings["rows"]}


def test_a_script_reads_from_its_own_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "jobs").mkdir()
    (home / "jobs" / "own.csv").write_text("x\n1\n")
    (home / "jobs" / "job.vql").write_bytes(b"\xef\xbb\xbfSELECT 1 AS one; CREATE TABLE own FROM 'own.csv';")
    assert main(["run", "jobs/job.vql"]) == 0
    assert "own" in capsys.readouterr().out


def test_check_runs_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "job.vql").write_text("CREATE TABLE p FROM 'products.csv'; SHOW TABLES;")
    assert main(["check", "job.vql"]) == 0
    assert capsys.readouterr().out == "job.vql: 2 statements, no error found\n"
    assert main(["-c", "SHOW TABLES", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == []
    (home / "job.vql").write_text("SHOW TABLES;\nSHOW TABELS;")
    assert main(["check", "job.vql"]) == 1
    assert "line 2: SHOW TABELS;" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_a_failed_statement_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = "SELECT 1 AS one; DESCRIBE nothing; SELECT 2 AS two"
    assert main(["-c", text]) == 1
    out, err = capsys.readouterr()
    assert "one" in out
    assert "two" not in out
    assert err.startswith("VQL")
    assert "line 1: SELECT 1 AS one; DESCRIBE nothing;" in err


@pytest.mark.usefixtures("home")
def test_errors_are_json_where_the_output_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "SHOW TABLES;\n  DROP TABLE nix", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"] == []
    error = json.loads(err)
    assert (error["error"], error["line"], error["column"]) == ("VQL1201", 2, 14)
    assert error["hint"]


def test_scripts_that_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "explore.vql").write_bytes(b"-- \xe4\n")
    assert main(["run", "explor.vql"]) == 1
    assert "Did you mean explore.vql?" in capsys.readouterr().err
    assert main(["run", "explore.vql"]) == 1
    assert "explore.vql is not UTF-8: line 1 holds the byte 0xe4." in capsys.readouterr().err
    assert main(["run", "."]) == 1
    assert "Is a directory" in capsys.readouterr().err


def test_exit_codes_tell_use_from_environment(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rnu"]) == 2
    (home / "file").write_text("")
    assert main(["-c", "SHOW TABLES", "--home", str(home / "file" / "home")]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_is_reported_without_a_trace(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "home").mkdir()
    monkeypatch.setattr("vistaql.session.connect", lambda _: 1 / 0)
    assert main(["-c", "SHOW TABLES"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("VQL9002: This is a defect of VistaQL: ZeroDivisionError: division by zero\n  hint: ")
    assert "Traceback" not in err
    assert main(["-c", "SHOW TABLES", "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_statements_come_through_a_pipe(home: Path) -> None:
    assert started(input="SELECT 41 + 1 AS n;", cwd=home).stdout == " n\n--\n42\n"
    assert started("run", "-", input="SELECT 1 AS n;", cwd=home).stdout == "n\n-\n1\n"
    assert started(input="", cwd=home).stdout == HELP


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    command = f"{shlex.join(PROGRAM)} -c 'SELECT * FROM range(200000)' | head -n 1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False, cwd=home)
    assert (ended.returncode, ended.stdout, ended.stderr) == (141, " range\n", "")


def test_a_locale_of_c_gets_ascii_and_keeps_the_data(home: Path) -> None:
    ended = started("-c", "SELECT 'ä' AS a", cwd=home, env={**os.environ, "LC_ALL": "C"})
    assert (ended.returncode, ended.stdout) == (0, "a\n-\nä\n")
    latin = {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert started("-c", "SELECT 'ä' AS a", cwd=home, env=latin).stdout == "a\n-\n\\xe4\n"


def test_an_interrupt_keeps_what_was_done(home: Path) -> None:
    statements = (
        "CREATE TABLE p FROM 'products.csv'; SELECT count(*) AS n FROM range(1000000000000) a, p WHERE a.range > 1"
    )
    with subprocess.Popen(
        [*PROGRAM, "-c", statements], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "\nInterrupted. What the statements before this one did is kept; this one changed nothing.\n"
    assert "p" in started("-c", "SHOW TABLES", cwd=home).stdout


def test_on_a_terminal_alone_it_is_a_shell(home: Path) -> None:
    child = pexpect.spawn(PROGRAM[0], list(PROGRAM[1:]), cwd=str(home), timeout=60, encoding="utf-8")
    child.expect("vistaql> ")
    child.send("exit\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_terminal_gets_colours_and_its_width(home: Path) -> None:
    environ = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLUMNS": "60"}
    environ.pop("NO_COLOR", None)
    words = [*PROGRAM[1:], "-c", "SELECT 'x' AS short, repeat('long ', 50) AS long"]
    child = pexpect.spawn(PROGRAM[0], words, cwd=str(home), env=environ, timeout=60, encoding="utf-8")
    child.expect(pexpect.EOF)
    shown = child.before
    assert isinstance(shown, str)
    assert "\x1b[1mshort" in shown
    lines = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
    assert max(map(len, lines)) == 60
    assert lines[-1].endswith("…")
