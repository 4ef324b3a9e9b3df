"""What a statement leaves behind, and what it reads besides the catalog."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.session.world import Explore, World
from vistaql.errors import VistaQLError
from vistaql.session import Session, connect


def everything(session: Session) -> list[tuple[object, ...]]:
    """All that the catalog holds, but for the time when a name was made."""
    with sqlite3.connect(session.catalog.file) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [row for name in sorted(names) for row in connection.execute(f"SELECT '{name}', * FROM {name}")]


def files_below(folder: Path) -> list[Path]:
    """Every file, however deep."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_answers_are_kept_under_their_names(session: Session, explore: Explore) -> None:
    found = explore("FROM scans JOIN measures TRAIN lr INTO fc6_alone")
    assert found.name == "fc6_alone"
    kept = session.sql("SELECT layer, mean, digest FROM fc6_alone").to_arrow().to_pylist()
    assert kept == [{"layer": row.layer, "mean": row.mean, "digest": row.digest} for row in found.rows]
    assert session.sql("SELECT count(*) AS n FROM _").to_arrow()["n"].to_pylist() == [2]
    other = explore("FROM scans JOIN measures TRAIN lr", "LAYERS conv4, fc6 OF strokes")
    assert other.name is not None
    assert other.name.startswith("result_")
    assert session.sql("SELECT count(*) AS n FROM _").to_arrow()["n"].to_pylist() == [3]
    assert session.sql(f"SELECT max(mean) AS best FROM {other.name}").to_arrow()["best"][0].as_py() == max(
        row.mean for row in other.rows
    )
    listed = session.sql("SHOW RESULTS").to_arrow()
    assert {"fc6_alone", other.name} <= set(listed["name"].to_pylist())
    again = explore("FROM scans JOIN measures FEATURES NONE TRAIN lr INTO fc6_alone")
    assert session.catalog.result("fc6_alone") == again


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_answers_can_be_written_to_files(ending: str, explore: Explore, tmp_path: Path) -> None:
    found = explore(f"FROM scans JOIN measures TRAIN lr INTO '{tmp_path}/r.{ending}'")
    path = tmp_path / f"r.{ending}"
    match ending:
        case "csv":
            rows = [(row["layer"] or None, float(row["mean"])) for row in csv.DictReader(path.read_text().splitlines())]
        case "json":
            rows = [(row["layer"], row["mean"]) for row in json.loads(path.read_text())["rows"]]
        case _:
            rows = [(row["layer"], row["mean"]) for row in pq.read_table(path).to_pylist()]
    assert rows == [(row.layer, pytest.approx(row.mean)) for row in found.rows]
    assert found.name is not None
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lr INTO measures",
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures PREDICT ln(ink - 1000) > 1 TRAIN lr",
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures WHERE ink < 0 TRAIN lr INTO nothing",
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures PREDICT slant TRAIN lr",
        "CREATE TABLE scans FROM '{folder}/measures.csv'",
        "CREATE TABLE another FROM '{folder}/measures.csv' KEY nothing",
        "CREATE TABLE another AS SELECT * FROM measures WHERE nothing = 1",
        "CREATE IMAGES another FROM '{folder}/nowhere'",
        "REGISTER CNN another FROM strokes WEIGHTS '{folder}/measures.csv'",
        "DROP TABLE another",
    ],
)
def test_a_failed_statement_changes_nothing(text: str, session: Session, world: World) -> None:
    before, files = everything(session), files_below(session.home)
    with pytest.raises(VistaQLError):
        session.sql(text.format(folder=world.folder))
    assert everything(session) == before
    assert files_below(session.home) == files


def test_a_taken_name_is_refused_before_the_run(session: Session, explore: Explore) -> None:
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures TRAIN lr INTO measures WITH (threads = 63)")
    assert failure.value.code.name == "NAME_TAKEN", "not THREADS_FIXED, which comes with the first pass"
    assert session.catalog.table("measures") is not None


def test_statements_before_a_failure_stay_done(session: Session, world: World) -> None:
    with pytest.raises(VistaQLError) as failure:
        session.sql(
            f"CREATE OR REPLACE TABLE done FROM '{world.folder}/measures.csv';\nDESCRIBE nowhere; DROP TABLE done"
        )
    assert "line 2" in failure.value.render()
    assert session.catalog.table("done") is not None


def test_a_table_made_by_a_query_can_be_joined(session: Session, explore: Explore, world: World) -> None:
    session.sql("CREATE OR REPLACE TABLE dark KEY scan_id LABEL is_high AS "
                "SELECT scan_id, ink, digit > 7 AS is_high FROM measures WHERE ink > 300")  # fmt: skip
    found = explore("FROM scans JOIN dark TRAIN lr")
    assert found.counts.joined == sum(row[1] > 300 for row in world.rows)
    assert (found.label, found.columns, found.classes) == ("is_high", ("ink",), 2)


