"""Hybrids on Spark: chosen where nothing else fits, told by EXPLAIN, and run with the bits of any other plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.planning.conftest import bind
from tests.spark.conftest import Both
from vistaql.engines.running import running_engine
from vistaql.explain.account import account
from vistaql.explain.text import render
from vistaql.frontend.ast import ExplainMode
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.keeping import working_folder
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.grouping import Group, Grouping, Strategy
from vistaql.optimizer.lower import wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.spark_candidates import OnCluster
from vistaql.physical.run import run
from vistaql.physical.sizes import Sizes
from vistaql.physical.training import Scores
from vistaql.progress import Silent
from vistaql.settings import EngineChoice, Settings

DEEP = """EXPLORE LAYERS conv2_block3_out, conv4_block6_out, conv5_block3_out OF resnet50
FROM photos JOIN products TRAIN logistic_regression"""
SIZES = Sizes(500, 500, 500, 9, 5, 2e5, 9e4, 40_000, exact=True)


def decide(memory_bytes: int) -> Decision:
    query = bind(DEEP).rewritten().plan
    machine, settings = Machine(2, memory_bytes), Settings(engine=EngineChoice.SPARK)
    return choose(query, SIZES, machine, settings)  # type: ignore[arg-type]


def test_a_hybrid_is_chosen_where_one_pass_does_not_fit_and_explained() -> None:
    ample = decide(64 * 10**9)
    assert ample.chosen.strategy is Strategy.EAGER
    eager = [item for item in (ample.chosen, *ample.losers) if item.strategy is Strategy.EAGER]
    tight = decide(min(item.peak_bytes for item in eager) - 1)
    assert tight.chosen.strategy is Strategy.HYBRID
    assert "hybrid(conv2_block3_out | conv4_block6_out, conv5_block3_out" in " ".join(render(account(tight)).split())
    assert "hybrid(" in render(account(tight, ExplainMode.CANDIDATES))
    assert all(item.candidate.strategy is not Strategy.HYBRID for item in account(ample).best_of_each_kind)


def test_a_hybrid_runs_with_the_bits_of_the_plan_in_process(both: Both) -> None:
    """Two layers from pixels, which keep a tensor; then one from it, and it stays; then one more from it."""
    text = (
        "EXPLORE LAYERS conv1, conv2, conv4, fc5 OF strokes FROM photos JOIN items ON photos.key = items.sku "
        "TRAIN lr EVALUATE accuracy USING HOLDOUT (0.3)"
    )
    expected = both.in_process(text)
    session = both.spark
    (statement,) = parse(text).statements
    bound = bind_query(statement, session.context({}, Path.cwd())).rewritten()  # type: ignore[arg-type]
    prepared = session.prepare(bound)
    decision = session.decide(bound, prepared.sizes)
    ((cnn, outputs),) = wanted_by_cnn(decision.query).items()
    groups = Group(outputs[:2], None, "pool1"), Group(outputs[2:3], "pool1"), Group(outputs[3:], "pool1")
    choices = decision.chosen.configuration.cluster
    assert choices is not None
    plans = OnCluster(decision.query, decision.sizes, session.machine, bound.settings)
    hybrid = plans.candidate((Grouping(cnn, groups),), replace(choices, partitions=3))
    assert hybrid.strategy is Strategy.HYBRID
    with (
        working_folder() as folder,
        running_engine(
            bound.plan, bound.settings, prepared, hybrid.configuration, folder, Silent(), "hybrid", session.spark
        ) as engine,
    ):
        scores = run(hybrid.plan, engine)
    assert isinstance(scores, Scores)
    assert {fit.digest for fit in scores.fits} >= {row.digest for row in expected.rows if row.digest}
    assert len({row.digest for row in expected.rows if row.digest}) == 4
