"""The lines of Keras in README.md are those of benchmarks/by_hand.py, and give what the demo gives."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from vistaql.engines.tensorflow.runtime import import_tensorflow

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "benchmarks" / "by_hand.py"
SCREEN = ROOT / "tests" / "demo" / "screen.txt"
ACCURACY = re.compile(r"^ *(conv\d|fc\d|table alone) +(?:\d+ +)?(0\.\d+)", re.MULTILINE)
NEAR = 0.006
"""The demo's screen has two decimals that are the same on every machine."""


def test_readme_shows_the_program() -> None:
    shown = re.search(r"^```py\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1] in PROGRAM.read_text(encoding="utf-8")
    assert len(shown[1].splitlines()) == 15


@pytest.mark.usefixtures("place")
@pytest.mark.filterwarnings("default")
def test_both_give_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    # Its first import decides about the kernels of this process.
    import_tensorflow()
    runpy.run_path(str(PROGRAM), run_name="__main__")
    by_hand = {name: float(figure) for name, figure in ACCURACY.findall(capsys.readouterr().out)}
    demo = {name: float(figure) for name, figure in ACCURACY.findall(SCREEN.read_text().replace("_", "5"))}
    assert by_hand.keys() == demo.keys()
    assert {name: abs(by_hand[name] - demo[name]) < NEAR for name in demo} == dict.fromkeys(demo, True)
