"""CALIBRATE measures, keeps and reports; later sessions price with it, and runs move it a little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.planning.conftest import bind
from vistaql import calibrating, measuring
from vistaql.catalog import codec
from vistaql.models import roster
from vistaql.optimizer.calibration import Calibration, Observed, Profile, on_spark
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.machine import Machine, machine_name
from vistaql.outcome import Report
from vistaql.physical.run import Actual, run_order
from vistaql.session import Session, connect
from vistaql.settings import EngineChoice, Settings, TrainingPlace

if TYPE_CHECKING:
    import pytest


def reported(session: Session, text: str) -> Report:
    outcome = session.sql(text).outcome
    assert isinstance(outcome, Report)
    return outcome


def test_a_cnn_is_measured_block_by_block_and_later_sessions_price_with_it(tmp_path: Path) -> None:
    with connect(tmp_path) as session:
        report = reported(session, "CALIBRATE CNN strokes")
        measured = session.machine.calibration.networks
    strokes = roster.load("strokes")
    assert strokes is not None
    assert report.lines[0].startswith("Measured strokes in ")
    assert [network.graph for network in measured] == [strokes.graph_digest]
    assert all(block.seconds > 0 for block in measured[0].blocks)
    assert [strokes.position[block.end] for block in measured[0].blocks] == sorted(
        strokes.position[block.end] for block in measured[0].blocks
    )
    with connect(tmp_path) as session:
        assert session.machine.calibration.networks == measured
        assert reported(session, "RESET CALIBRATION").lines
        assert session.machine.calibration == Calibration()
    with connect(tmp_path) as session:
        assert session.machine.calibration == Calibration()


def test_the_machine_is_measured_with_small_probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement itself, but for its CNNs, which take half a minute: strokes stands for them."""
    monkeypatch.setattr(measuring, "PROBES", (("strokes", 3, 2),))
    monkeypatch.setattr(measuring, "PHOTOS", 3)
    with connect(tmp_path) as session:
        report = reported(session, "CALIBRATE")
        rates = dict(report.facts)["rates"]
        assert isinstance(rates, dict)
        assert {"library_seconds", "convolution_flops", "decoded_pixels", "fit_flops", "spilled_bytes"} <= set(rates)
        assert all(value > 0 for value in rates.values())
        assert session.machine.calibration.fit_flops == rates["fit_flops"]
        shown = session.sql("SHOW CALIBRATION")
        assert "fitting, one BLAS thread" in str(shown)
    with connect(tmp_path) as session:
        assert session.machine.calibration.fit_flops == rates["fit_flops"]


def test_a_machine_with_rates_of_its_own_keeps_them(tmp_path: Path) -> None:
    own = Machine(2, 10**10, Calibration(fit_flops=1e9))
    with connect(tmp_path) as session:
        calibrating.put_profile(session.catalog, Profile(rates=(("fit_flops", 5e9),)))
    with Session(tmp_path, own) as session:
        assert session.machine == own
    with connect(tmp_path) as session:
        assert session.machine.calibration == Calibration(fit_flops=5e9)


def test_a_profile_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    with connect(tmp_path) as session:
        with session.catalog.transaction() as writer:
            writer.put_profile(machine_name(), "{")
        assert calibrating.profile_of(session.catalog) == Profile()
        with session.catalog.transaction() as writer:
            writer.put_profile(machine_name(), codec.to_json(Profile(rates=(("of_another_version", 1.0),))))
        assert calibrating.profile_of(session.catalog).calibration() == Calibration()


def test_a_profile_stays_what_it_is_in_the_catalog(tmp_path: Path) -> None:
    profile = Profile(rates=(("fit_flops", 5e9),)).learnt((Observed("Fit", 1.0, 1.5),))
    with connect(tmp_path) as session:
        calibrating.put_profile(session.catalog, profile)
        assert calibrating.profile_of(session.catalog) == profile
        calibrating.put_profile(session.catalog, replace(profile, rates=()))
        assert calibrating.profile_of(session.catalog).rates == ()
        assert session.sql("SHOW RESULTS").to_arrow().num_rows == 0


def test_runs_on_spark_teach_what_spark_takes(tmp_path: Path) -> None:
    """Kept apart from what runs in process teach. The first run starts workers, and teaches nothing."""
    query = bind("EXPLORE LAYERS conv4_block6_out OF resnet50 FROM photos JOIN products TRAIN lr").rewritten()
    sizes = estimate(query.plan)

    def decide(machine: Machine, engine: EngineChoice) -> Decision:
        settings = Settings(engine=engine, training=TrainingPlace.DRIVER)
        return choose(query.plan, sizes, machine, settings)  # type: ignore[arg-type]  # it is an EXPLORE

    with connect(tmp_path) as session:
        fresh = Machine(2, 10**10)
        first = decide(fresh, EngineChoice.SPARK)
        slow = [Actual(operator, 2 * dict(first.chosen.prices)[operator.digest], None, 0)
                for operator in run_order(first.chosen.plan)]  # fmt: skip
        warm = calibrating.taught(fresh, session.catalog, first, slow)
        assert warm == replace(fresh, spark_started=True)
        assert calibrating.profile_of(session.catalog) == Profile()
        second = decide(warm, EngineChoice.SPARK)
        calibrating.taught(warm, session.catalog, second, slow)
        after = calibrating.refreshed(warm, session.catalog)
    taught = {kind for kind, _ in after.calibration.corrections}
    assert taught == {on_spark(kind) for kind in ("RunPass", "Fit", "FitAlone")}
    assert all(factor > 1 for _, factor in after.calibration.corrections)
    assert decide(after, EngineChoice.SPARK).chosen.seconds > second.chosen.seconds
    here = EngineChoice.INPROCESS
    assert decide(after, here).chosen.seconds == decide(warm, here).chosen.seconds


def test_check_measures_nothing(tmp_path: Path) -> None:
    with connect(tmp_path) as session:
        assert (
            session.check("CALIBRATE; CALIBRATE CNN strokes; CALIBRATE SPARK; RESET CALIBRATION; SHOW CALIBRATION") == 5
        )
        assert session.catalog.profile(machine_name()) is None
