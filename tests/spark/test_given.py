"""A session that the caller has: its cores and memory are given, and what is fixed in it is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spark.conftest import Both
from vistaql.engines.spark.given import executor_bytes, given
from vistaql.errors import Code, VistaQLError
from vistaql.session import connect

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

QUESTION = (
    "EXPLORE LAYERS conv3 OF strokes FROM photos JOIN items ON photos.key = items.sku TRAIN lr "
    "EVALUATE accuracy USING HOLDOUT (0.3)"
)


@pytest.fixture
def spark(both: Both) -> SparkSession:
    assert both.spark.spark
    return both.spark.spark


def test_its_cores_are_those_of_the_plan_and_its_settings_are_in_force(both: Both, spark: SparkSession) -> None:
    with connect(both.folder / "home", spark=spark) as session:
        assert session.machine.cores == spark.sparkContext.defaultParallelism == 2
        assert session.settings.spark.master == spark.sparkContext.master
        assert session.settings.engine.value == "spark"


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


def test_executors_have_heap_and_overhead(spark: SparkSession) -> None:
    context = spark.sparkContext
    conf = {"spark.executor.memory": "2g", "spark.executor.memoryOverhead": "1024"}
    assert executor_bytes("local[2]", conf, context) is None
    assert executor_bytes("yarn", conf, context) == 3 * 2**30
    assert executor_bytes("yarn", {}, context) == (1024 + 384) * 2**20
    assert given(spark).memory_bytes is None
