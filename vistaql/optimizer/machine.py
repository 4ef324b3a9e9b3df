"""What is given: cores, memory, and the rates at which this machine works."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from vistaql.optimizer.calibration import Calibration
from vistaql.physical.regions import Started


@dataclass(frozen=True)
class Machine:
    """Cores and bytes of memory that this process may use, and the machine's rates.

    `reserve_bytes` are left to the system and to other programs, and not part of `memory_bytes`. `disk_bytes` are free
    where runs keep files.
    """

    cores: int
    memory_bytes: int
    calibration: Calibration = field(default_factory=Calibration)
    reserve_bytes: int = 0
    library_loaded: bool = False
    """whether TensorFlow is in this process already"""
    spark_started: bool = False
    """whether Spark runs already, with its Python workers"""
    started: Started | None = None
    """the session of Spark that was given, where one was"""
    disk_bytes: int = 2**62
    disk_folder: str | None = None
    """where runs keep files; None on a machine that is described and not found"""

    def now(self) -> Machine:
        """The machine with what is free on its disk now; one that is described stays as it is."""
        return self if self.disk_folder is None else replace(self, disk_bytes=free_disk(self.disk_folder))


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
    folder = temporary_folder()
    return Machine(
        max(1, min(cores)),
        memory - reserve,
        reserve_bytes=reserve,
        disk_bytes=free_disk(folder),
        disk_folder=folder,
    )


def temporary_folder() -> str:
    """Where runs keep files: TMPDIR, or what the system has for that."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        # No folder can be written to: a run says so if it has to write.
        return os.curdir


def free_disk(folder: str) -> int:
    """Bytes that may still be written to the disk of a folder; none where it cannot be asked."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def machine_name() -> str:
    """What a profile is kept under: the processor, and how many cores of it there are for this process."""
    model = next((line.split(":", 1)[1] for line in read_words(CPUS, lines=True) if line.startswith("model name")), "")
    return f"{' '.join(model.split()) or platform.machine()}, {detect().cores} cores"


CPUS = Path("/proc/cpuinfo")


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
