"""A decision as plain values: the tree of the chosen plan with prices, and the plans that lost."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.optimizer.choose import Candidate, Decision
from vistaql.outcome import PlanSummary
from vistaql.physical.operators import (
    Answer,
    BestSoFar,
    Fit,
    FitAlone,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
    WriteFeatures,
)  # fmt: skip
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.plan.graph import merge, shared


@dataclass(frozen=True)
class Step:
    """An operator as it is shown: what it does, its seconds, the bytes it holds, and the steps it reads from."""

    operator: str
    words: str
    seconds: float
    bytes: int
    reads: tuple[Step, ...] = ()
    shared: bool = False
    """whether more than one step reads it; its own inputs are shown once"""

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return {
            "operator": self.operator,
            "words": self.words,
            "seconds": round(self.seconds, 4),
            "bytes": self.bytes,
            "shared": self.shared,
            "reads": [step.to_json() for step in self.reads],
        }


def steps_of(candidate: Candidate, sizes: Sizes) -> tuple[Step, ...]:
    """The plan as a forest: training at the top, then passes, down to images and rows.

    Trainings that differ in their layer only are one step; so are the operators that only pick a pass's output.
    """
    prices = dict(candidate.prices)
    plan = candidate.plan
    order = run_order(plan)
    often = {node.digest for node in shared(merge([plan]))}
    fits = [node for node in order if isinstance(node, Fit | FitAlone)]
    seen: set[str] = set()

    def step(operator: Operator) -> Step:
        repeated = operator.digest in seen
        seen.add(operator.digest)
        below = () if repeated else tuple(step(source) for source in operator.inputs if isinstance(source, Operator))
        several = operator.digest in often and not isinstance(operator, RunPass)
        price = 0.0 if repeated else prices[operator.digest]
        words = describe(operator, sizes) + (" (as above)" if repeated else "")
        return Step(type(operator).__name__, words, price, operator.size(sizes), below, several)

    passes = [node for node in order if isinstance(node, RunPass)]
    read_by_pass = {source.digest for node in passes for source in node.inputs}
    # Chains of passes hang together through the tensor that is kept; the last of each chain is its root.
    feeding = {node.source.digest for node in order if isinstance(node, Keep) and node.digest in read_by_pass}
    roots = tuple(step(node) for node in reversed(passes) if node.digest not in feeding)
    rows = tuple(step(node) for node in order if isinstance(node, ReadRows) and node.digest not in seen)
    if isinstance(plan, WriteFeatures):
        return (Step("WriteFeatures", describe(plan, sizes), prices[plan.digest], 0, (*rows, *roots)),)
    seconds = sum(prices[node.digest] for node in fits)
    return (Step("Fit", describe_fits(fits), seconds, max(node.memory(sizes) for node in fits), (*rows, *roots)),)


def describe(operator: Operator, sizes: Sizes) -> str:
    """An operator in words."""
    match operator:
        case ReadRows(rows):
            about = "" if sizes.exact else "about "
            joined = [
                node
                for node in rows.walk()
                if type(node).__name__ in ("Join", "Filter", "Sample", "ScanTable", "ScanImages")
            ]
            return (
                f"Rows {' > '.join(type(node).__name__.removeprefix('Scan') for node in joined)}: {about}{sizes.rows:,}"
            )
        case ReadImages(images, rows):
            which = "those with a row" if rows else "all"
            return f"Images {images.images}: {operator.count(sizes):,} ({which})"
        case RunPass(_, inference):
            return f"Infer {inference}"
        case Keep(source, layer):
            return f"Keep {layer} of every image in {source.storage.value}"
        case WriteFeatures(_, _, names, _):
            return f"Write {', '.join(names)} to Parquet"
        case PickFeatures() | Fit() | FitAlone() | BestSoFar() | Answer():
            return operator.summary
    return operator.summary


def describe_fits(fits: list[Fit | FitAlone]) -> str:
    """All trainings in one line."""
    plain = [node for node in fits if isinstance(node, Fit)]
    learners = ", ".join(dict.fromkeys(node.learner.name for node in plain))
    alone = ", and on the best layer alone" if len(plain) < len(fits) else ""
    tables = sum(node.features is None for node in plain)
    return f"Train {learners} on {len(plain) - tables} layers, on the table alone{alone}; {plain[0].evaluation}"


def plan_json(decision: Decision) -> dict[str, object]:
    """The decision as plain values: the schema of docs/plan-json.md."""
    chosen = decision.chosen
    return {
        "strategy": chosen.strategy.value,
        "forced": decision.forced is not None,
        "engine": "inprocess",
        "seconds": round(chosen.seconds, 3),
        "peak_bytes": chosen.peak_bytes,
        "memory_limit": decision.limit_bytes,
        "threads": chosen.configuration.threads,
        "images": decision.sizes.images,
        "rows": decision.sizes.rows,
        "exact": decision.sizes.exact,
        "passes": [str(node.inference) for node in run_order(chosen.plan) if isinstance(node, RunPass)],
        "steps": [step.to_json() for step in steps_of(chosen, decision.sizes)],
        "lost": [
            {
                "plan": item.name,
                "seconds": round(item.seconds, 3),
                "peak_bytes": item.peak_bytes,
                "why": why_lost(item, decision),
            }
            for item in decision.losers
        ],
        "rejected": [
            {"plan": item.candidate.name, "constraint": item.constraint.value, "needs": item.needs, "has": item.has}
            for item in decision.rejections
        ],
    }


def why_lost(loser: Candidate, decision: Decision) -> str:
    """What a plan does that costs it the choice."""
    if decision.forced and loser.strategy.value != decision.forced.value:
        return f"SET plan = {decision.forced.value} leaves it out"
    passes = [node for node in run_order(loser.plan) if isinstance(node, RunPass)]
    from_pixels = sum(node.inference.source is None for node in passes)
    cnns = len({node.cnn for node in passes})
    if from_pixels > cnns:
        return f"decodes every image {from_pixels} times and runs the first layers again"
    kept = sum(node.bytes(decision.sizes) for node in run_order(loser.plan) if isinstance(node, Keep))
    if kept:
        return f"keeps {kept / 1e6:,.0f} MB of tensors between passes"
    return "takes more memory for the same time"


def summarize(decision: Decision, inference_seconds: float = 0.0) -> PlanSummary:
    """The plan in a few fields, for the result."""
    chosen = decision.chosen
    passes = tuple(str(node.inference) for node in run_order(chosen.plan) if isinstance(node, RunPass))
    return PlanSummary(
        chosen.strategy.value, decision.forced is not None, "inprocess", passes,
        chosen.seconds, chosen.peak_bytes, inference_seconds, chosen.plan.digest,
    )  # fmt: skip
