"""Consecutive EXPLOREs share passes, and each has the answer that it would have had by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql import calibrating
from vistaql.errors import Code, VistaQLError
from vistaql.frontend.binder import BoundQuery, bind_query
from vistaql.frontend.parser import parse
from vistaql.optimizer import calibration
from vistaql.optimizer.calibration import Profile
from vistaql.outcome import Exploration, Outcome
from vistaql.physical.inference import Pass
from vistaql.session import Session
from vistaql.together import plan_together

TAIL = "FROM scans JOIN measures"
FIRST = f"EXPLORE LAYERS conv3, fc5 OF strokes {TAIL} TRAIN logistic_regression;"
SECOND = f"EXPLORE LAYERS conv2, fc5 OF strokes {TAIL} WHERE ink > 300 TRAIN logistic_regression(reg = 0.1);"
THIRD = f"EXPLORE LAYERS fc6 OF strokes {TAIL} TRAIN logistic_regression FEATURES ink;"


def answers(outcomes: Iterator[tuple[object, Outcome | None]]) -> list[Exploration]:
    return [outcome for _, outcome in outcomes if isinstance(outcome, Exploration)]


def until_it_fails(outcomes: Iterator[tuple[object, Outcome | None]]) -> tuple[list[Exploration], VistaQLError]:
    """The answers of the statements before the one that fails, and its error."""
    found: list[Exploration] = []
    try:
        for _, outcome in outcomes:
            assert isinstance(outcome, Exploration)
            found.append(outcome)
    except VistaQLError as error:
        return found, error
    pytest.fail("no statement failed")


def essence(answer: Exploration) -> Exploration:
    """An answer without what a run of several may change: seconds, the plan, the note about the others, the name."""
    rows = tuple(replace(row, fit_seconds=0.0) for row in answer.rows)
    alone = answer.image_only and replace(answer.image_only, fit_seconds=0.0)
    notes = tuple(note for note in answer.notes if not note.startswith("Run together"))
    return replace(answer, rows=rows, image_only=alone, seconds=0.0, plan=None, notes=notes, name=None)  # type: ignore[arg-type]


def test_statements_with_other_layers_rows_and_learners_share_one_pass(session: Session, passes: list[Pass]) -> None:
    together = answers(session.run(FIRST + SECOND + THIRD))
    assert [run.layers for run in passes] == [("conv2", "conv3", "fc5", "fc6")]
    alone = [answer for text in (FIRST, SECOND, THIRD) for answer in answers(session.run(text))]
    assert [essence(answer) for answer in together] == [essence(answer) for answer in alone]
    assert [answer.counts.joined for answer in together][1] < together[0].counts.joined
    assert all("Run together with 2 other statements" in answer.notes[-1] for answer in together)


def test_a_statement_that_cannot_be_bound_leaves_those_before_it(session: Session) -> None:
    found, error = until_it_fails(session.run(FIRST + THIRD + FIRST.replace("conv3", "conv9")))
    assert (len(found), error.code) == (2, Code.UNKNOWN_LAYER)
    assert error.span is not None


def test_a_statement_that_cannot_run_leaves_those_before_it(session: Session) -> None:
    found, error = until_it_fails(session.run(FIRST + FIRST.replace(" TRAIN", " WHERE ink > 1e9 TRAIN")))
    assert (len(found), error.code) == (1, Code.NO_ROWS)


def test_bad_images_of_one_statement_are_not_counted_in_another(session: Session, tmp_path: Path) -> None:
    (folder := tmp_path / "scans").mkdir()
    listing = session.catalog.images("scans")
    assert listing is not None
    source = Path(str(listing.source.folder))  # type: ignore[union-attr]
    for number, path in enumerate(sorted(source.iterdir())):
        (folder / path.name).write_bytes(b"no image" if number == 0 else path.read_bytes())
    bad = min(source.iterdir()).stem
    session.sql(f"CREATE OR REPLACE IMAGES damaged FROM '{folder}'")
    first = "EXPLORE LAYERS fc5, fc6 OF strokes FROM damaged JOIN measures TRAIN lr WITH (max_bad = 0.5);"
    second = first.replace(" TRAIN", f" WHERE scan_id <> '{bad}' TRAIN")
    whole, part = answers(session.run(first + second))
    assert (whole.counts.bad, part.counts.bad) == (1, 0)
    assert (whole.counts.decoded, part.counts.decoded) == (99, 99)
    assert whole.rows[0].digest == part.rows[0].digest


def test_another_statement_in_between_ends_what_is_planned_together(session: Session, passes: list[Pass]) -> None:
    found = answers(session.run(FIRST + "SHOW IMAGES;" + THIRD))
    assert len(passes) == len(found) == 2
    assert not any("Run together" in note for answer in found for note in answer.notes)


def test_other_settings_are_another_workload(session: Session, passes: list[Pass]) -> None:
    answers(session.run(FIRST + THIRD.replace(";", " WITH (plan = lazy);")))
    assert len(passes) == 2


def test_a_statement_over_another_cnn_in_between_runs_by_itself(session: Session, passes: list[Pass]) -> None:
    """Answers come in the order of the statements."""
    session.sql("REGISTER CNN other FROM strokes WEIGHTS RANDOM (SEED = 3)")
    between = f"EXPLORE LAYERS fc5 OF other {TAIL} TRAIN lr;"
    found = answers(session.run(FIRST + between + THIRD))
    assert [[row.layer for row in answer.rows if row.layer] for answer in found] == [["conv3", "fc5"], ["fc5"], ["fc6"]]
    assert [run.layers for run in passes] == [("conv3", "fc5", "fc6"), ("fc5",)]
    assert [any("Run together" in note for note in answer.notes) for answer in found] == [True, False, True]


def test_statements_of_which_one_is_quicker_on_spark_are_not_planned_together(session: Session) -> None:
    bounds = [bound_of(session, text) for text in (FIRST, SECOND)]
    here = plan_together(bounds, session.prepare, session.machine, session.catalog)
    assert here is not None
    session.set("engine", "auto")
    bounds = [bound_of(session, text) for text in (FIRST, SECOND)]
    costly = replace(session.machine.calibration, library_seconds=1000.0)
    assert plan_together(bounds, session.prepare, session.machine, session.catalog) is not None
    machine = replace(session.machine, calibration=costly, library_loaded=False)
    assert plan_together(bounds, session.prepare, machine, session.catalog) is None


def test_what_runs_together_teaches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "LEAST_SECONDS", 0.0)
    slow = replace(session.machine.calibration, graph_seconds=20.0)
    session.machine = replace(session.machine, calibration=slow, library_loaded=False)
    calibrating.put_profile(session.catalog, Profile(rates=(("graph_seconds", 20.0),)))
    assert len(answers(session.run(FIRST + SECOND))) == 2
    assert session.machine.library_loaded
    assert calibrating.profile_of(session.catalog).calibration().correction("RunPass") < 1


def bound_of(session: Session, text: str) -> BoundQuery:
    (statement,) = parse(text).statements
    return bind_query(statement, session.context({}, None)).rewritten()  # type: ignore[arg-type]
