"""What a plan on Spark would have Spark told, as words for spark-submit."""

from __future__ import annotations

from vistaql.engines.spark.conf import configuration, needs_of, with_workers
from vistaql.engines.spark.memory import conf_lines, running_conf
from vistaql.optimizer.configuration import Configuration
from vistaql.spark_settings import SparkSettings, shown


def spark_lines(chosen: Configuration, settings: SparkSettings, *, given: bool = False) -> tuple[str, ...]:
    """A `--conf name=value` for each setting of Spark that a plan would be run with; none for a plan in this process.

    In a session that was `given` only what Spark is told while the plan runs, and what the user set. Values of secrets
    are hidden.
    """
    if chosen.cluster is None:
        return ()
    told = dict(settings.values)
    if not given:
        started = with_workers(settings, chosen.cluster.workers)
        told = dict(configuration(started, needs_of(chosen.cluster, chosen.regions, chosen.executors)))
    everything = told | settings.left_open(running_conf(chosen.cluster))
    return conf_lines(tuple((name, shown(name, value)) for name, value in sorted(everything.items())))
