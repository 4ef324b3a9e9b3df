"""A session that the caller has: its cores and memory are given, and what is fixed in it is not changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.spark.conftest import IMAGES, WITHOUT_ROW, Both
from vistaql.engines.spark.engine import OnSpark
from vistaql.engines.spark.given import given, given_heaps
from vistaql.errors import Code, VistaQLError
from vistaql.optimizer.machine import detect
from vistaql.physical.regions import Heaps
from vistaql.physical.resident import resident_bytes
from vistaql.session import connect
from vistaql.spark_settings import SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUESTION = (
    "EXPLORE LAYERS conv3 OF strokes FROM photos JOIN items ON photos.key = items.sku TRAIN lr "
    "EVALUATE accuracy USING HOLDOUT (0.3)"
)


@pytest.fixture
def spark(both: Both) -> SparkSession:
    assert both.spark.spark
    return both.spark.spark


@pytest.mark.volume
def test_its_cores_are_those_of_the_plan_and_its_settings_are_in_force(both: Both, spark: SparkSession) -> None:
    with connect(both.folder / "home", spark=spark) as session:
        assert session.machine.cores == spark.sparkContext.defaultParallelism == 2
        assert session.settings.spark.master == spark.sparkContext.master
        assert session.settings.engine.value == "spark"


@pytest.mark.volume
def test_what_is_fixed_when_spark_starts_is_an_error_and_what_is_not_is_set(both: Both, spark: SparkSession) -> None:
    with connect(both.folder / "home", spark=spark) as session:
        session.sql("SET spark.driver.memory = '9g'")
        with pytest.raises(VistaQLError) as caught:
            session.sql(QUESTION)
        assert caught.value.code is Code.GIVEN_SESSION
        assert "spark.driver.memory is 2g in the session that was given" in caught.value.message
        assert "RESET spark.driver.memory" in str(caught.value.hint)
        session.sql("RESET spark.driver.memory; SET spark.sql.files.maxPartitionBytes = '64m'")
        session.sql(QUESTION)
        assert spark.conf.get("spark.sql.files.maxPartitionBytes") == "64m"


@pytest.mark.volume
def test_it_is_left_as_it_was(both: Both, spark: SparkSession) -> None:
    names = ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")
    before = {name: spark.conf.get(name) for name in names}
    with connect(both.folder / "home", spark=spark) as session:
        session.sql(QUESTION)
    assert {name: spark.conf.get(name) for name in names} == before
    assert spark.range(3).count() == 3


def test_a_session_without_a_context_is_refused(tmp_path: Path) -> None:
    class Connected:
        """What Spark Connect gives has no context."""

    with pytest.raises(VistaQLError) as caught:
        connect(tmp_path / "home", spark=Connected())  # type: ignore[arg-type]
    assert caught.value.code is Code.GIVEN_SESSION


@pytest.mark.volume
def test_the_one_java_of_a_local_master_has_the_heap_it_was_started_with(both: Both, spark: SparkSession) -> None:
    """Java keeps a part of what it was told for itself, as Spark knows."""
    started = given(spark).started
    assert (started.slots, started.executors) == (2, 1)
    assert started.heaps.one_java
    assert started.heaps.executor is not None
    assert 1.8 * 2**30 < started.heaps.executor <= 2 * 2**30
    with connect(both.folder / "home", spark=spark) as session:
        assert session.machine.memory_bytes == detect().memory_bytes
        plan = session.sql(f"EXPLAIN FORMAT json {QUESTION}").plan
        regions = {item["region"]: item["bytes"] for item in plan["ledger"]["regions"]}
        assert regions["core"] + regions["user"] + regions["storage"] < started.heaps.executor


@pytest.mark.volume
def test_a_run_is_measured_in_all_its_processes_and_tells_what_its_pass_gave(both: Both, spark: SparkSession) -> None:
    with connect(both.folder / "home", spark=spark) as session:
        plan = session.sql(f"EXPLAIN ANALYZE FORMAT json {QUESTION}").plan
    (infer,) = (step for step in plan["steps"]["reads"] if step["operator"] == "Infer")
    images = IMAGES - WITHOUT_ROW
    assert (infer["actual"]["rows"], infer["actual"]["bytes"]) == (images, images * 4 * 48)
    assert infer["peak_bytes"] is None
    # Java and two workers with TensorFlow, and not only this process.
    assert plan["actual"]["peak_bytes"] > resident_bytes() + 500_000_000
    assert plan["actual"]["peak_bytes"] < plan["peak_bytes"] + resident_bytes()


@pytest.mark.volume
def test_what_the_user_sets_wins_while_a_plan_runs(both: Both, spark: SparkSession) -> None:
    name, other = "spark.sql.shuffle.partitions", "spark.sql.execution.arrow.maxRecordsPerBatch"
    during: dict[str, str | None] = {}

    def look(engine: OnSpark, *args: object, **named: object) -> object:
        during.update({item: engine.spark.conf.get(item) for item in (name, other)})
        return infer(engine, *args, **named)  # type: ignore[arg-type]

    infer, before = OnSpark.infer, spark.conf.get(name)
    with pytest.MonkeyPatch.context() as patch, connect(both.folder / "home", spark=spark) as session:
        patch.setattr(OnSpark, "infer", look)
        session.sql(f"SET {name} = 7; {QUESTION}")
    assert during == {name: "7", other: "64"}
    spark.conf.set(name, str(before))


PROGRAM = """\
import json
from vistaql.engines.spark.conf import needs_of
from vistaql.engines.spark.engine import OnSpark
from vistaql.engines.spark.given import given
from vistaql.engines.spark.launch import spark_session
from vistaql.physical.choices import ClusterChoices
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
from vistaql.spark_settings import SparkSettings

settings = SparkSettings((("spark.default.parallelism", "7"), ("spark.master", "local[4]")))
found = []
for workers in (2, 1):
    choices = ClusterChoices(workers, 1, 1, 2, JoinMethod.SHUFFLE, Placement.BEFORE_INFERENCE, Persistence.DISK,
                             TrainingPlace.DRIVER)
    has = given(spark_session(settings, needs_of(choices, None, 1)))
    found.append((has.started.slots, has.started.executors, has.cores))
print(json.dumps(found))
"""


@pytest.mark.volume
def test_tasks_side_by_side_are_those_that_spark_runs(checkout: Path) -> None:
    """Spark's own count of them, whatever its default of parts is; another number of workers starts it anew."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[2, 1, 4], [1, 1, 4]]


def settings_of(**values: str) -> SparkSettings:
    return SparkSettings(tuple(sorted((name.replace("__", "."), value) for name, value in values.items())))


def test_executors_of_a_given_session_have_what_their_settings_say() -> None:
    """What lies beside a heap is bounded where a cluster manager counts it, by Spark's own share where none was set."""
    asked = {"spark__executor__memory": "2g", "spark__executor__memoryOverhead": "1024"}
    gib = 2**30
    assert given_heaps(settings_of(spark__master="local[2]", **asked), 3 * gib) == Heaps(
        one_java=True, executor=3 * gib
    )
    assert given_heaps(settings_of(spark__master="yarn", **asked), 3 * gib) == Heaps(
        executor=2 * gib, driver=3 * gib, overhead=gib
    )
    assert given_heaps(settings_of(spark__master="yarn"), gib) == Heaps(executor=gib, driver=gib, overhead=384 * 2**20)
    for master in ("spark://far:7077", "local-cluster[2,1,2048]"):
        assert given_heaps(settings_of(spark__master=master), gib) == Heaps(executor=gib, driver=gib)
