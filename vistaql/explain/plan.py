"""An account as plain values: docs/plan-json.md is its schema."""

from __future__ import annotations

from vistaql.explain.account import Account, Loser, settings_of
from vistaql.explain.cluster import cluster_json
from vistaql.explain.logical import nodes_text
from vistaql.explain.reasons import passes_of
from vistaql.explain.steps import Figures, Step
from vistaql.frontend.ast import ExplainMode
from vistaql.logical.nodes import PickLayer, layers_of
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.memory import Ledger
from vistaql.outcome import PlanSummary
from vistaql.physical.inference import Output
from vistaql.physical.operators import RunPass
from vistaql.plan.graph import in_order, merge


def engine_of(candidate: Candidate) -> str:
    """Where a plan runs, as SET engine names it."""
    return "inprocess" if candidate.configuration.cluster is None else "spark"


def plan_json(account: Account, *, with_graph: bool) -> dict[str, object]:
    """The account as plain values; with the graph of the logical plan where that is wanted."""
    decision = account.decision
    chosen = decision.chosen
    plan: dict[str, object] = {
        "mode": account.mode.value,
        "plan": chosen.name,
        "strategy": chosen.strategy.value,
        "storage": chosen.configuration.storage.value,
        "forced": decision.forced is not None,
        "engine": engine_of(chosen),
        "seconds": round(chosen.seconds, 3),
        "peak_bytes": chosen.peak_bytes,
        "disk_bytes": chosen.disk_bytes,
        "memory_limit": decision.limit_bytes,
        "threads": chosen.configuration.threads,
        "images": decision.sizes.images,
        "rows": decision.sizes.rows,
        "exact": decision.sizes.exact,
        "settings": {name.replace(" ", "_"): value for name, value in settings_of(decision)},
        "ledger": ledger_json(account.ledger),
        "passes": [pass_json(run, decision) for run in passes_of(chosen)],
        "steps": step_json(account.steps),
        "lost": [loser_json(item) for item in account.best_of_each_kind],
        "rejected": [
            {"plan": item.candidate.name, "constraint": item.constraint.value, "needs": item.needs, "has": item.has}
            for item in decision.rejections
        ],
    }
    cluster = chosen.configuration.cluster
    if cluster is not None:
        plan["cluster"] = cluster_json(cluster, chosen.configuration.executors)
    return plan | mode_json(account) | ({"graph": graph_json(decision)} if with_graph else {})


def mode_json(account: Account) -> dict[str, object]:
    """What a mode adds."""
    measured = account.measured
    match account.mode:
        case ExplainMode.ANALYZE if measured is not None:
            return {
                "actual": {
                    "seconds": round(measured.seconds, 3),
                    "peak_bytes": measured.peak_bytes,
                    "kept_as": measured.kept_as,
                }
            }
        case ExplainMode.CANDIDATES:
            return {"candidates": [loser_json(item) | {"beaten": item.beaten} for item in account.losers]}
        case ExplainMode.VERBOSE:
            rewrites = [
                {"rule": item.rule, "changed": item.before != item.after, "nodes": list(nodes_text(item.after))}
                for item in account.rewrites
            ]
            return {"rewrites": rewrites} | ({"spark": list(account.spark)} if account.spark else {})
    return {}


def loser_json(item: Loser) -> dict[str, object]:
    """A plan that was not taken."""
    return {
        "plan": item.candidate.name,
        "seconds": round(item.candidate.seconds, 3),
        "peak_bytes": item.candidate.peak_bytes,
        "disk_bytes": item.candidate.disk_bytes,
        "why": item.why,
    }


def ledger_json(ledger: Ledger) -> dict[str, object]:
    """Memory at the moment at which the plan holds most of it."""
    return {
        "operator": ledger.operator,
        "limit": ledger.limit,
        "slack": ledger.slack,
        "regions": [
            {"region": line.region.value, "bytes": line.bytes, "words": line.words}
            | ({"elsewhere": True} if line.elsewhere else {})
            for line in ledger.lines
        ],
    }


def step_json(step: Step) -> dict[str, object]:
    """A step with those below it; with `actual` after a run."""
    found = {
        "id": step.number,
        "operator": step.operator,
        "words": step.words,
        **figures_json(step.estimate),
        "readers": step.readers,
        "sources": list(step.sources),
        "reads": [step_json(inner) for inner in step.reads],
    }
    return found if step.actual is None else found | {"actual": figures_json(step.actual)}


def figures_json(figures: Figures) -> dict[str, object]:
    """Figures of a step; null where it has none."""
    return {
        "seconds": None if figures.seconds is None else round(figures.seconds, 4),
        "rows": figures.rows,
        "bytes": figures.bytes,
        "peak_bytes": figures.peak_bytes,
    }


def pass_json(run: RunPass, decision: Decision) -> dict[str, object]:
    """A pass: the layers it gives with their pooling and other names, where it starts, and what it keeps."""
    found = (node for node in layers_of(decision.query) if isinstance(node, PickLayer))
    picks = [node for node in found if node.inference.cnn == run.cnn]
    also = {node.output: node.also for node in picks}
    return {
        "cnn": run.cnn.name,
        "from": run.inference.source,
        "layers": [
            {
                "layer": output.layer,
                "pool": str(output.pool),
                "also": list(also.get(output, ())),
                **({"asked": asked(output, picks)} if run.cnn.parts else {}),
            }
            for output in run.inference.outputs
        ],
        "keeps": list(run.inference.keep),
        "gflops": round(run.inference.flops / 1e9, 6),
    }


def asked(output: Output, picks: list[PickLayer]) -> list[dict[str, object]]:
    """The CNNs of a union that an output was asked of, and what each calls the layer."""
    return [{"cnn": node.called, "layer": node.layer} for node in picks if node.output == output]


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
