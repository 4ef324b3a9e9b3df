"""Why a plan lost: what it does more of than the plan that was chosen, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import Enum

from vistaql.explain.cluster import dearer
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.cost import seconds
from vistaql.physical.operators import Keep, PickFeatures, ReadImages, RunPass
from vistaql.physical.resources import NOTHING, Resources
from vistaql.physical.run import run_order
from vistaql.units import format_size


class Work(Enum):
    """Kinds of work in which plans of one query differ: the fields of Resources that count it."""

    DECODING = ("decoded_pixels", "decoded_bytes", "opened_images", "read_bytes")
    INFERENCE = ("inferred", "batches")
    GRAPHS = ("traced",)
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
    # Not that of the prices, which move a little with what every run teaches.
    difference = sum(longer for longer in more.values() if longer > 0)
    dear = [work for work in sorted(more, key=lambda work: -more[work]) if more[work] > WORTH_A_WORD * difference]
    told = [words(work, loser, decision) for work in dear if more[work] > 0]
    return ", ".join(told) or no_more_work(loser, decision)


def no_more_work(loser: Candidate, decision: Decision) -> str:
    """Why a plan lost that does no more: fits wait for one another, or it takes more room for the same time."""
    if loser.configuration.fit_workers < decision.chosen.configuration.fit_workers:
        return "fits one after the other"
    more = "memory" if loser.peak_bytes > decision.chosen.peak_bytes else "disk"
    return f"takes more {more} for the same time"


def spent(candidate: Candidate, decision: Decision) -> dict[Work, float]:
    """Seconds a plan takes for each kind of work."""
    passes = [node for node in run_order(candidate.plan) if isinstance(node, RunPass | Keep | PickFeatures)]
    needs = [operator.resources(decision.sizes) for operator in passes]
    return {
        work: sum(seconds(only(item, work), decision.machine, candidate.configuration) for item in needs)
        for work in Work
    }


def only(needs: Resources, work: Work) -> Resources:
    """One kind of work.

    >>> only(Resources(decoded_pixels=8.0, batches=2.0), Work.INFERENCE) == Resources(batches=2.0)
    True
    """
    return replace(NOTHING, **{name: getattr(needs, name) for name in work.value})


def words(work: Work, loser: Candidate, decision: Decision) -> str:
    """What the plan does of this kind."""
    passes = passes_of(loser)
    from_pixels = Counter(node.cnn.name for node in passes if node.inference.source is None)
    more_images = images(loser, decision) > images(decision.chosen, decision)
    match work:
        case Work.DECODING:
            if more_images:
                return f"decodes {images(loser, decision):,} images, not {images(decision.chosen, decision):,}"
            return f"decodes every image {times(sum(from_pixels.values()))}"
        case Work.INFERENCE:
            cnn, count = from_pixels.most_common(1)[0]
            first = next(node for node in passes if node.cnn.name == cnn).inference.layers[0]
            if more_images:
                return "infers images without a row"
            return f"runs {first} {times(count)}" if count > 1 else "runs some layers again"
        case Work.GRAPHS:
            return f"builds {len(passes)} graphs, not {len(passes_of(decision.chosen))}"
        case Work.KEEPING:
            kept = sum(node.bytes(decision.sizes) for node in run_order(loser.plan) if isinstance(node, Keep))
            return f"keeps {format_size(kept)} of tensors" if kept else "puts more vectors on disk"


def passes_of(candidate: Candidate) -> tuple[RunPass, ...]:
    """The inference passes of a plan in the order in which they run."""
    return tuple(node for node in run_order(candidate.plan) if isinstance(node, RunPass))


def images(candidate: Candidate, decision: Decision) -> int:
    """Images that a plan reads."""
    return max(node.count(decision.sizes) for node in run_order(candidate.plan) if isinstance(node, ReadImages))


def times(count: int) -> str:
    """How often.

    >>> times(1), times(2), times(6)
    ('once', 'twice', '6 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
