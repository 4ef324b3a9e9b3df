"""Why a plan lost: what it does more of than the plan that was chosen, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import Enum

from vistaql.explain.cluster import dearer
from vistaql.optimizer.choose import Candidate, Decision
from vistaql.optimizer.cost import seconds
from vistaql.physical.infer import Keep, RunPass
from vistaql.physical.resources import NOTHING, Resources
from vistaql.physical.run import run_order
from vistaql.units import format_size


class Work(Enum):
    """Kinds of work in which plans of one query differ: the fields of Resources that count it."""

    DECODING = ("decoded_pixels", "opened_images", "read_bytes")
    INFERENCE = ("dense_flops", "depthwise_flops", "moved_bytes")
    GRAPHS = ("graphs",)
    KEEPING = ("kept_bytes", "spilled_bytes")


# Less than this part of the difference is not worth a word.
WORTH_A_WORD = 0.1


def why_lost(loser: Candidate, decision: Decision) -> str:
    """The kinds of work that make a plan slower than the chosen one, the dearest first."""
    if decision.forced and loser.strategy.value != decision.forced.value:
        return f"plan = {decision.forced.value} leaves it out"
    if loser.configuration.cluster or decision.chosen.configuration.cluster:
        return dearer(loser, decision)
    chosen, lost = spent(decision.chosen, decision), spent(loser, decision)
    more = {work: lost[work] - chosen[work] for work in Work}
    difference = loser.seconds - decision.chosen.seconds
    dear = [work for work in sorted(more, key=lambda work: -more[work]) if more[work] > WORTH_A_WORD * difference]
    told = [words(work, loser, decision) for work in dear if more[work] > 0]
    return ", ".join(told) or "takes more memory for the same time"


def spent(candidate: Candidate, decision: Decision) -> dict[Work, float]:
    """Seconds a plan takes for each kind of work."""
    passes = [node for node in run_order(candidate.plan) if isinstance(node, RunPass | Keep)]
    needs = [operator.resources(decision.sizes) for operator in passes]
    return {
        work: sum(seconds(only(item, work), decision.machine, candidate.configuration) for item in needs)
        for work in Work
    }


def only(needs: Resources, work: Work) -> Resources:
    """One kind of work.

    >>> only(Resources(decoded_pixels=8.0, graphs=2.0), Work.GRAPHS) == Resources(graphs=2.0)
    True
    """
    return replace(NOTHING, **{name: getattr(needs, name) for name in work.value})


def words(work: Work, loser: Candidate, decision: Decision) -> str:
    """What the plan does of this kind."""
    passes = [node for node in run_order(loser.plan) if isinstance(node, RunPass)]
    from_pixels = Counter(node.cnn.name for node in passes if node.inference.source is None)
    match work:
        case Work.DECODING:
            return f"decodes every image {times(sum(from_pixels.values()))}"
        case Work.INFERENCE:
            cnn, count = from_pixels.most_common(1)[0]
            first = next(node for node in passes if node.cnn.name == cnn).inference.layers[0]
            return f"runs {first} {times(count)}" if count > 1 else "runs some layers again"
        case Work.GRAPHS:
            fewer = sum(isinstance(node, RunPass) for node in run_order(decision.chosen.plan))
            return f"builds {len(passes)} graphs, not {fewer}"
        case Work.KEEPING:
            kept = sum(node.bytes(decision.sizes) for node in run_order(loser.plan) if isinstance(node, Keep))
            return f"keeps {format_size(kept)} of tensors"


def times(count: int) -> str:
    """How often.

    >>> times(1), times(2), times(6)
    ('once', 'twice', '6 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
