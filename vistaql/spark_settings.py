"""The settings that are Spark's own: `SET spark.master = 'local[4]'`, and any other name that begins with `spark.`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "spark."
MASTER = "spark.master"
DEFAULT_MASTER = "local[*]"
TASK_CPUS = "spark.task.cpus"
MASTERS = re.compile(r"local(\[(\d+|\*)(, *\d+)?\])?|local-cluster\[\d+, *\d+, *\d+\]|spark://.+|yarn|k8s://.+")
LOCAL_CLUSTER = re.compile(r"local-cluster\[(\d+), *(\d+), *(\d+)\]")
KEY = re.compile(r"spark(\.[\w-]+)+")
SECRET = re.compile(r"secret|password|token|access[._-]?key|credential", re.IGNORECASE)
OWN = ("localhost", "127.", "[::1]")
UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
SIZE = re.compile(r"(\d+)\s*([bkmgtp])?b?", re.IGNORECASE)
REFUSED = {
    # Spark turns it into a limit of address space (RLIMIT_AS), of which TensorFlow reserves gigabytes that it
    # never touches: workers would die while there is memory.
    "spark.executor.pyspark.memory": "memory_limit instead, TensorFlow does not run below a limit of address space",
    # The session that a statement gets is made here, and has one name.
    "spark.submit.deployMode": "no deploy mode, the driver is this process",
}


@dataclass(frozen=True)
class SparkSettings:
    """Names and values in force, by name; the master is one of them, and `local[*]` where none was set."""

    values: tuple[tuple[str, str], ...] = ()

    @property
    def master(self) -> str:
        """Where Spark runs."""
        return dict(self.values).get(MASTER, DEFAULT_MASTER)

    @property
    def one_java(self) -> bool:
        """Whether driver and executor are one Java: with a local master that is no cluster."""
        return self.master.startswith("local") and cluster_shape(self.master) is None

    @property
    def here(self) -> bool:
        """Whether executors run on this machine."""
        return is_loopback(self.master)

    def changed(self, name: str, value: object) -> SparkSettings:
        """These with one more. ValueError says what is accepted."""
        text = text_of(value)
        if not KEY.fullmatch(name):
            message = "a name of Spark such as spark.executor.memory"
            raise ValueError(message)
        if name in REFUSED:
            raise ValueError(REFUSED[name])
        if name == MASTER and not MASTERS.fullmatch(text):
            message = "'local[2]', 'local[*]', 'spark://host:7077', 'yarn' or 'k8s://https://host:443'"
            raise ValueError(message)
        return SparkSettings(tuple(sorted((dict(self.values) | {name: text}).items())))

    def reset(self, name: str) -> SparkSettings:
        """These without one of them."""
        return SparkSettings(tuple(item for item in self.values if item[0] != name))

    def left_open(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Of settings that a plan would have those that the user has not set: what he sets wins."""
        own = dict(self.values)
        return {name: value for name, value in wanted.items() if name not in own}

    def describe(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and meaning of each, the master first."""
        others = ((name, shown(name, value), "passed on to Spark") for name, value in self.values if name != MASTER)
        return ((MASTER, self.master, "where Spark runs: in local processes, or the URL of a cluster"), *others)


@dataclass(frozen=True)
class ClusterShape:
    """Executors of a local cluster, cores of each, and the bytes of its heap."""

    executors: int
    cores: int
    heap: int


def cluster_shape(master: str) -> ClusterShape | None:
    """What the name of a local cluster says; None of another master.

    >>> cluster_shape("local-cluster[2,1,2048]"), cluster_shape("local[2]")
    (ClusterShape(executors=2, cores=1, heap=2147483648), None)
    """
    found = LOCAL_CLUSTER.fullmatch(master)
    return ClusterShape(int(found[1]), int(found[2]), int(found[3]) * 2**20) if found else None


def local_slots(master: str) -> int | None:
    """The tasks of one core that a local master takes, where its name says so; None of any other.

    >>> local_slots("local[3]"), local_slots("local"), local_slots("local[*]"), local_slots("yarn")
    (3, 1, None, None)
    """
    if master == "local":
        return 1
    found = re.match(r"local\[(\d+)", master)
    return int(found[1]) if found else None


def is_spark(name: str) -> bool:
    """Whether a setting is one of Spark's."""
    return name.casefold().startswith(PREFIX)


def shown(name: str, value: str) -> str:
    """A value as it may be printed.

    >>> shown("spark.hadoop.fs.s3a.secret.key", "abc"), shown("spark.executor.memory", "4g")
    ('(hidden)', '4g')
    """
    return "(hidden)" if SECRET.search(name) else value


def text_of(value: object) -> str:
    """A value as Spark reads it. ValueError where there is none.

    >>> text_of(True), text_of(4), text_of(" 4g ")
    ('true', '4', '4g')
    """
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else str(value).strip()
    if not text or not text.isprintable():
        message = "a text, a number, true or false"
        raise ValueError(message)
    return text


def is_loopback(master: str) -> bool:
    """Whether driver, executors and master are all on this machine.

    >>> is_loopback("local[2,4]"), is_loopback("spark://localhost:7077"), is_loopback("spark://tower:7077")
    (True, True, False)
    """
    return master.startswith("local") or (
        master.startswith("spark://") and all(host.startswith(OWN) for host, _ in addresses(master))
    )


def addresses(master: str) -> tuple[tuple[str, int], ...]:
    """Hosts and ports of a standalone master and of those that stand in for it.

    >>> addresses("spark://a:7077,b:7078"), addresses("spark://a")
    ((('a', 7077), ('b', 7078)), (('a', 7077),))
    """
    found = []
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        found.append((host, int(port)) if host and port.isdigit() else (place, 7077))
    return tuple(found)


def bytes_of(text: str, unit: str) -> int:
    """A size as Spark reads it; `unit` is what a number alone counts.

    >>> bytes_of("2g", "b"), bytes_of("512", "m"), bytes_of("1 GB", "b")
    (2147483648, 536870912, 1073741824)
    """
    found = SIZE.fullmatch(text.strip())
    return int(found[1]) * UNITS[(found[2] or unit).lower()] if found else 0
