"""What EXPLAIN notes down while a query is rewritten and run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vistaql.explain.account import Measured, Rewrite
from vistaql.logical.rules import rewritten

if TYPE_CHECKING:
    from vistaql.optimizer.choose import Decision
    from vistaql.outcome import Exploration, Report
    from vistaql.physical.run import Actual
    from vistaql.plan.node import Node
    from vistaql.plan.rewrite import Step


@dataclass
class Recording:
    """The decision of a run, what joining the rows took, and what each operator took."""

    actuals: list[Actual] = field(default_factory=list)
    prepare_seconds: float = 0.0
    decision: Decision | None = None

    def decided(self, decision: Decision, seconds: float) -> None:
        """The rows are joined, and a plan is chosen."""
        self.decision, self.prepare_seconds = decision, seconds

    def measured(self, outcome: Exploration | Report, seconds: float) -> Measured:
        """All of it, when the statement is over."""
        return Measured(seconds, self.prepare_seconds, tuple(self.actuals), getattr(outcome, "name", None))


def rewrites_of(plan: Node) -> tuple[Rewrite, ...]:
    """The plan as it is, then after each rule."""
    found = [Rewrite("", None, plan)]

    def note(step: Step) -> None:
        found.append(Rewrite(step.rule, found[-1].after, step.plan))

    rewritten(plan, note)
    return tuple(found)
