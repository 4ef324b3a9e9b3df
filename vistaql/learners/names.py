"""What the binder and the planner need to know of metrics: their names, and which way is better."""

from __future__ import annotations

from vistaql.learners.metrics import METRICS, metric_named

METRIC_NAMES: tuple[str, ...] = tuple(metric.name for metric in METRICS)


def greater_is_better(name: str) -> bool:
    """Whether more of a metric is better; of losses less is.

    >>> greater_is_better("accuracy"), greater_is_better("log_loss")
    (True, False)
    """
    metric = metric_named(name)
    return metric is None or metric.greater_is_better
