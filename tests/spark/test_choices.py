"""Plans on Spark are alternatives: each choice can be forced, is priced, and shows in EXPLAIN. Spark is not started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistaql.engines.spark.conf import Needs, configuration, with_workers
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.regions import executors_of
from vistaql.optimizer.spark import (
    LARGEST_PARTITION,
    MOST_PARTITIONS,
    partition_count,
    worker_choices,
    worker_counts,
)
from vistaql.physical.operators import ReadImages
from vistaql.physical.regions import Heaps, Started
from vistaql.physical.sizes import Sizes
from vistaql.session import Session, connect
from vistaql.settings import Settings
from vistaql.spark_settings import local_slots

QUERY = "EXPLORE LAYERS conv3, fc5 OF strokes FROM photos JOIN items TRAIN lr"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session that knows a table and some pictures, and has chosen Spark."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("few")
    (folder / "photos").mkdir()
    for number in range(6):
        Image.new("RGB", (60, 50), (number * 40, 0, 0)).save(folder / "photos" / f"{number}.png")
    (folder / "items.csv").write_text("id,kind\n" + "".join(f"{number},{'ab'[number % 2]}\n" for number in range(6)))
    with connect(folder / "home") as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos'; "
                    f"CREATE TABLE items FROM '{folder}/items.csv' KEY id LABEL kind; SET engine = spark")  # fmt: skip
        yield session


def decision(session: Session, **settings: object) -> Decision:
    """The choice for a query under some settings."""
    before = session.settings
    try:
        for name, value in settings.items():
            session.set(name, value)
        bound = bind_query(parse(QUERY).statements[0], session.context({}, Path.cwd())).rewritten()  # type: ignore[arg-type]
        return choose(bound.plan, estimate(bound.plan), session.machine, bound.settings)
    finally:
        session.settings = before


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("join", "join", ("broadcast", "shuffle")),
        ("placement", "place", ("before", "after")),
        ("persistence", "persistence", ("deserialized", "serialized", "disk")),
        ("training", "training", ("driver", "cluster")),
    ],
)
def test_every_value_of_a_choice_is_a_plan_and_can_be_forced(
    name: str, field: str, values: tuple[str, ...], session: Session
) -> None:
    """Left open, all values are weighed; set, only one is, and EXPLAIN says that it was set."""
    everything = decision(session)
    weighed = {getattr(item.configuration.cluster, field).value for item in (everything.chosen, *everything.losers)}
    assert weighed == set(values)
    for value in values:
        forced = decision(session, **{name: value})
        cluster = forced.chosen.configuration.cluster
        assert cluster is not None
        assert getattr(cluster, field).value == value
        assert {getattr(item.configuration.cluster, field).value for item in forced.losers} == {value}
        words = str(session.sql(f"EXPLAIN {QUERY} WITH ({name} = {value})"))
        assert "(set)" in words
        plan = json.loads(str(session.sql(f"EXPLAIN FORMAT json {QUERY} WITH ({name} = {value})")))
        assert plan["engine"] == "spark"
        assert plan["cluster"][field] == value


def test_partitions_workers_and_threads_are_taken_as_set(session: Session) -> None:
    cluster = decision(session, partitions=7, workers=3, threads=2).chosen.configuration.cluster
    assert cluster is not None
    assert (cluster.partitions, cluster.workers, cluster.threads) == (7, 3, 2)


def fixed(**values: str) -> Settings:
    """Settings of Spark by names with underscores."""
    settings = Settings()
    for name, value in values.items():
        settings = settings.changed("spark." + name.replace("_", "."), value)
    return settings


@pytest.mark.parametrize(
    ("settings", "asked", "run", "cpus"),
    [
        (fixed(master="local[2]"), 1, 1, "2"),
        (fixed(master="local[2]"), 3, 2, None),
        (fixed(master="local[4]"), 3, 4, None),
        (fixed(master="local[4]"), 2, 2, "2"),
        (fixed(master="local[*]"), 3, 3, None),
        (fixed(master="local-cluster[2,4,2048]"), 2, 2, "4"),
        (fixed(master="local-cluster[2,4,2048]"), 5, 8, "1"),
        (fixed(master="yarn", executor_instances="2", executor_cores="4"), 4, 4, "2"),
        (fixed(master="yarn", executor_instances="2"), 4, 4, "1"),
        (fixed(master="local[4]", task_cpus="2"), 4, 2, "2"),
    ],
)
def test_as_many_tasks_run_as_the_plan_is_priced_for(
    settings: Settings, asked: int, run: int, cpus: str | None
) -> None:
    """What the plan says is what Spark does with the cores that it is told of."""
    machine = Machine(4, 64 * 10**9)
    found = next(worker_choices(machine, replace(settings, workers=asked, threads=1)))
    assert found.workers == run
    executors = executors_of(settings.spark, found)
    told = dict(configuration(with_workers(settings.spark, found.workers), Needs(choices=found, executors=executors)))
    assert told.get("spark.task.cpus") == cpus
    cores = local_slots(told["spark.master"]) or executors * int(told["spark.executor.cores"])
    assert cores // int(cpus or "1") == run


def test_without_a_number_all_slots_are_used_and_a_given_session_has_its_own() -> None:
    assert worker_counts(Machine(4, 10**9), fixed(master="local[4]", task_cpus="2")) == (2,)
    given = Machine(4, 10**9, started=Started(3, 1, Heaps(one_java=True, executor=10**9)))
    assert worker_counts(given, replace(fixed(master="local[4]"), workers=1)) == (3,)


def test_executors_are_shown(session: Session) -> None:
    where = "spark.master = 'yarn', spark.executor.instances = 2, spark.executor.cores = 2"
    told = " ".join(str(session.sql(f"EXPLAIN {QUERY} WITH ({where})")).split())
    assert "4 workers x 1 thread in 2 executors" in told
    plan = json.loads(str(session.sql(f"EXPLAIN FORMAT json {QUERY} WITH ({where})")))
    assert (plan["cluster"]["workers"], plan["cluster"]["executors"]) == (4, 2)
    assert "executor" not in str(session.sql(f"EXPLAIN {QUERY} WITH (spark.master = 'local[2]')"))


def test_explain_tells_the_settings_of_the_statement_and_the_master_that_is_started(session: Session) -> None:
    """A user's setting stands in place of the plan's, also of one that holds while the plan runs."""
    own = "spark.sql.adaptive.enabled = true, spark.sql.shuffle.partitions = 7, workers = 2"
    told = str(session.sql(f"EXPLAIN VERBOSE {QUERY} WITH ({own})"))
    assert "--conf spark.sql.adaptive.enabled=true" in told
    assert "--conf spark.sql.shuffle.partitions=7" in told
    assert "--conf 'spark.master=local[2,4]'" in told
    assert "--conf spark.sql.adaptive.enabled=false" in str(session.sql(f"EXPLAIN VERBOSE {QUERY}"))


def test_images_are_read_whole_where_rows_meet_them_after_inference(session: Session) -> None:
    for place, filters in (("before", True), ("after", False)):
        chosen = decision(session, placement=place).chosen
        readers = [node for node in chosen.plan.walk() if isinstance(node, ReadImages)]
        assert [reader.rows is not None for reader in readers] == [filters]


def test_a_plan_on_spark_is_explained_within_eighty_columns(session: Session) -> None:
    """The losers are those that differ in one choice, and each says what it takes longer for."""
    text = str(session.sql(f"EXPLAIN {QUERY}"))
    assert "on Spark" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "trained on the cluster" in text
    assert len(text.splitlines()) < 36


def test_steps_on_spark_have_no_peak_of_their_own(session: Session) -> None:
    """Memory is divided once for the whole plan; what this process would take of it is not told."""

    def peaks(step: dict[str, object]) -> set[object]:
        below = step["reads"]
        assert isinstance(below, list)
        return {step["peak_bytes"]}.union(*map(peaks, below))

    here, there = (session.sql(f"EXPLAIN FORMAT json {QUERY} WITH (engine = {name})").plan
                   for name in ("inprocess", "spark"))  # fmt: skip
    assert None not in peaks(here["steps"])
    assert peaks(there["steps"]) == {None}
    assert there["peak_bytes"] > here["peak_bytes"]


def test_the_engine_is_chosen_by_time_where_that_is_left_open(session: Session) -> None:
    """A handful of images is not worth a Java; the best plan on Spark is named among those that lost."""
    found = decision(session, engine="auto")
    assert found.chosen.configuration.cluster is None
    assert any(item.configuration.cluster for item in found.losers)
    assert "on Spark" in str(session.sql(f"EXPLAIN {QUERY} WITH (engine = auto)"))


SIZES = Sizes(1, 1, 1, 1, 2, 1.0, 1.0, 1, exact=True)


@given(images=st.integers(1, 10**7), largest=st.integers(1, 10**7), workers=st.integers(1, 200))
def test_partitions_are_small_and_even(images: int, largest: int, workers: int) -> None:
    """A multiple of the workers, below the limit of tasks, and below the limit of bytes unless that one is reached."""
    count = partition_count(images, largest, workers)
    assert count % workers == 0
    assert workers <= count <= max(workers, MOST_PARTITIONS)
    if count + workers <= MOST_PARTITIONS:
        # Whole images: a part may exceed the limit by a fraction of a round.
        assert images * largest / (count + workers) <= LARGEST_PARTITION


def test_workers_and_threads_share_the_cores(session: Session) -> None:
    """Any number of workers that divides the cores, where the master is left open; else as many as it takes."""
    machine = replace(session.machine, cores=8)
    assert worker_counts(machine, Settings()) == (8, 4, 2, 1)
    assert worker_counts(machine, Settings().changed("spark.master", "local[3]")) == (3,)
    assert worker_counts(machine, Settings().changed("workers", 5)) == (5,)
