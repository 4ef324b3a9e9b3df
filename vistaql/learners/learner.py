"""What a downstream learner is: a frozen value whose fields are its options.

Binding a statement needs a learner's name, options and ranges only, so nothing heavy is imported here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import numpy as np

    from vistaql.learners.matrix import Matrix


class Model(Protocol):
    """What a learner has learnt."""

    converged: bool
    """False where the learner stopped at its iteration limit"""

    def probabilities(self, matrix: Matrix, rows: np.ndarray) -> np.ndarray:
        """The probability of each class for some rows: float64 [rows, classes]."""
        ...


@dataclass(frozen=True)
class Option:
    """An option of a learner: what may follow its name in TRAIN learner (option = value)."""

    name: str
    kind: type[int] | type[float]
    default: float
    low: float
    high: float
    meaning: str

    def check(self, value: object) -> None:
        """Raise ValueError, in words for the user, where the value is not allowed."""
        number = isinstance(value, self.kind | int) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:  # type: ignore[operator]
            noun = "a whole number" if self.kind is int else "a number"
            raise ValueError(f"{self.name} is {noun} from {self.low:g} to {self.high:g} ({self.meaning}), not {value}")


def option(default: float, low: float, high: float, meaning: str) -> Any:  # noqa: ANN401 - like dataclasses.field
    """A field of a learner that is an option of the language, with its range and meaning."""
    return field(default=default, metadata={"low": low, "high": high, "meaning": meaning})


@dataclass(frozen=True)
class Learner(ABC):
    """Learns classes from rows of numbers. Subclasses are one file each, and listed in LEARNERS."""

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for item in options_of(type(self)):
            item.check(getattr(self, item.name))

    def __str__(self) -> str:
        changed = [
            f"{item.name} = {getattr(self, item.name):g}"
            for item in options_of(type(self))
            if getattr(self, item.name) != item.default
        ]
        return f"{self.name} ({', '.join(changed)})" if changed else self.name

    @abstractmethod
    def fit(self, matrix: Matrix, rows: np.ndarray, codes: np.ndarray, classes: int) -> Model:
        """Learn from some rows, in the order given; `codes` are the classes (0 up) of these rows.

        All state that is fitted, standardisation included, comes from these rows alone.
        """

    @abstractmethod
    def flops(self, rows: int, width: int, classes: int) -> float:
        """Floating-point operations of one fit, estimated."""

    @abstractmethod
    def memory(self, rows: int, width: int, classes: int) -> int:
        """Bytes that one fit needs beside the features, estimated from above."""


def options_of(learner: type[Learner]) -> tuple[Option, ...]:
    """The options of a learner, in the order of its fields."""
    return tuple(
        Option(item.name, type(item.default), item.default, **item.metadata)  # type: ignore[arg-type]
        for item in fields(learner)
    )
