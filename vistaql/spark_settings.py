"""The settings that are Spark's own: `SET spark.master = 'local[4]'`, and any other name that begins with `spark.`."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "spark."
MASTER = "spark.master"
DEFAULT_MASTER = "local[*]"
MASTERS = re.compile(r"local(\[(\d+|\*)(, *\d+)?\])?|local-cluster\[\d+, *\d+, *\d+\]|spark://.+|yarn|k8s://.+")
KEY = re.compile(r"spark(\.[\w-]+)+")
SECRET = re.compile(r"secret|password|token|access[._-]?key|credential", re.IGNORECASE)
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

    def describe(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and meaning of each, the master first."""
        others = ((name, shown(name, value), "passed on to Spark") for name, value in self.values if name != MASTER)
        return ((MASTER, self.master, "where Spark runs: in local processes, or the URL of a cluster"), *others)


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
