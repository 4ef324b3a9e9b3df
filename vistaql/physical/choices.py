"""What is decided about a run on Spark besides the shape of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class JoinMethod(Enum):
    """How rows and images, or rows and features, are brought together by key."""

    BROADCAST = "broadcast"
    """the rows are sent whole to every worker"""
    SHUFFLE = "shuffle"
    """both sides are sent to where their key belongs"""


class JoinPlace(Enum):
    """Where images without a row are left out."""

    BEFORE = "before"
    """before they are decoded"""
    AFTER = "after"
    """after inference; only their features meet the rows"""


class Persistence(Enum):
    """How the cluster holds what a pass gave until its last reader has run."""

    DESERIALIZED = "deserialized"
    """as objects in memory, and on disk where memory ends"""
    SERIALIZED = "serialized"
    """as bytes in memory, and on disk where memory ends"""
    DISK = "disk"


class TrainingPlace(Enum):
    """Where learners are fitted."""

    DRIVER = "driver"
    """in this process, on features that are collected"""
    CLUSTER = "cluster"
    """by MLlib"""


@dataclass(frozen=True)
class ClusterChoices:
    """How a plan runs on Spark.

    `workers` tasks run side by side, each a Python process with `threads` TensorFlow threads and `decoders` threads
    that decode. The images are cut into `partitions`.
    """

    workers: int
    threads: int
    decoders: int
    partitions: int
    join: JoinMethod
    place: JoinPlace
    persistence: Persistence
    training: TrainingPlace

    def __str__(self) -> str:
        return (
            f"{self.join.value} join {self.place.value} inference, {self.persistence.value}, "
            f"trained on the {self.training.value}, {self.workers} x {self.threads}"
        )
