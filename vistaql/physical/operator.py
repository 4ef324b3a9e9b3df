"""What every physical operator tells, and how it runs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from vistaql.physical.engine import Engine
from vistaql.physical.resources import Resources
from vistaql.physical.sizes import Sizes
from vistaql.plan.node import Node

FLOAT32 = 4


@dataclass(frozen=True)
class Operator(Node):
    """A step that runs. `run` gets the values of its inputs in the order of `inputs`."""

    # Not an ABC, which would make each `isinstance` and `match` over operators a call of Python: planning makes
    # thousands. mypy refuses an operator that lacks a method all the same.

    @abstractmethod
    def size(self, sizes: Sizes) -> int:
        """Bytes of what the operator gives, held until everyone has read it."""

    @abstractmethod
    def resources(self, sizes: Sizes) -> Resources:
        """The work it takes."""

    @abstractmethod
    def memory(self, sizes: Sizes) -> int:
        """Bytes it needs while it runs, besides its inputs and its result."""

    @abstractmethod
    def run(self, engine: Engine, inputs: tuple[Any, ...]) -> object:
        """The result, made by the engine."""
