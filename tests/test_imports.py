"""What answers in a moment loads no CNN library, no Spark and no learner."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "pyspark", "sklearn", "scipy", "pandas")
SNIPPETS = {
    "import": "import vistaql",
    "parse": "from vistaql.frontend.parser import parse; parse('EXPLORE LAYERS fc6 OF vgg16 ON images TRAIN knn;')",
}


@pytest.mark.parametrize("code", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_a_light_use_loads_no_heavy_module(code: str) -> None:
    report = f"{code}\nimport sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == []
