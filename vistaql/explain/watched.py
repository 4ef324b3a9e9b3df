"""The chosen plan as it is watched while it runs: the tree of EXPLAIN, in parts that count."""

from __future__ import annotations

from vistaql.explain.steps import Step, steps_of
from vistaql.optimizer.choose import Decision
from vistaql.physical.operators import Fit, FitAlone, RunPass
from vistaql.physical.run import run_order
from vistaql.progress import FITTING, LOADING, Part


def parts_of(decision: Decision) -> tuple[Part, ...]:
    """The steps with what each counts: fits, images. The rows were joined before the plan was chosen.

    Decoding runs beside inference and is counted with it.
    """
    order = run_order(decision.chosen.plan)
    passes = [node for node in order if isinstance(node, RunPass)]
    fits = sum(isinstance(node, Fit | FitAlone) for node in order)
    root = steps_of(decision)
    parts = [Part(FITTING, root.words, own(root), fits, "fits")] if fits else [Part("", root.words, 0.0, 0, "")]
    for step in root.reads:
        match step.operator:
            case "Rows":
                parts.append(Part("", step.words, 0.0, 0, "", 1))
            case "Load":
                parts.append(Part(LOADING, step.words, own(step), 1, "", 1))
            case "Infer":
                node = passes.pop(0)
                count = node.reader.count(decision.sizes)
                parts.append(Part(node.inference.title, step.words, whole(step), count, "images", 1))
    return tuple(parts)


def whole(step: Step) -> float:
    """Seconds of a step with those below it."""
    return own(step) + sum(whole(below) for below in step.reads)


def own(step: Step) -> float:
    """Seconds of a step without those below it."""
    return step.estimate.seconds or 0.0
