"""What a downstream learner is: a frozen value whose fields are its options.

Binding a statement needs a learner's name, options and ranges only, so nothing heavy is imported here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from vistaql.learners.matrix import Matrix

T = TypeVar("T")

Each = Callable[..., Iterable[Any]]
"""`map`, or the map of a pool that works side by side; results come in order."""


@dataclass(frozen=True, eq=False)
class TrainingFold:
    """What one fold may learn from."""

    rows: np.ndarray
    """int64: numbers of the rows, in canonical order"""
    ranks: np.ndarray
    """int64: the places of these rows in the canonical order of all rows"""
    fill: np.ndarray
    """float64: what stands in for the missing values of each column that has some"""


class Model(Protocol):
    """What a learner has learnt."""

    @property
    def converged(self) -> bool:
        """False where the learner stopped at its iteration limit."""
        ...

    def probabilities(self, matrix: Matrix, rows: np.ndarray) -> np.ndarray:
        """The probability of each class for some rows: float64 [rows, classes]."""
        ...


@dataclass(frozen=True)
class Option:
    """An option of a learner: what may follow its name in TRAIN learner (option = value)."""

    name: str
    kind: type[int | float]
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


def option(default: float, low: float, high: float, meaning: str) -> Any:
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
    def fit(
        self,
        matrix: Matrix,
        folds: Sequence[TrainingFold],
        codes: np.ndarray,
        classes: int,
        each: Each,
        judge: Callable[[int, Model], T],
    ) -> Sequence[T]:
        """Learn one model from each fold, and give what `judge` makes of its number and its model.

        `codes` are the classes (0 up) of all rows. What a model is comes from the rows of its fold alone,
        standardisation included. Work goes through `each`, in pieces that do not depend on how many of them run side by
        side, so the bits do not either. A model is let go once it is judged: those of long vectors are large.
        """

    @abstractmethod
    def flops(self, rows: int, width: int, classes: int) -> float:
        """What one fit takes, in floating-point operations of a large matrix product; slower ones count for more."""

    def pieces(self, rows: int, width: int, folds: int) -> int:  # noqa: ARG002 - folds, if a learner does no better
        """In how many pieces of equal size the fits of all folds can run side by side."""
        return folds

    def reads(self, rows: int, width: int, folds: int) -> float:  # noqa: ARG002 - as most learners do
        """How often the fits of all folds, with standardising and judging, read the features."""
        return 5.0 * folds

    @abstractmethod
    def memory(self, rows: int, width: int, classes: int) -> int:
        """Bytes that one fit needs beside the features, estimated from above."""


def options_of(learner: type[Learner]) -> tuple[Option, ...]:
    """The options of a learner, in the order of its fields."""
    return tuple(
        Option(item.name, type(item.default), item.default, **item.metadata)  # type: ignore[arg-type]
        for item in fields(learner)
    )
