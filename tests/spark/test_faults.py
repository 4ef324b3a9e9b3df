"""Lost executors leave the same answer. test_equal_bits.py kills workers, benchmarks/spark_faults.py more of both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SAID = "executors: 3 killed while tasks ran, 3 answers equal to the quiet one\n"


def test_the_answer_of_a_local_cluster_is_that_of_a_quiet_run(checkout: Path) -> None:
    """Before the first kill the cluster gives the bits of this process as well."""
    program = str(checkout / "benchmarks" / "spark_faults.py")
    done = subprocess.run(
        [sys.executable, program, "--workers", "0", "--executors", "3", "--scans", "200", "--partitions", "4"],
        capture_output=True, text=True, cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == SAID
