"""What is decided besides the shape of the plan."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.optimizer.machine import Machine
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.regions import Regions
from vistaql.settings import Settings


@dataclass(frozen=True)
class Configuration:
    """Threads, storage and memory of a run.

    `threads` are TensorFlow's, `decoders` decode images beside it, `fit_workers` fits run side by side,
    each on one BLAS thread. The engine keeps the process below `memory_bytes`. Where it `spools`, vectors of a
    layer that are large lie on disk.
    """

    threads: int
    decoders: int
    fit_workers: int
    storage: Storage = Storage.MEMORY
    memory_bytes: int = 2**62
    spools: bool = False
    cluster: ClusterChoices | None = None
    """what was decided about Spark; None: the plan runs in this process"""
    regions: Regions | None = None
    """how its memory is divided"""
    executors: int = 1
    """processes of Java that share its workers"""


def configure(machine: Machine, settings: Settings, storage: Storage, *, spools: bool = False) -> Configuration:
    """All cores to TensorFlow, and as many fits side by side; half of them to decoding, which waits in between.

    Where vectors lie on disk for lack of memory, fits run one after the other.
    """
    threads = settings.threads or machine.cores
    limit = settings.memory_limit or machine.memory_bytes
    return Configuration(threads, max(1, (machine.cores + 1) // 2), 1 if spools else threads, storage, limit, spools)
