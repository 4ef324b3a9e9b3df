"""Measuring Spark: the parts in the shared session with few rows; the whole statement among the slow tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spark.conftest import Both
from vistaql.engines.spark import timing
from vistaql.engines.spark.frames import configured
from vistaql.engines.spark.memory import running_conf
from vistaql.optimizer.calibration import Calibration
from vistaql.outcome import Report
from vistaql.physical.choices import ClusterChoices
from vistaql.session import connect
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace

TWO = ClusterChoices(
    2, 1, 1, 2, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.DESERIALIZED, TrainingPlace.CLUSTER
)


def test_bytes_are_moved_and_held_in_every_way(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROWS", 16)
    spark = both.spark.spark
    assert spark is not None
    with configured(spark, running_conf(TWO)):
        timing.run_job(spark, 2, timing.tensorflow)
        found = timing.time_bytes(spark, 4, 0.0)
    assert found.bytes == 16 * 200_000
    assert [word for word, _ in found.held] == ["deserialized", "serialized", "disk"]
    assert found.sent > 0
    assert 0.9 * found.bytes < found.stored < 2 * found.bytes
    assert timing.java_bytes(spark) > 100e6


def test_a_training_is_measured_as_a_plan_trains(both: Both) -> None:
    spark = both.spark.spark
    assert spark is not None
    with configured(spark, running_conf(TWO)):
        found = timing.time_fit(spark, (60, 8, 2), TWO, 0.0)
    assert found.seconds > 0
    assert found.flops > 0


@pytest.mark.volume
def test_spark_is_measured_kept_and_forgotten(tmp_path: Path) -> None:
    with connect(tmp_path) as session:
        outcome = session.sql("CALIBRATE SPARK").outcome
        assert isinstance(outcome, Report)
        rates = dict(outcome.facts)["rates"]
        assert isinstance(rates, dict)
        assert all(value >= 0 for value in rates.values())
        assert {"context_seconds", "arrow_bytes", "mllib_seconds", "jvm_bytes"} <= set(rates)
        assert session.machine.calibration.context_seconds == rates["context_seconds"]
    with connect(tmp_path) as session:
        assert session.machine.calibration.arrow_bytes == rates["arrow_bytes"]
        session.sql("RESET CALIBRATION")
        assert session.machine.calibration == Calibration()
