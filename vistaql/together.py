"""Consecutive EXPLORE statements of a script as one workload: what they share is computed once.

Each has an answer of its own, with its own rows and counts. Whatever goes wrong with all of them together, each is then
run by itself, so that it fails alone or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING

from vistaql.catalog.catalog import Catalog
from vistaql.errors import VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.binder import BoundQuery
from vistaql.keeping import check_targets
from vistaql.logical.nodes import Explore, Together, images_of, layers_of, rows_of
from vistaql.logical.rules import rewritten
from vistaql.logical.rules.decode_only_matching import keeps_every_image
from vistaql.models.union import union_of
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.machine import Machine
from vistaql.outcome import BadImage, Exploration, Report
from vistaql.physical.operators import Answer, Answers, ReadImages, RunPass
from vistaql.physical.run import Actual, Observe, run, run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import EngineChoice

if TYPE_CHECKING:
    from vistaql.engines.inprocess.engine import InProcess
    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.progress import Progress

Kept = tuple[BoundQuery, Exploration, tuple[BadImage, ...]]
"""a query, its answer, and its bad images"""


def in_runs(several: tuple[ast.Statement, ...]) -> Iterator[tuple[ast.Statement, ...]]:
    """Consecutive EXPLOREs together, every other statement by itself."""
    for is_explore, them in groupby(several, key=lambda statement: isinstance(statement, ast.Explore)):
        if is_explore:
            yield tuple(them)
        else:
            yield from ((statement,) for statement in them)


Query = tuple[ast.Statement, BoundQuery]
Answered = tuple[ast.Statement, Exploration | Report]


def in_order(queries: Sequence[Query], answer_all: Callable[[list[Query]], Iterator[Answered]]) -> Iterator[Answered]:
    """The answers in the order of the queries, those that could share passes asked for together."""
    answers: dict[int, Iterator[Answered]] = {}
    for group in groups([bound for _, bound in queries]):
        answers |= dict.fromkeys(group, answer_all([queries[place] for place in group]))
    for place in range(len(queries)):
        yield next(answers[place])


def groups(bounds: Sequence[BoundQuery]) -> list[list[int]]:
    """Places of queries that could share passes: over one image set, under the same settings, with a CNN in common.

    Two CNNs that begin alike have their beginning in common. Other queries may stand between them.
    """
    found: list[list[int]] = []
    for place, bound in enumerate(bounds):
        group = next((group for group in found if shares([bounds[other] for other in group], bound)), None)
        if group is None:
            found.append([place])
        else:
            group.append(place)
    return found


def shares(group: list[BoundQuery], bound: BoundQuery) -> bool:
    """Whether a query could share a pass with one of a group."""
    first = group[0]
    cnns = {layer.cnn.digest: layer.cnn for item in group for layer in layers_of(item.plan)}
    others = {layer.cnn.digest: layer.cnn for layer in layers_of(bound.plan)}
    return (
        images_of(first.plan).images == images_of(bound.plan).images
        and first.settings == bound.settings
        and (
            not cnns.keys().isdisjoint(others)
            or any(union_of(one, other) for one in cnns.values() for other in others.values())
        )
    )


@dataclass(frozen=True)
class Workload:
    """Queries whose rows are joined, and the plan for all of them."""

    bounds: tuple[BoundQuery, ...]
    prepared: tuple[Prepared, ...]
    decision: Decision


def plan_together(
    bounds: list[BoundQuery], prepare: Callable[[BoundQuery], Prepared], machine: Machine, catalog: Catalog
) -> Workload | None:
    """The plan for several queries in this process.

    None where one by one they take no longer, where one of them cannot run, or would run on Spark by itself.
    """
    own = bounds[0].settings
    if own.engine is EngineChoice.SPARK:
        return None
    settings = replace(own, engine=EngineChoice.INPROCESS)
    try:
        for bound in bounds:
            check_targets(bound, catalog)
        prepared = [prepare(bound) for bound in bounds]
        alone = [choose(bound.plan, item.sizes, machine, own) for bound, item in zip(bounds, prepared, strict=True)]
        if any(item.chosen.configuration.cluster for item in alone):
            return None
        together = Together(tuple(bound.plan for bound in bounds if isinstance(bound.plan, Explore)))
        decision = choose(rewritten(together), united(prepared), machine, settings)
    except VistaQLError:
        return None
    loading = sum(seconds_of(ReadImages, item) for item in alone[1:])
    if decision.chosen.seconds >= sum(item.chosen.seconds for item in alone) - loading:
        return None
    return Workload(tuple(bounds), tuple(prepared), decision)


def seconds_of(kind: type, decision: Decision) -> float:
    """What operators of a kind take in the chosen plan."""
    prices = dict(decision.chosen.prices)
    return sum(prices[item.digest] for item in run_order(decision.chosen.plan) if isinstance(item, kind))


def united(prepared: list[Prepared]) -> Sizes:
    """Sizes for all queries: images that any of them needs, and for each operator no less than its query has."""
    wanted = {key for item in prepared for key in item.learnable.keys}
    images = sum(key in wanted for key in prepared[0].listing["key"].to_pylist())
    sizes = [item.sizes for item in prepared]
    return replace(
        sizes[0],
        images=images,
        rows=max(item.rows for item in sizes),
        columns=max(item.columns for item in sizes),
        classes=max(item.classes for item in sizes),
        table_bytes=max(item.table_bytes for item in sizes),
    )


def run_together(
    work: Workload, folder: str, progress: Progress, observe: Observe | None = None
) -> tuple[Kept, ...] | None:
    """The answers of all queries; None where one of them would have failed by itself.

    `observe` is told what each pass took. Sizes are exact for passes alone: to fits each query brings its own rows.
    """
    from vistaql.engines.inprocess.engine import engine_for

    started = perf_counter()
    first, decision = work.bounds[0], work.decision
    engine = engine_for(first.plan, first.settings, work.prepared[0], decision.chosen.configuration, folder, progress)
    pairs = tuple(zip(work.bounds, work.prepared, strict=True))
    engine.others = {rows_of(bound.plan).digest: item.learnable for bound, item in pairs}
    try:
        values = run(decision.chosen.plan, engine, observe and passes_alone(observe))
    except VistaQLError:
        return None
    seconds = perf_counter() - started
    views = [engine.seen_by(item, every_image=keeps_every_image(rows_of(bound.plan))) for bound, item in pairs]
    if any(view.bad.too_many(view.decoded + len(view.bad)) for view in views):
        return None
    return answers(work, values, views, seconds)


def passes_alone(observe: Observe) -> Observe:
    """Who is told of passes, and of nothing else."""

    def told(actual: Actual) -> None:
        if isinstance(actual.operator, RunPass):
            observe(actual)

    return told


def answers(work: Workload, values: object, views: list[InProcess], seconds: float) -> tuple[Kept, ...]:
    """What each query came to, and its bad images. The seconds are those of all."""
    from vistaql.answer import answer

    plan = work.decision.chosen.plan
    assert isinstance(plan, Answers)
    assert isinstance(values, tuple)
    others = len(work.bounds) - 1
    said = f"Run together with {others} other statement{'' if others == 1 else 's'}; the seconds are those of all."
    found = []
    for bound, prepared, view, root, scores in zip(
        work.bounds, work.prepared, views, plan.answers, values, strict=True
    ):
        own = part_of(work.decision, bound, root, prepared)
        outcome = answer(bound, prepared, view, own, scores, seconds)
        assert isinstance(outcome, Exploration)
        found.append((bound, replace(outcome, notes=(*outcome.notes, said)), view.bad_images()))
    return tuple(found)


def part_of(decision: Decision, bound: BoundQuery, root: Answer, prepared: Prepared) -> Decision:
    """The decision as one query sees it: the operators it needs, those it shares among them."""
    assert isinstance(bound.plan, Explore)
    prices = dict(decision.chosen.prices)
    own = tuple((item.digest, prices[item.digest]) for item in run_order(root))
    return replace(
        decision, query=bound.plan, chosen=replace(decision.chosen, plan=root, prices=own), sizes=prepared.sizes
    )
