"""How quick the shell is: to its prompt, to an answer, to its menu, and to the end of what Ctrl-C stops.

    python benchmarks/shell.py            all of it, some two minutes
    python benchmarks/shell.py --quick    without TensorFlow

Each figure is a median, beside what the same machine takes for Python alone, so that a slow minute shows.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pexpect

from vistaql.demo.folder import SETUP, write
from vistaql.names import KnownNames
from vistaql.repl.completion import complete
from vistaql.repl.place import World
from vistaql.session import connect

ROOT = Path(__file__).parents[1]
TIMES = 7
EVERY_CHARACTERS = 3
TRAINING = "EXPLORE LAYERS conv1 POOL none OF strokes FROM scans JOIN measures TRAIN lr (tol = 0.00000001);"
INFERENCE = "EXPLORE LAYERS top_conv OF slow FROM scans JOIN measures TRAIN lr;"


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as place:
        demo = write(Path(place) / "demo")
        with connect(demo.home) as session:
            for _ in session.run(SETUP, {}, demo.folder):
                pass
        starts(demo.home)
        completions(demo.home)
        if not quick:
            typing_while_loading()
            interrupts(demo.home)


def show(what: str, seconds: float, limit: str = "") -> None:
    """Print a figure, and what it is to stay below."""
    print(f"{what:<58} {1000 * seconds:8.0f} ms   {limit}")


def median(work: Callable[[], float]) -> float:
    """The median of some repetitions, after one that fills caches."""
    work()
    return statistics.median(work() for _ in range(TIMES))


def process(*words: str) -> float:
    """Seconds of a process from start to end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - started


def starts(home: Path) -> None:
    """From the command to the prompt, and to an answer."""
    show("python -c pass", median(lambda: process("-c", "pass")))
    show("python -c 'import prompt_toolkit'", median(lambda: process("-c", "import prompt_toolkit")))
    show("vistaql: from the command to the prompt", median(lambda: to_prompt(home)), "below 500")
    words = ("-m", "vistaql", "--home", str(home), "-c", "SHOW TABLES")
    show("vistaql -c 'SHOW TABLES': the whole process", median(lambda: process(*words)), "below 600")


def to_prompt(home: Path) -> float:
    """Seconds until the prompt can be typed at."""
    started = time.perf_counter()
    child = shell(home)
    taken = time.perf_counter() - started
    child.close(force=True)
    return taken


def shell(home: Path) -> pexpect.spawn[str]:
    """The shell at its prompt."""
    words = ["-m", "vistaql", "--home", str(home)]
    child = pexpect.spawn(sys.executable, words, encoding="utf-8", dimensions=(40, 100), timeout=300)
    child.delaybeforesend = None
    child.expect("vistaql> ")
    return child


def completions(home: Path) -> None:
    """Every few characters of every statement of the golden scripts, as if it were typed."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "golden").glob("*.vql"))]
    statements = [
        found.strip() for text in texts for found in re.sub(r"--[^\n]*", "", text).split(";") if found.strip()
    ]
    taken = []
    with connect(home) as session:
        world = World(KnownNames(session.catalog, session.registered), session.catalog, session.settings)
        complete("EXPLORE LAYERS ", 15, world)
        for statement in statements:
            for cursor in range(0, len(statement) + 1, EVERY_CHARACTERS):
                started = time.perf_counter()
                complete(statement, cursor, world)
                taken.append(time.perf_counter() - started)
    taken.sort()
    print(f"{len(statements)} statements, {len(taken):,} places")
    show("completion: median", taken[len(taken) // 2])
    show("completion: 95th percentile", taken[len(taken) * 95 // 100], "below 50")
    show("completion: longest", taken[-1])


LOADING = """
import sys, threading, time
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.repl.background import load
thread = threading.Thread(target=load if sys.argv[1] == "shell" else import_tensorflow)
thread.start()
longest, last = 0.0, time.perf_counter()
while thread.is_alive():
    time.sleep(0.005)
    now = time.perf_counter()
    longest, last = max(longest, now - last - 0.005), now
print(longest)
"""


def typing_while_loading() -> None:
    """The longest time that a key waits while TensorFlow is loaded beside the prompt."""
    for how, what in (("import", "a plain import in a thread"), ("shell", "the shell's loading")):
        found = subprocess.run([sys.executable, "-c", LOADING, how], check=True, capture_output=True, text=True)
        show(f"longest wait of a key during {what}", float(found.stdout))


def interrupts(home: Path) -> None:
    """From Ctrl-C to the next prompt."""
    child = shell(home)
    child.send("REGISTER CNN slow FROM efficientnet_b0 WEIGHTS RANDOM (SEED = 1);\r")
    child.expect("CNN slow")
    for what, statement, at_work in (
        ("inference", INFERENCE, r"[1-9]\d*/896 images, \d"),
        ("training", TRAINING, r"\d/\d+ fits"),
    ):
        child.expect("vistaql> ")
        child.send(statement + "\r")
        child.expect(at_work)
        time.sleep(0.5)
        started = time.perf_counter()
        child.send("\x03")
        child.expect("Stopped")
        show(f"Ctrl-C during {what}", time.perf_counter() - started, "below 3000")
    child.close(force=True)


if __name__ == "__main__":
    main()
