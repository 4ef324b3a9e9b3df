"""Settings of Spark in SET, RESET, WITH and SHOW SETTINGS."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.session import Session, connect


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return connect(tmp_path / "home")


def shown(session: Session) -> dict[str, str]:
    """SHOW SETTINGS, by name."""
    table = session.sql("SHOW SETTINGS").to_arrow()
    return dict(zip(table["name"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_names_with_dots_are_set_shown_and_reset(session: Session) -> None:
    session.sql("SET spark.master = 'local[2]'; SET spark.executor.memoryOverhead = '2g'; SET spark.x.enabled = true")
    assert session.settings.spark.values == (
        ("spark.executor.memoryOverhead", "2g"), ("spark.master", "local[2]"), ("spark.x.enabled", "true"),
    )  # fmt: skip
    assert shown(session)["spark.master"] == "local[2]"
    assert shown(session)["spark.executor.memoryOverhead"] == "2g"
    session.sql("RESET spark.executor.memoryOverhead; RESET spark.master")
    assert shown(session)["spark.master"] == "local[*]"
    assert "spark.executor.memoryOverhead" not in shown(session)
    session.sql("RESET ALL")
    assert session.settings.spark.values == ()


def test_a_program_sets_them_as_well(session: Session) -> None:
    session.set("spark.executor.cores", 4)
    session.set("Spark.Master", "spark://host:7077")
    assert session.settings.spark.values == (("spark.executor.cores", "4"), ("spark.master", "spark://host:7077"))


def test_secrets_are_not_shown(session: Session) -> None:
    session.sql("SET spark.hadoop.fs.s3a.secret.key = 'abc'")
    assert shown(session)["spark.hadoop.fs.s3a.secret.key"] == "(hidden)"


@pytest.mark.parametrize("statement", [
    "SET spark.master = 'lokal'", "SET spark.executor.pyspark.memory = '2g'", "SET spark.x = NULL", "SET spark.x = ''",
    "SET engine = duck", "SET join = hash", "SET partitions = 0",
])  # fmt: skip
def test_what_would_fail_later_is_refused_at_once(session: Session, statement: str) -> None:
    with pytest.raises(VistaQLError) as caught:
        session.sql(statement)
    assert caught.value.code is Code.BAD_OPTION_VALUE
    assert caught.value.hint


@pytest.mark.parametrize("name", ["spork.master", "partition", "executor.memory"])
def test_other_names_are_unknown(session: Session, name: str) -> None:
    with pytest.raises(VistaQLError) as caught:
        session.sql(f"SET {name} = 1")
    assert caught.value.code is Code.UNKNOWN_SETTING


def test_a_name_that_spark_nearly_has_is_answered_with_it(session: Session) -> None:
    """It is set all the same: other programs read settings of their own."""
    found = session.sql("SET spark.executer.memory = '4g'")
    assert str(found) == (
        "Spark has no setting 'spark.executer.memory', and is told it all the same. Did you mean spark.executor.memory?"
    )
    assert dict(session.settings.spark.values)["spark.executer.memory"] == "4g"


@pytest.mark.parametrize("name", [
    "spark.executor.memory", "spark.master", "spark.app.name", "spark.hadoop.fs.s3a.endpoint", "spark.mine.enabled",
])  # fmt: skip
def test_names_that_spark_has_and_names_of_others_are_set_in_silence(session: Session, name: str) -> None:
    assert session.sql(f"SET {name} = 'local[2]'").outcome is None
