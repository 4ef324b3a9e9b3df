"""Killed Python workers and lost executors leave the same answer. benchmarks/spark_faults.py kills more of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Minutes on two cores.
pytestmark = pytest.mark.volume

SAID = {
    "--workers": "Python workers: 3 killed while tasks ran, 3 answers equal to the quiet one",
    "--executors": "executors: 3 killed while tasks ran, 3 answers equal to the quiet one",
}


@pytest.mark.parametrize("victims", list(SAID))
def test_the_answer_is_that_of_a_quiet_run(victims: str, checkout: Path) -> None:
    counts = [part for name in SAID for part in (name, "3" if name == victims else "0")]
    done = subprocess.run(
        [sys.executable, str(checkout / "benchmarks" / "spark_faults.py"), *counts], capture_output=True, text=True,
        cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == SAID[victims]
