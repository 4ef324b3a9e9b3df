"""A real control group of one core and 2 GB: what the machine is taken for, and a run that stays inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vistaql.session import Session

CORES, BYTES = 1, 2_000_000_000
GROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000
# By the version's file that has the limit: the limits, and the folder below which a group is made.
VERSIONS = {
    "memory.limit_in_bytes": {
        GROUPS / "memory": {"memory.limit_in_bytes": BYTES},
        GROUPS / "cpu": {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": CORES * PERIOD},
    },
    "memory.max": {GROUPS: {"memory.max": BYTES, "cpu.max": f"{CORES * PERIOD} {PERIOD}"}},
}
INSIDE = """
import json, os, sys
from pathlib import Path
for group in sys.argv[2:]:
    (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
import vistaql
with vistaql.connect(sys.argv[1]) as session:
    machine = session.machine
    outcome = session.sql("EXPLORE LAYERS conv1 POOL none, conv2 POOL none, fc5 OF strokes FROM scans JOIN measures "
                          "TRAIN lr(max_iter = 20)").outcome
print(json.dumps([machine.cores, machine.memory_bytes + machine.reserve_bytes, [row.digest for row in outcome.rows]]))
"""


@pytest.fixture
def one_core_2_gb() -> Iterator[list[Path]]:
    """The folders of a control group; only who may write there can make one."""
    made: list[Path] = []
    try:
        for limits in VERSIONS.values():
            try:
                for place, values in limits.items():
                    group = place / f"vistaql-test-{os.getpid()}"
                    group.mkdir()
                    made.append(group)
                    for name, value in values.items():
                        (group / name).write_text(str(value))
            except OSError:
                remove(made)
            else:
                break
        if not made:
            pytest.skip("control groups cannot be made here")
        yield made
    finally:
        remove(made)


def remove(groups: list[Path]) -> None:
    while groups:
        groups.pop().rmdir()


def test_a_run_inside_one_core_and_2_gb(session: Session, one_core_2_gb: list[Path]) -> None:
    """The kernel would end a process that took more."""
    command = [sys.executable, "-c", INSIDE, str(session.home), *map(str, one_core_2_gb)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cores, memory, digests = json.loads(done.stdout.splitlines()[-1])
    assert (cores, BYTES - memory < 4096) == (CORES, True)
    assert len(set(digests)) == 4
