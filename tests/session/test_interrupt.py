"""What only a process of its own can show: Ctrl-C, and threads that are chosen once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.world import World
from vistaql.session import connect

QUERY = "EXPLORE LAYERS conv4, fc6 OF strokes FROM scans JOIN measures TRAIN lr WITH (plan = staged, cache = false)"

# Goes on with the images until it is stopped, and says when the first batch is through.
SLOW = """
import sys, time
from vistaql.cli import main
from vistaql.progress import Silent
import vistaql.cli.command as command

class Slow(Silent):
    def advance(self, count):
        print("running", file=sys.stderr, flush=True)
        time.sleep(60)

command.progress = Slow
sys.exit(main())
"""


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Path]:
    """A home that knows the scans, and a folder for temporary files beside it."""
    (tmp_path / "temporary").mkdir()
    with connect(tmp_path / "home") as session:
        session.sql(f"CREATE IMAGES scans FROM '{world.folder}/scans'; "
                    f"CREATE TABLE measures FROM '{world.folder}/measures.csv' KEY scan_id LABEL digit")  # fmt: skip
    yield tmp_path / "home"
    assert list((tmp_path / "temporary").iterdir()) == []


def start(home: Path, *words: str, program: tuple[str, ...] = ("-m", "vistaql")) -> subprocess.Popen[str]:
    """VistaQL as a process of its own, with its temporary files beside the home."""
    command = [sys.executable, *program, "--home", str(home), *words]
    environment = {"TMPDIR": str(home.parent / "temporary"), "PATH": "/usr/bin:/bin"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=environment)


def test_an_interrupt_in_the_middle_of_inference_leaves_nothing(home: Path) -> None:
    with start(home, "-c", f"CREATE TABLE kept AS SELECT 1 AS one; {QUERY}", program=("-c", SLOW)) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("running" in line for line in lines)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        rest = process.stderr.read()
        assert process.wait(20) == 130
        assert time.monotonic() - started < 10
    assert "Interrupted." in rest
    assert "Traceback" not in rest
    with connect(home) as session:
        assert session.sql("SELECT one FROM kept").to_arrow()["one"].to_pylist() == [1]
        assert session.catalog.results() == ()
        assert session.catalog.bad_images() == ()


def test_an_interrupt_ends_a_join_that_would_take_hours(home: Path) -> None:
    joins = " ".join(f"JOIN many AS {name} ON {name}.n > bytes" for name in "abcd")
    endless = f"EXPLORE LAYERS fc6 OF strokes FROM scans {joins} PREDICT d.n % 2 TRAIN lr"
    text = f"CREATE TABLE many AS SELECT range AS n FROM range(1000000); SHOW TABLES; {endless}"
    with start(home, "-c", text) as process:
        assert process.stdout is not None
        assert any("many" in line for line in iter(process.stdout.readline, ""))
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.wait(30) == 130
        assert time.monotonic() - started < 10


def test_threads_are_chosen_before_the_first_cnn_and_then_fixed(home: Path) -> None:
    script = f"SET threads = 1; REGISTER CNN noise FROM strokes WEIGHTS RANDOM (SEED = 2); {QUERY}; {QUERY};"
    with start(home, "--format", "json", "-c", script + "SET threads = 2; SHOW SETTINGS; " + QUERY) as process:
        out, err = process.communicate(timeout=120)
    first, second = (json.loads(line) for line in out.splitlines() if '"majority"' in line)
    assert [row["digest"] for row in first["rows"]] == [row["digest"] for row in second["rows"]]
    error = json.loads(err)
    assert error["error"] == "VQL4003"
    assert "1 x 1 threads already" in error["message"]
    assert process.returncode == 1
