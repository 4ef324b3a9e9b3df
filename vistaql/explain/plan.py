"""A decision as plain values: the chosen plan with prices, and the plans that lost. docs/plan-json.md is its schema."""

from __future__ import annotations

from vistaql.explain.cluster import cluster_json
from vistaql.explain.reasons import why_lost
from vistaql.explain.steps import steps_of
from vistaql.logical.nodes import layers_of
from vistaql.optimizer.choose import Candidate, Decision
from vistaql.outcome import PlanSummary
from vistaql.physical.inference import Output
from vistaql.physical.operators import RunPass
from vistaql.physical.run import run_order
from vistaql.plan.graph import in_order, merge


def engine_of(candidate: Candidate) -> str:
    """Where a plan runs, as SET engine names it."""
    return "inprocess" if candidate.configuration.cluster is None else "spark"


def plan_json(decision: Decision, *, with_graph: bool) -> dict[str, object]:
    """The decision as plain values; with the graph of the logical plan where that is wanted."""
    chosen = decision.chosen
    plan: dict[str, object] = {
        "strategy": chosen.strategy.value,
        "storage": chosen.configuration.storage.value,
        "forced": decision.forced is not None,
        "engine": engine_of(chosen),
        "seconds": round(chosen.seconds, 3),
        "peak_bytes": chosen.peak_bytes,
        "memory_limit": decision.limit_bytes,
        "threads": chosen.configuration.threads,
        "images": decision.sizes.images,
        "rows": decision.sizes.rows,
        "exact": decision.sizes.exact,
        "passes": [pass_json(run, decision) for run in passes_of(chosen)],
        "steps": steps_of(decision).to_json(),
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
    cluster = chosen.configuration.cluster
    if cluster is not None:
        plan["cluster"] = cluster_json(cluster)
    return plan | ({"graph": graph_json(decision)} if with_graph else {})


def passes_of(candidate: Candidate) -> tuple[RunPass, ...]:
    """The inference passes of a plan in the order in which they run."""
    return tuple(node for node in run_order(candidate.plan) if isinstance(node, RunPass))


def pass_json(run: RunPass, decision: Decision) -> dict[str, object]:
    """A pass: the layers it gives with their pooling and other names, where it starts, and what it keeps."""
    also = {Output(node.tensor.layer, node.pool): node.also for node in layers_of(decision.query)}
    return {
        "cnn": run.cnn.name,
        "from": run.inference.source,
        "layers": [
            {"layer": output.layer, "pool": str(output.pool), "also": list(also.get(output, ()))}
            for output in run.inference.outputs
        ],
        "keeps": list(run.inference.keep),
        "gflops": round(run.inference.flops / 1e9, 6),
    }


def graph_json(decision: Decision) -> dict[str, object]:
    """The logical plan as a graph in which equal work is one node; `readers` above one: work that is shared."""
    graph = merge([decision.query])
    order = in_order(graph)
    nodes = [
        {
            "id": node.digest,
            "operator": type(node).__name__,
            "words": node.summary,
            "readers": graph.out_degree(node),
        }
        for node in order
    ]
    return {"nodes": nodes, "edges": [[source.digest, node.digest] for node in order for source in node.inputs]}


def summarize(decision: Decision, inference_seconds: float = 0.0) -> PlanSummary:
    """The plan in a few fields, for the result."""
    chosen = decision.chosen
    return PlanSummary(
        strategy=chosen.strategy.value,
        forced=decision.forced is not None,
        engine=engine_of(chosen),
        passes=tuple(str(run.inference) for run in passes_of(chosen)),
        estimated_seconds=chosen.seconds,
        peak_bytes=chosen.peak_bytes,
        inference_seconds=inference_seconds,
        alternatives=tuple((item.name, item.seconds) for item in decision.losers),
        digest=chosen.plan.digest,
    )
