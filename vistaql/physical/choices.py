"""What is decided about a run on Spark besides the shape of the plan."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace


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
    place: Placement
    persistence: Persistence
    training: TrainingPlace

    def __str__(self) -> str:
        return (
            f"{self.join.value} join {self.place.value} inference, {self.persistence.value}, "
            f"trained on the {self.training.value}, {self.workers} x {self.threads}"
        )
