"""Everything that EXPLAIN tells of a query, as one value; text, JSON and HTML are ways to write it down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vistaql.explain.cluster import chosen_words, named, near, where
from vistaql.explain.reasons import why_lost
from vistaql.explain.spark import spark_lines
from vistaql.explain.steps import Figures, Step, steps_of
from vistaql.frontend.ast import ExplainMode
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.memory import Ledger, ledger
from vistaql.optimizer.regions import spark_ledger
from vistaql.physical.operators import Keep, Operator, ReadRows, RunPass
from vistaql.physical.run import Actual, run_order
from vistaql.plan.node import Node
from vistaql.spark_settings import SparkSettings


@dataclass(frozen=True)
class Loser:
    """A plan that fits and was not taken, and why. `beaten`: another takes no more seconds, memory and disk.

    `name` is short for a plan on Spark: what differs from the chosen one.
    """

    candidate: Candidate
    why: str
    beaten: bool
    name: str


@dataclass(frozen=True)
class Rewrite:
    """The logical plan after a rule, with what it was before; the first one is the plan as it was bound."""

    rule: str
    before: Node | None
    after: Node


@dataclass(frozen=True)
class Measured:
    """What a run took: seconds of the whole statement and of joining the rows, then operator by operator.

    `kept_as` is the name under which the answer is kept.
    """

    seconds: float
    prepare_seconds: float
    actuals: tuple[Actual, ...]
    kept_as: str | None = None

    @property
    def peak_bytes(self) -> int:
        """The most memory that the process held."""
        return max(item.peak_bytes for item in self.actuals)


@dataclass(frozen=True)
class Account:
    """A decision and what there is to say about it; the last three only in the modes that ask for them.

    `spark` holds what Spark would be told, a `--conf name=value` each.
    """

    mode: ExplainMode
    decision: Decision
    steps: Step
    ledger: Ledger
    losers: tuple[Loser, ...]
    rewrites: tuple[Rewrite, ...] = ()
    measured: Measured | None = None
    spark: tuple[str, ...] = ()

    @property
    def best_of_each_kind(self) -> tuple[Loser, ...]:
        """Of the losers the cheapest of each kind: strategy, place of kept tensors, and place of the join."""
        found: dict[object, Loser] = {}
        worth = {id(item) for item in near(self.decision)}
        for loser in (item for item in self.losers if id(item.candidate) in worth):
            found.setdefault(kind_of(loser.candidate), loser)
        return tuple(found.values())


def account(
    decision: Decision,
    mode: ExplainMode = ExplainMode.PLAN,
    rewrites: tuple[Rewrite, ...] = (),
    measured: Measured | None = None,
    settings: SparkSettings | None = None,
) -> Account:
    """All that is to be told of a decision."""
    steps, verbose = steps_of(decision), mode is ExplainMode.VERBOSE
    return Account(
        mode,
        decision,
        with_actuals(steps, measured) if measured else steps,
        ledger_of(decision),
        tuple(loser(item, decision) for item in decision.losers),
        rewrites,
        measured,
        spark_lines(decision.chosen.configuration, settings, given=decision.machine.started is not None)
        if verbose and settings
        else (),
    )


def ledger_of(decision: Decision) -> Ledger:
    """The ledger of the chosen plan, in process or on Spark."""
    chosen, limit = decision.chosen, decision.limit_bytes
    configuration = chosen.configuration
    if configuration.regions is not None:
        return spark_ledger(
            configuration.regions, configuration.executors, decision.machine, limit, together=decision.together
        )
    return ledger(chosen.plan, decision.sizes, decision.machine, limit)


def loser(candidate: Candidate, decision: Decision) -> Loser:
    """A plan that was not taken, with the reason."""
    fitting = (decision.chosen, *decision.losers)
    beaten = any(
        other.seconds <= candidate.seconds and other.fits(candidate.peak_bytes, candidate.disk_bytes)
        for other in fitting
        if other is not candidate
    )
    name = named(candidate, decision)
    return Loser(candidate, why_lost(candidate, decision), beaten, name)


def kind_of(candidate: Candidate) -> tuple[object, ...]:
    """What plans of one kind have in common."""
    stored = {item.source.storage.value for item in run_order(candidate.plan) if isinstance(item, Keep)}
    return (
        candidate.strategy,
        frozenset(stored),
        candidate.placement,
        candidate.joined_late,
        candidate.configuration.cluster,
    )


def settings_of(decision: Decision) -> tuple[tuple[str, str], ...]:
    """What was decided besides the shape of the plan: name and value, in words."""
    chosen, configuration = decision.chosen, decision.chosen.configuration
    keeps = [item for item in run_order(chosen.plan) if isinstance(item, Keep)]
    places = sorted({item.source.storage.value for item in keeps})
    batches = {item.cnn.name: str(item.cnn.batch_rows) for item in chosen.groupings}
    batch = ", ".join(batches.values()) if len(batches) == 1 else ", ".join(f"{b} ({n})" for n, b in batches.items())
    found = [
        ("engine", where(chosen)),
        ("decoders", str(configuration.decoders)),
        ("fits side by side", str(configuration.fit_workers)),
        ("batch", batch),
        ("join", f"{chosen.placement.value} inference"),
    ]
    if configuration.cluster is not None:
        found[-1] = ("on Spark", chosen_words(decision))
    if places:
        found.append(("kept tensors", " and ".join(places)))
    if configuration.spools:
        found.append(("large vectors", "on disk"))
    return tuple(found)


# The operator whose result is the result of a step.
RESULTS = {"Rows": ReadRows, "Infer": RunPass}


def with_actuals(step: Step, measured: Measured) -> Step:
    """The steps with what they took. Decoding runs beside inference, so both are told in the step of the pass."""
    below = tuple(with_actuals(inner, measured) for inner in step.reads)
    own = [item for item in measured.actuals if item.operator.digest in step.covers]
    if not own:
        return replace(step, reads=below)
    joined = measured.prepare_seconds if step.operator == "Rows" else 0.0
    made = RESULTS.get(step.operator, Operator)
    extent = next((item.extent for item in own if item.extent and isinstance(item.operator, made)), None)
    actual = Figures(
        joined + sum(item.seconds for item in own),
        extent.rows if extent else None,
        extent.bytes if extent else None,
        max(item.peak_bytes for item in own),
    )
    decoding = sum(inner.estimate.seconds or 0.0 for inner in below if inner.operator == "Decode")
    whole = (step.estimate.seconds or 0.0) + decoding
    hidden = tuple(
        replace(inner, estimate=replace(inner.estimate, seconds=None)) if inner.operator == "Decode" else inner
        for inner in below
    )
    return replace(step, estimate=replace(step.estimate, seconds=whole), actual=actual, reads=hidden)