@pytest.mark.parametrize("form", ["arrow", "pandas", "batches"])
def test_data_of_the_program_can_be_joined(form: str, session: Session, explore: Explore, world: World) -> None:
    columns = {"id": world.keys, "ink": [row[1] for row in world.rows], "high": [row[-1] > 7 for row in world.rows]}
    data: object = {"arrow": pa.table, "pandas": pd.DataFrame, "batches": pa.record_batch}[form](columns)
    session.register("mine", data, key="id", label="high")  # type: ignore[arg-type]
    found = explore("FROM scans JOIN mine TRAIN lr")
    assert (found.counts.joined, found.columns, found.label) == (100, ("ink",), "high")
    assert session.sql("SELECT count(*) AS n FROM Mine WHERE high").to_arrow()["n"].to_pylist() == [40]
    assert session.catalog.table("mine") is None
    both = explore(
        "FROM scans JOIN measures JOIN mine ON mine.id = measures.scan_id FEATURES slant PREDICT high TRAIN lr"
    )
    assert both.counts.joined == 100
    with pytest.raises(VistaQLError) as failure:
        session.register("mine", data, key="identity")  # type: ignore[arg-type]
    assert "id" in str(failure.value.hint)
    with pytest.raises(VistaQLError):
        session.register("_", data)  # type: ignore[arg-type]


def test_parameters_are_values_and_never_text(explore: Explore, world: World) -> None:
    wanted = sum(row[1] > 300 for row in world.rows)
    assert explore("FROM scans JOIN measures WHERE ink > :least TRAIN lr", least=300).counts.joined == wanted
    key = world.keys[0]
    assert explore("FROM scans JOIN measures WHERE scan_id <> :key TRAIN lr", key=key).counts.joined == 99
    hostile = "x' OR 1 = 1 --"
    assert explore("FROM scans JOIN measures WHERE scan_id <> :key TRAIN lr", key=hostile).counts.joined == 100
    assert explore("FROM scans JOIN measures SAMPLE :n TRAIN lr", n=50).counts.joined == 50
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures WHERE ink > :least TRAIN lr", most=1)
    assert failure.value.code.name == "MISSING_PARAMETER"


def test_paths_stand_for_names_and_start_where_the_program_stands(
    explore: Explore, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    found = explore("FROM 'scans/' JOIN 'measures.csv' USING (scan_id) PREDICT digit TRAIN lr")
    assert found.rows[0].digest == explore("FROM scans JOIN measures TRAIN lr").rows[0].digest
    assert found.columns == ("ink", "width", "height", "slant")
    monkeypatch.setenv("HOME", str(world.folder))
    at_home = explore("FROM '~/scans' AS s JOIN '~/measures.csv' AS m ON m.scan_id = s.key PREDICT m.digit TRAIN lr")
    assert at_home.counts == found.counts


def test_scripts_run_scripts_from_their_own_folders(world: World, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "scans").symlink_to(world.folder / "scans")
    (tmp_path / "sub" / "m.csv").write_bytes((world.folder / "measures.csv").read_bytes())
    (tmp_path / "sub" / "create.vql").write_text("CREATE TABLE m FROM :file; CREATE IMAGES s FROM 'scans'")
    (tmp_path / "main.vql").write_text("SOURCE 'sub/create.vql'; SELECT count(*) AS n FROM m;")
    with connect(tmp_path / "home") as session:
        found = session.sql(f"SOURCE '{tmp_path}/main.vql'", file="m.csv").to_arrow()
        assert found["n"].to_pylist() == [100]
        images = session.catalog.images("s")
        assert images is not None
        assert images.place == str(tmp_path / "sub" / "scans")


def test_a_script_that_runs_itself_is_told_so(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.vql").write_text("SET cache = false; SOURCE 'b.vql';")
    (tmp_path / "b.vql").write_text("-- the other\nSOURCE 'a.vql';")
    with pytest.raises(VistaQLError) as failure:
        session.sql(f"SOURCE '{tmp_path}/a.vql'")
    assert failure.value.message.startswith("In b.vql: a.vql is being run already")
    assert "line 2: SOURCE 'a.vql'" in failure.value.render()
    assert "a.vql, b.vql" in str(failure.value.hint)
    session.sql("RESET cache")
    (tmp_path / "a.vql").write_text("SHOW METRICS")
    assert session.sql(f"SOURCE '{tmp_path}/a.vql'; SOURCE '{tmp_path}/b.vql'").to_arrow().num_rows == 5


def test_settings_last_for_the_session_and_options_for_a_statement(world: World, tmp_path: Path) -> None:
    def value(session: Session, name: str) -> str:
        rows = session.sql("SHOW SETTINGS").to_arrow().to_pylist()
        return str(next(row["value"] for row in rows if row["name"] == name))

    with connect(tmp_path / "home") as session:
        session.sql(f"SET plan = lazy; SET memory_limit = 3GB; CREATE IMAGES s FROM '{world.folder}/scans'; "
                    f"CREATE TABLE m FROM '{world.folder}/measures.csv' KEY scan_id LABEL digit")  # fmt: skip
        assert (value(session, "plan"), value(session, "memory_limit")) == ("lazy", "3.0 GB")
        explore = "EXPLORE LAYERS conv4, fc6 OF strokes FROM s JOIN m TRAIN lr"
        lazy, eager = session.sql(explore), session.sql(f"{explore} WITH (plan = eager)")
        assert (lazy.plan.strategy, eager.plan.strategy) == ("lazy", "eager")  # type: ignore[attr-defined]
        assert [row.digest for row in lazy.outcome.rows] == [row.digest for row in eager.outcome.rows]  # type: ignore[union-attr]
        with pytest.raises(VistaQLError) as failure:
            session.sql(f"{explore} WITH (memory_limit = 10MB)")
        assert failure.value.code.name == "NO_FEASIBLE_PLAN"
        session.sql("RESET plan")
        assert (value(session, "plan"), value(session, "memory_limit")) == ("auto", "3.0 GB")
        session.sql("RESET ALL")
        assert value(session, "memory_limit") == "auto"
    with connect(tmp_path / "home") as session:
        assert value(session, "plan") == "auto"
