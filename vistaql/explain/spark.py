"""What a plan on Spark would have Spark told, as words for spark-submit."""

from __future__ import annotations

from vistaql.engines.spark.conf import configuration, needs_of
from vistaql.engines.spark.memory import conf_lines, running_conf
from vistaql.optimizer.configuration import Configuration
from vistaql.spark_settings import SparkSettings, shown


def spark_lines(chosen: Configuration, settings: SparkSettings) -> tuple[str, ...]:
    """A `--conf name=value` for each setting of Spark that a plan would be run with; none for a plan in this process.

    Values of secrets are hidden.
    """
    if chosen.cluster is None:
        return ()
    told = configuration(settings, needs_of(chosen.cluster, chosen.regions, chosen.executors))
    everything = running_conf(chosen.cluster) | dict(told)
    return conf_lines(tuple((name, shown(name, value)) for name, value in sorted(everything.items())))
