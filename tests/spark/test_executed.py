"""What a plan forces is what Spark runs: the join, how and where tensors are held, and in how many partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistaql.engines.spark.counting import items
from vistaql.engines.spark.engine import OnSpark

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import SparkSession

    from tests.spark.conftest import Both
    from vistaql.engines.spark.engine import Images, Kept, PassResult
    from vistaql.physical.engine import Storage
    from vistaql.physical.inference import Pass

QUESTION = (
    "EXPLORE LAYERS conv3 OF strokes FROM photos JOIN items ON photos.key = items.sku TRAIN lr "
    "EVALUATE accuracy USING HOLDOUT (0.3)"
)
JOINS = {"broadcast": "BroadcastHashJoin", "shuffle": "ShuffledHashJoin"}
LEVELS = {
    "deserialized": "Disk Memory Deserialized 1x Replicated",
    "serialized": "Disk Memory Serialized 1x Replicated",
    "disk": "Disk Serialized 1x Replicated",
}


def test_forced_choices_are_executed(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value of each choice once, and another partition count each time."""
    spark = both.spark.spark
    assert spark is not None
    infer, held = OnSpark.infer, set[tuple[str, int]]()

    def watched(engine: OnSpark, source: Images | Kept, pass_: Pass, storage: Storage) -> PassResult:
        result = infer(engine, source, pass_, storage)
        held.update(now_held(spark))
        return result

    monkeypatch.setattr(OnSpark, "infer", watched)
    for join, persistence, partitions in (
        ("broadcast", "serialized", 3), ("shuffle", "disk", 5), ("shuffle", "deserialized", 2)
    ):  # fmt: skip
        before = len(executed(spark))
        held.clear()
        both.on_spark(
            QUESTION, plan="eager", placement="before", join=join, persistence=persistence, partitions=partitions
        )
        assert held == {(LEVELS[persistence], partitions)}
        joined = [plan for plan in executed(spark)[before:] if "Join" in plan]
        # Rows with the images' keys, images with the rows' keys.
        assert len(joined) >= 2
        (other,) = JOINS.keys() - {join}
        assert all(JOINS[join] in plan and JOINS[other] not in plan and "SortMerge" not in plan for plan in joined)


def now_held(spark: SparkSession) -> set[tuple[str, int]]:
    """The levels at which frames lie in the block managers now, and the partitions of each that are there."""
    found = spark.sparkContext._jsc.sc().getRDDStorageInfo()
    return {(info.storageLevel().description(), info.numCachedPartitions()) for info in found}


def executed(spark: SparkSession) -> list[str]:
    """The physical plans that Spark has run, as it shows them."""
    store = spark._jsparkSession.sharedState().statusStore()
    return [query.physicalPlanDescription() for query in items(store.executionsList())]
