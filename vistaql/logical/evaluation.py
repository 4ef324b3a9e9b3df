"""How a learner is judged: on which rows, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property


class Splitting(Enum):
    """How rows are kept back for testing."""

    FOLDS = "folds"
    HOLDOUT = "holdout"
    COLUMN = "column"


@dataclass(frozen=True)
class Dealing:
    """Which rows are kept back for testing, whatever is then measured on them."""

    splitting: Splitting
    folds: int
    fraction: float

    @cached_property
    def digest(self) -> str:
        """All of it."""
        return repr(self)

    def __str__(self) -> str:
        how = {
            Splitting.FOLDS: f"{self.folds} folds",
            Splitting.HOLDOUT: f"holdout {self.fraction:g}",
            Splitting.COLUMN: "split column",
        }
        return how[self.splitting]


@dataclass(frozen=True)
class Evaluation:
    """How a learner is judged: the first metric orders the layers."""

    metrics: tuple[str, ...]
    splitting: Splitting
    folds: int = 5
    fraction: float = 0.2

    @cached_property
    def digest(self) -> str:
        """All of it, told once: every training of every plan that is weighed has one."""
        return repr(self)

    @cached_property
    def dealing(self) -> Dealing:
        """What of it decides where a row is tested."""
        return Dealing(self.splitting, self.folds, self.fraction)

    def __str__(self) -> str:
        return f"{', '.join(self.metrics)} by {self.dealing}"
