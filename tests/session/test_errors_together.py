"""A script is told everything that is wrong with it at once, and nothing that only follows from something else."""

from __future__ import annotations

import pytest

from vistaql.errors import Code, VistaQLError, line_and_column
from vistaql.session import Session

QUERY = "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lr;"


def places(error: VistaQLError) -> list[tuple[Code, int]]:
    """Code and line of each error."""
    return [
        (one.code, line_and_column(one.source, one.span.start)[0])
        for one in (error, *error.others)
        if one.source is not None and one.span is not None
    ]


@pytest.mark.parametrize("way", ["check", "sql"])
def test_every_statement_that_is_none_is_told(session: Session, way: str) -> None:
    text = "SHOW TABELS;\nSELECT ';';\nEXPLORE LAYERS OF x FROM y;\nSHOW TABLES;\nSET threads = ;"
    with pytest.raises(VistaQLError) as raised:
        getattr(session, way)(text)
    assert places(raised.value) == [(Code.SYNTAX, 1), (Code.SYNTAX, 3), (Code.SYNTAX, 5)]


def test_what_is_not_closed_is_one_error(session: Session) -> None:
    with pytest.raises(VistaQLError) as raised:
        session.check("SELECT 1;\nSHOW ERRORS OF 'a;\nSHOW TABELS;\n")
    assert places(raised.value) == [(Code.SYNTAX, 2)]


def test_check_binds_every_statement(session: Session) -> None:
    text = (
        "CREATE TABLE lost FROM 'nothing.csv';\n"
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN lost TRAIN lr;\n"
        "EXPLORE LAYERS fc9 OF strokes FROM scans JOIN measures TRAIN lr;\n"
        f"{QUERY}\n"
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lrr;"
    )
    with pytest.raises(VistaQLError) as raised:
        session.check(text)
    assert places(raised.value) == [(Code.FILE_NOT_FOUND, 1), (Code.UNKNOWN_LAYER, 3), (Code.UNKNOWN_LEARNER, 5)]
    assert session.check(QUERY * 3) == 3


def test_a_run_that_fails_tells_what_is_wrong_behind_it(session: Session) -> None:
    text = (
        "SELECT * FROM nowhere;\n"
        "CREATE TABLE later FROM 'later.csv' KEY scan_id;\n"
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN later PREDICT digit TRAIN lr;\n"
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lrr;"
    )
    with pytest.raises(VistaQLError) as raised:
        session.sql(text)
    assert [line for _, line in places(raised.value)] == [1, 4]


def test_an_error_alone_has_no_others(session: Session) -> None:
    with pytest.raises(VistaQLError) as raised:
        session.sql(f"SHOW ERRORS OF nobody; {QUERY}")
    assert raised.value.others == ()
