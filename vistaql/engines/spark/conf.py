"""What a session of Spark is told: what holds for all of ours, what a plan needs, what the user wants.

>>> retrying("local[2]"), retrying("local[*]"), retrying("local"), retrying("local[2,1]"), retrying("yarn")
('local[2,4]', 'local[*,4]', 'local[1,4]', 'local[2,1]', 'yarn')
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from vistaql.engines.spark.memory import CORES, Pairs, spark_conf
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.regions import LEAST, Regions
from vistaql.spark_settings import MASTER, TASK_CPUS, SparkSettings, is_loopback

RETRIES = 4
"""times that a task is tried before its job fails, as on a cluster"""
LOCAL = re.compile(r"local(?:\[(\d+|\*)\])?")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Needs:
    """What a plan needs of its session; before there is a plan, what every one needs."""

    regions: Regions = LEAST
    choices: ClusterChoices | None = None
    executors: int = 1

    def conf(self, settings: SparkSettings) -> Pairs:
        """The settings of Spark that give it."""
        return spark_conf(settings.master, self.regions, self.choices, self.executors, dict(settings.values))


ANY = Needs()


def needs_of(choices: ClusterChoices, regions: Regions | None, executors: int) -> Needs:
    """What a plan needs, as far as it was worked out."""
    return Needs(regions or LEAST, choices, executors)


def configuration(settings: SparkSettings, needs: Needs) -> Pairs:
    """What Spark is told: what holds for every session of ours, over it the plan's needs, over them the user's will."""
    chosen = defaults(settings.master) | dict(needs.conf(settings)) | dict(settings.values)
    chosen[MASTER] = retrying(settings.master)
    return tuple(sorted(chosen.items()))


def with_workers(settings: SparkSettings, workers: int) -> SparkSettings:
    """A local master with the decided number of workers, where the user left it open.

    >>> with_workers(SparkSettings(), 2).master, with_workers(SparkSettings((("spark.master", "local[4]"),)), 2).master
    ('local[2]', 'local[4]')
    """
    if not settings.master.startswith("local[*"):
        return settings
    cores = workers * int(dict(settings.values).get(TASK_CPUS, "1"))
    return settings.changed(MASTER, settings.master.replace("*", str(cores)))


def cores_of(conf: Pairs) -> Pairs:
    """Of the settings those that say how many tasks run side by side."""
    return tuple(item for item in conf if item[0] in CORES)


def retrying(master: str) -> str:
    """The master with retries, which local ones do not have by themselves."""
    found = LOCAL.fullmatch(master)
    return f"local[{found[1] or 1},{RETRIES}]" if found else master


def defaults(master: str) -> dict[str, str]:
    """What every session of ours is told."""
    told = {
        "spark.app.name": "VistaQL",
        "spark.ui.showConsoleProgress": "false",
        # Live counts come with the heartbeats of executors; ten seconds are long for somebody who watches.
        "spark.executor.heartbeatInterval": "2s",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Tables that are broadcast are small; what takes minutes is a machine that is busy or asleep.
        "spark.sql.broadcastTimeout": "3600",
    }
    if sys.platform == "linux":
        # Elsewhere a process that has loaded TensorFlow must not be forked.
        told["spark.python.daemon.module"] = "vistaql.engines.spark.daemon"
    if LOCAL.match(master) and not master.startswith("local-cluster"):
        # Driver and executor are one Java. A machine that slept would be taken for an executor that is lost.
        told["spark.storage.blockManagerHeartbeatTimeoutMs"] = "86400s"
    if is_loopback(master):
        told |= {
            # Spark's pages have no password.
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": LOOPBACK,
            "spark.driver.host": "localhost",
        }
    return told
