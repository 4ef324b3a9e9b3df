"""The machine: processor, GPU, cores, memory, disk, and the limits that are set on this process."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path

from vistaql.doctor.finding import Finding, fault, good, note
from vistaql.optimizer.machine import cgroup_cores, cgroup_memory, detect, host_memory
from vistaql.rendering.words import counted
from vistaql.units import format_size

FEATURES = {"avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX"}
CPUINFO = Path("/proc/cpuinfo")
LEAST_MEMORY = 3_000_000_000
"""bytes below which a plan of a larger CNN hardly fits"""
LEAST_DISK = 2_000_000_000
LEAST_FILES = 1024
LEAST_SPACE = 16_000_000_000
"""bytes of addresses: TensorFlow reserves far more than it uses"""
LEAST_FILE = 1_000_000_000


def processor(cpuinfo: Path = CPUINFO) -> Finding:
    """The processor, and those of its instructions that TensorFlow is quick with."""
    facts = cpu_facts(cpuinfo)
    name = facts.get("model name") or platform.processor() or platform.machine()
    flags = facts.get("flags", "").split()
    known = [words for flag, words in FEATURES.items() if flag in flags]
    if platform.machine().lower() not in ("x86_64", "amd64") or not flags:
        return good("CPU", name)
    if "avx" not in flags:
        return fault("CPU", f"{name}, without AVX", "TensorFlow's packages need AVX: use another machine.")
    return good("CPU", f"{name}: {', '.join(known) or 'AVX only, so TensorFlow is slow'}")


def cpu_facts(cpuinfo: Path) -> dict[str, str]:
    """Names and values of the first processor; nothing on systems without that file."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def gpu() -> Finding:
    """Whether there is one; VistaQL computes on the processor in any case."""
    nvidia = shutil.which("nvidia-smi") or any(Path("/dev").glob("nvidia[0-9]*"))
    if nvidia:
        return note("GPU", "an NVIDIA GPU is here; VistaQL computes on the processor and leaves it alone")
    return good("GPU", "none, and none is needed")


def cores() -> Finding:
    """Cores of the host, of this process, of its cgroup, and what plans count with."""
    host = os.cpu_count() or 1
    allowed = [counted(host, "core")]
    if hasattr(os, "sched_getaffinity") and (own := len(os.sched_getaffinity(0))) < host:
        allowed.append(f"{own} by affinity")
    limit = cgroup_cores()
    if limit is not None:
        allowed.append(f"{limit} by the cgroup")
    return good("cores", f"{', '.join(allowed)}; plans use {detect().cores}")


def memory() -> Finding:
    """Memory of the host, of the cgroup, and what plans may take."""
    import psutil

    plans = detect().memory_bytes
    limit = cgroup_memory()
    found = f"{format_size(host_memory())}, {format_size(psutil.virtual_memory().available)} of it free"
    if limit is not None:
        found += f", {format_size(limit)} by the cgroup"
    found += f"; plans may take {format_size(plans)}"
    if plans < LEAST_MEMORY:
        return note("memory", found, "Take a small CNN, such as mobilenet_v2; EXPLAIN tells what a plan needs.")
    return good("memory", found)


def disk(home: Path) -> Finding:
    """Room for the catalog, and for tensors that are kept on disk for a while."""
    places = {"home": existing(home), "temporary files": Path(tempfile.gettempdir())}
    free = {name: shutil.disk_usage(path).free for name, path in places.items()}
    found = ", ".join(f"{format_size(free[name])} free for {name} ({path})" for name, path in places.items())
    if free["home"] < LEAST_DISK:
        return note("disk", found, "Make room, or put the catalog elsewhere: --home DIR")
    if free["temporary files"] < LEAST_DISK:
        return note("disk", found, "export TMPDIR=/a/folder/with/room")
    return good("disk", found)


def existing(path: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def limits() -> Finding:
    """What `ulimit` sets: open files, memory, file size."""
    import resource

    kinds = (
        ("open files", resource.RLIMIT_NOFILE, LEAST_FILES, "ulimit -n 4096"),
        ("address space", resource.RLIMIT_AS, LEAST_SPACE, "ulimit -v unlimited"),
        ("size of a file", resource.RLIMIT_FSIZE, LEAST_FILE, "ulimit -f unlimited"),
    )
    found, advice = [], []
    for name, kind, least, cure in kinds:
        soft, _ = resource.getrlimit(kind)
        if soft == resource.RLIM_INFINITY:
            continue
        found.append(f"{name} {soft:,}" if kind == resource.RLIMIT_NOFILE else f"{name} {format_size(soft)}")
        if soft < least:
            advice.append(cure)
    told = ", ".join(found) or "none"
    return note("limits", told, "; ".join(advice)) if advice else good("limits", told)
