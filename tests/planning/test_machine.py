"""Cores and memory are the smallest of host, affinity and control group, of both versions."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from vistaql.optimizer import machine
from vistaql.optimizer.machine import LEAST_RESERVE, cgroup_cores, cgroup_memory, detect

GIB = 2**30


def groups(root: Path, membership: str, **files: str) -> tuple[Path, Path]:
    """A control group file system; in names of files __ stands for a slash and _dot_ for a dot."""
    for name, text in files.items():
        path = root / "fs" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "membership").write_text(membership)
    (root / "fs").mkdir(exist_ok=True)
    return root / "fs", root / "membership"


def test_version_2_in_a_container(tmp_path: Path) -> None:
    found = groups(tmp_path, "0::/\n", cpu_dot_max="250000 100000\n", memory_dot_max=f"{3 * GIB}\n")
    assert cgroup_cores(*found) == 2
    assert cgroup_memory(*found) == 3 * GIB


def test_version_2_without_limits(tmp_path: Path) -> None:
    found = groups(tmp_path, "0::/\n", cpu_dot_max="max 100000\n", memory_dot_max="max\n")
    assert cgroup_cores(*found) is None
    assert cgroup_memory(*found) is None


def test_version_2_takes_the_smallest_limit_of_all_groups_above(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "0::/user.slice/job.scope\n",
        user_dot_slice__memory_dot_max=f"{GIB}\n",
        user_dot_slice__cpu_dot_max="max 100000\n",
        user_dot_slice__job_dot_scope__memory_dot_max=f"{2 * GIB}\n",
        user_dot_slice__job_dot_scope__cpu_dot_max="400000 100000\n",
        other_dot_slice__memory_dot_max="1000\n",
    )
    assert cgroup_cores(*found) == 4
    assert cgroup_memory(*found) == GIB


def test_version_1(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "5:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n",
        cpu__docker__abc__cpu_dot_cfs_quota_us="300000\n",
        cpu__docker__abc__cpu_dot_cfs_period_us="100000\n",
        cpu__cpu_dot_cfs_quota_us="-1\n",
        cpu__cpu_dot_cfs_period_us="100000\n",
        memory__docker__abc__memory_dot_limit_in_bytes=f"{4 * GIB}\n",
        memory__memory_dot_limit_in_bytes="9223372036854771712\n",
    )
    assert cgroup_cores(*found) == 3
    assert cgroup_memory(*found) == 4 * GIB


def test_half_a_core_is_one(tmp_path: Path) -> None:
    assert cgroup_cores(*groups(tmp_path, "0::/\n", cpu_dot_max="50000 100000\n")) == 1


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    assert cgroup_cores(tmp_path / "none", tmp_path / "none") is None
    assert cgroup_memory(tmp_path / "none", tmp_path / "none") is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is a matter of Linux")
def test_affinity_limits_cores() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert detect().cores == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("group", "memory"), [(GIB, GIB - LEAST_RESERVE), (None, 8 * GIB - 8 * GIB // 10), (10**8, 5 * 10**7)]
)
def test_a_reserve_is_left_to_others(monkeypatch: pytest.MonkeyPatch, group: int | None, memory: int) -> None:
    monkeypatch.setattr(machine, "host_memory", lambda: 8 * GIB)
    monkeypatch.setattr(machine, "cgroup_memory", lambda: group)
    assert detect().memory_bytes == memory


ONE_CORE_2_GB = {
    "version 2": (
        "0::/job.scope\n",
        {"job_dot_scope__cpu_dot_max": "100000 100000\n", "job_dot_scope__memory_dot_max": "2000000000\n"},
    ),
    "version 1": (
        "5:cpu,cpuacct:/job\n3:memory:/job\n",
        {
            "cpu__job__cpu_dot_cfs_quota_us": "100000\n",
            "cpu__job__cpu_dot_cfs_period_us": "100000\n",
            "memory__job__memory_dot_limit_in_bytes": "2000000000\n",
        },
    ),
}


@pytest.mark.parametrize("version", ONE_CORE_2_GB)
def test_under_one_core_and_2_gb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """The machine as it is found, on files like those of a container."""
    membership, files = ONE_CORE_2_GB[version]
    root, own = groups(tmp_path, membership, **files)
    monkeypatch.setattr(machine, "cgroup_cores", partial(cgroup_cores, root, own))
    monkeypatch.setattr(machine, "cgroup_memory", partial(cgroup_memory, root, own))
    found = detect()
    assert (found.cores, found.memory_bytes, found.reserve_bytes) == (1, 1_500_000_000, 500_000_000)
