"""Ctrl-C in the middle of inference and of training: the statement ends, the shell stays, nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import psutil

from tests.repl.conftest import PATIENCE, Terminal
from vistaql.repl.shell import STOPPED

Start = Callable[..., Terminal]
CTRL_C = "\x03"
INFERENCE = "EXPLORE LAYERS out_relu OF slow FROM scans JOIN measures TRAIN lr;"
TRAINING = "EXPLORE LAYERS conv1 POOL none OF strokes FROM scans JOIN measures TRAIN lr (tol = 0.00000001);"
QUICK = "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures SAMPLE 100 TRAIN lr;"


def is_at_work(lines: list[str]) -> bool:
    return any("/896 images," in line and " images/s" in line for line in lines)


def is_fitting(lines: list[str]) -> bool:
    return any(line.startswith("Train ") and " fits" in line for line in lines)


def test_inference_and_training_stop_and_the_shell_goes_on(terminal: Start) -> None:
    shell = terminal()
    shell.run("REGISTER CNN slow FROM mobilenet_v2 WEIGHTS RANDOM (SEED = 1);")
    shell.at_prompt()
    shell.type(INFERENCE + "\r")
    shell.shows(is_at_work)
    shell.type(CTRL_C)
    lines = shell.at_prompt()
    assert lines[-2] == STOPPED
    assert not any("images/s" in line for line in lines)
    assert shell.run("SHOW RESULTS;")[1:4] != []
    assert any(line.startswith("fc6") for line in shell.run("SHOW LAYERS OF strokes;"))
    shell.at_prompt()
    shell.type(TRAINING + "\r")
    shell.shows(is_fitting)
    shell.type(CTRL_C)
    assert shell.at_prompt()[-2] == STOPPED
    assert any(line.startswith("  table alone") for line in shell.run(QUICK))


# A statement that does not end when it is asked to, and a process that it has started.
STUBBORN = """
import subprocess, time
from vistaql.repl.interrupts import stoppable
child = subprocess.Popen(["sleep", "1000"])
with stoppable(print):
    try:
        print(child.pid, flush=True)
        time.sleep(1000)
    except KeyboardInterrupt:
        print("first", flush=True)
        time.sleep(1000)
"""


def test_a_second_one_ends_the_program_and_leaves_no_process() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        started = psutil.Process(int(program.stdout.readline()))
        program.send_signal(signal.SIGINT)
        assert program.stdout.readline() == "first\n"
        program.send_signal(signal.SIGINT)
        assert program.wait(PATIENCE) == 130
    assert not started.is_running() or started.status() == psutil.STATUS_ZOMBIE
