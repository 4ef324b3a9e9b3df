"""A plan on Spark in words: where it runs, what was chosen besides its shape, and which other choices lost by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from typing import Final

from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.grouping import plan_words
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.operators import (
    Answer,
    Fit,
    FitAlone,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
)
from vistaql.physical.run import run_order
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
from vistaql.units import format_duration

WORDS: Final[dict[Enum, str]] = {
    JoinMethod.BROADCAST: "rows are broadcast",
    JoinMethod.SHUFFLE: "rows and images are shuffled",
    Placement.BEFORE_INFERENCE: "joined before inference",
    Placement.AFTER_INFERENCE: "joined after inference",
    Persistence.DESERIALIZED: "held deserialized",
    Persistence.SERIALIZED: "held serialized",
    Persistence.DISK: "held on disk",
    TrainingPlace.DRIVER: "trained on the driver",
    TrainingPlace.CLUSTER: "trained on the cluster",
}

KINDS: Final[tuple[tuple[tuple[type[Operator], ...], str], ...]] = (
    ((ReadRows, ReadImages), "for rows and images"),
    ((RunPass,), "for inference"),
    ((Keep, PickFeatures), "for what is held"),
    ((Fit, FitAlone, Answer), "for training"),
)


WORTH_A_WORD: Final = 0.05
"""Seconds"""


def title(candidate: Candidate) -> str:
    """A plan by its shape; what was chosen about Spark has a line of its own."""
    return candidate.name if candidate.configuration.cluster is None else shape(candidate)


def shape(candidate: Candidate) -> str:
    """The strategy, or the groups of a hybrid."""
    return plan_words(candidate.groupings, candidate.strategy)


def where(candidate: Candidate) -> str:
    """Where a plan runs, with how many threads."""
    cluster, threads = candidate.configuration.cluster, candidate.configuration.threads
    if cluster is None:
        return f"in process, {counted(threads, 'thread')}"
    regions, executors = candidate.configuration.regions, candidate.configuration.executors
    within = "" if regions is None or regions.one_java else f" in {counted(executors, 'executor')}"
    return f"on Spark, {counted(cluster.workers, 'worker')} x {counted(threads, 'thread')}{within}"


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "worker"), counted(2, "worker")
    ('1 worker', '2 workers')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def chosen_words(decision: Decision) -> str:
    """What was chosen about Spark, in one line; `set`: no other value was allowed. Empty for a plan in process."""
    cluster = decision.chosen.configuration.cluster
    if cluster is None:
        return ""
    others = [item.configuration.cluster for item in everything(decision)]
    said = []
    for name in ("join", "place", "persistence", "training"):
        value = getattr(cluster, name)
        fixed = all(other is None or getattr(other, name) is value for other in others)
        said.append(WORDS[value] + (" (set)" if fixed else ""))
    return ", ".join([*said, counted(cluster.partitions, "partition")])


def everything(decision: Decision) -> Iterator[Candidate]:
    """All plans that were weighed."""
    yield decision.chosen
    yield from decision.losers
    yield from (item.candidate for item in decision.rejections)


def near(decision: Decision) -> tuple[Candidate, ...]:
    """The plans that lost and differ in one choice; all of them where the chosen one runs in process.

    Every combination of choices is a plan; what differs in two of them says nothing that these do not.
    """
    chosen = decision.chosen.configuration.cluster
    if chosen is None:
        return tuple(item for item in decision.losers if item.configuration.cluster is None) + best_on_spark(decision)
    return tuple(item for item in decision.losers if distance(item, decision.chosen) <= 1)


def best_on_spark(decision: Decision) -> tuple[Candidate, ...]:
    """The cheapest plan on Spark, if there was one."""
    return tuple(item for item in decision.losers if item.configuration.cluster is not None)[:1]


def distance(one: Candidate, other: Candidate) -> int:
    """In how many choices two plans differ; one of them in process counts as one."""
    mine, theirs = one.configuration.cluster, other.configuration.cluster
    if mine is None or theirs is None:
        return 1
    others = (one.groupings != other.groupings) + (mine.workers != theirs.workers)
    return others + sum(getattr(mine, name) is not getattr(theirs, name) for name in CHOICES)


CHOICES: Final = tuple(item.name for item in fields(ClusterChoices) if item.name in
                       {"join", "place", "persistence", "training"})  # fmt: skip


def named(loser: Candidate, decision: Decision) -> str:
    """A plan that lost by what is different about it."""
    mine, theirs = loser.configuration.cluster, decision.chosen.configuration.cluster
    if mine is None and theirs is None:
        return loser.name
    if mine is None or theirs is None:
        return f"{shape(loser)} {'in process' if mine is None else 'on Spark'}"
    told = [] if loser.groupings == decision.chosen.groupings else [shape(loser)]
    told += [WORDS[getattr(mine, name)] for name in CHOICES if getattr(mine, name) is not getattr(theirs, name)]
    if mine.workers != theirs.workers:
        told.append(where(loser).removeprefix("on Spark, "))
    elif mine.partitions != theirs.partitions and not told:
        told.append(counted(mine.partitions, "partition"))
    return ", ".join(told) or loser.name


def dearer(loser: Candidate, decision: Decision) -> str:
    """What a plan takes longer for."""
    mine, theirs = by_kind(loser), by_kind(decision.chosen)
    kind = max(mine, key=lambda name: mine[name] - theirs[name])
    more = mine[kind] - theirs[kind]
    return f"{format_duration(more)} more {kind}" if more >= WORTH_A_WORD else "about as fast"


def by_kind(candidate: Candidate) -> dict[str, float]:
    """Seconds of a plan for each kind of operator."""
    prices = dict(candidate.prices)
    spent = dict.fromkeys((words for _, words in KINDS), 0.0)
    for operator in run_order(candidate.plan):
        for types, words in KINDS:
            if isinstance(operator, types):
                spent[words] += prices[operator.digest]
    return spent


def cluster_json(choices: ClusterChoices, executors: int) -> dict[str, object]:
    """The choices as plain values, with the executors that share the workers."""
    values = {item.name: getattr(choices, item.name) for item in fields(choices)} | {"executors": executors}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
