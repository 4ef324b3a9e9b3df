"""What is given: cores, memory, and the rates at which this machine works."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Calibration:
    """Rates of one core and fixed costs, measured on one machine of two AVX-512 cores.

    Every field has its unit; the defaults are medians of the project's own benchmarks, and are good to
    a factor of two elsewhere until a machine is measured.
    """

    dense_flops_per_second: float = 90e9
    """convolutions and dense layers in float32 (ResNet50: 24 images/s of 7.8 GFLOP on two cores)"""
    depthwise_flops_per_second: float = 12e9
    """depthwise convolutions, bound by memory"""
    moved_bytes_per_second: float = 6e9
    """outputs of layers written and read back in cache"""
    decoded_pixels_per_second: float = 58e6
    """JPEG decoded and resized by Pillow (360 photos/s of 400 x 400)"""
    opened_images_per_second: float = 4000.0
    """image files opened and handed from thread to thread"""
    read_bytes_per_second: float = 500e6
    """files read"""
    kept_bytes_per_second: float = 2e9
    """tensors copied to and from memory"""
    spilled_bytes_per_second: float = 400e6
    """tensors written to and read from disk"""
    fit_flops_per_second: float = 15e9
    """fitting, one BLAS thread"""
    graph_seconds: float = 0.7
    """tracing and freezing a graph"""
    graph_seconds_per_parameter: float = 8e-8
    """folding its weights into constants"""
    library_seconds: float = 4.5
    """importing TensorFlow"""
    process_bytes: float = 350e6
    """the interpreter with Arrow, DuckDB and scikit-learn"""
    library_bytes: float = 450e6
    """TensorFlow after its first operation"""


@dataclass(frozen=True)
class Machine:
    """Cores and bytes of memory that this process may use, and the machine's rates."""

    cores: int
    memory_bytes: int
    calibration: Calibration = field(default_factory=Calibration)


# Left to the system and to other programs: a tenth of memory, at least this.
LEAST_RESERVE = 500_000_000


def detect() -> Machine:
    """The smallest of what the host has, what the process may use, and what its cgroup allows."""
    cores = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        cores.append(len(os.sched_getaffinity(0)))
    cores += [limit for limit in (cgroup_cores(),) if limit]
    memory = min([host_memory(), *(limit for limit in (cgroup_memory(),) if limit)])
    reserve = min(max(memory // 10, LEAST_RESERVE), memory // 2)
    return Machine(max(1, min(cores)), memory - reserve)


def host_memory() -> int:
    """Bytes of memory of the host."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def cgroup_cores(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int | None:
    """Whole cores that the cgroup of this process allows (at least one); None without a limit."""
    limits = []
    for folder in cgroup_folders(root, membership, "cpu"):
        words = read_words(folder / "cpu.max")
        if len(words) == 2 and words[0].isdigit():
            limits.append(int(words[0]) / int(words[1]))
        quota = read_words(folder / "cpu.cfs_quota_us")
        period = read_words(folder / "cpu.cfs_period_us")
        if quota and period and int(quota[0]) > 0:
            limits.append(int(quota[0]) / int(period[0]))
    return max(1, int(min(limits))) if limits else None


def cgroup_memory(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int | None:
    """Bytes that the cgroup of this process allows; None without a limit."""
    limits = []
    for folder in cgroup_folders(root, membership, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            words = read_words(folder / name)
            # Version 1 writes a number near 2**63 where there is no limit.
            if words and words[0].isdigit() and int(words[0]) < 2**60:
                limits.append(int(words[0]))
    return min(limits) if limits else None


def cgroup_folders(root: Path, membership: Path, controller: str) -> list[Path]:
    """The folders whose limits hold for this process: its own cgroup and all above it (v2, then v1)."""
    folders = [root, root / controller]
    for line in read_words(membership, lines=True):
        _, controllers, path = line.split(":", 2)
        top = root if not controllers else root / controller
        if not controllers or controller in controllers.split(","):
            own = top / path.lstrip("/")
            folders += [own, *(parent for parent in own.parents if parent.is_relative_to(top))]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def read_words(path: Path, *, lines: bool = False) -> list[str]:
    """The words (or lines) of a small file; nothing where it cannot be read."""
    try:
        text = path.read_text()
    except OSError:
        return []
    return text.splitlines() if lines else text.split()
