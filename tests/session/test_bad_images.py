"""Images that cannot be used are counted and named, and never change what the others give."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.session.world import Explore, World
from vistaql.errors import VistaQLError
from vistaql.session import Session

BAD = 3


@pytest.fixture(scope="module")
def damaged(world: World, session: Session, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The scans with three broken files among them; the keys of these."""
    folder = tmp_path_factory.mktemp("damaged") / "scans"
    shutil.copytree(world.folder / "scans", folder)
    cut, html, empty = keys = sorted(world.keys)[10:40:10]
    (folder / f"{cut}.png").write_bytes(world.path(cut).read_bytes()[:700])
    (folder / f"{html}.png").unlink()
    (folder / f"{html}.jpg").write_text("<!doctype html><title>404</title>")
    (folder / f"{empty}.png").write_bytes(b"")
    session.sql(f"CREATE IMAGES damaged_scans FROM '{folder}'; "
                f"CREATE IMAGES forgiving FROM '{folder}' WITH (max_bad = 0.05)")  # fmt: skip
    return keys


def test_bad_images_are_left_out_and_named(
    session: Session, explore: Explore, world: World, damaged: list[str]
) -> None:
    found = explore("FROM forgiving JOIN measures TRAIN lr")
    assert (found.counts.images, found.counts.bad, found.counts.decoded, found.counts.joined) == (100, 3, 97, 97)
    shown = session.sql("SHOW ERRORS").to_arrow()
    assert shown["key"].to_pylist() == damaged
    assert shown["images"].to_pylist() == ["forgiving"] * BAD
    cut, html, empty = shown["reason"].to_pylist()
    assert cut == "the file is cut off"
    assert html.startswith("it is not an image")
    assert empty == "the file is empty"
    without = explore(f"FROM scans JOIN measures WHERE scan_id NOT IN {tuple(damaged)} TRAIN lr")
    assert [(row.digest, row.folds) for row in without.rows] == [(row.digest, row.folds) for row in found.rows]
    assert world.path(damaged[0]).name == Path(shown["path"].to_pylist()[0]).name


@pytest.mark.usefixtures("damaged")
def test_errors_are_those_of_the_last_statement_over_the_images(session: Session, explore: Explore) -> None:
    explore("FROM forgiving JOIN measures TRAIN lr")
    explore("FROM scans JOIN measures TRAIN lr")
    assert session.sql("SHOW ERRORS").to_arrow().num_rows == 0
    assert session.sql("SHOW ERRORS OF scans").to_arrow().num_rows == 0
    assert session.sql("SHOW ERRORS OF forgiving").to_arrow().num_rows == BAD


def test_more_than_one_in_a_hundred_stops_the_run(session: Session, explore: Explore, damaged: list[str]) -> None:
    with pytest.raises(VistaQLError) as failure:
        explore("FROM damaged_scans JOIN measures TRAIN lr")
    assert failure.value.code.name == "TOO_MANY_BAD_IMAGES"
    assert "More than 1.0% of 100 images" in failure.value.message
    assert "the file is cut off (1)" in failure.value.message
    assert "max_bad = 0.1" in str(failure.value.hint)
    assert explore("FROM damaged_scans JOIN measures TRAIN lr WITH (max_bad = 0.03)").counts.bad == BAD
    session.sql("SET max_bad = 0.02")
    try:
        with pytest.raises(VistaQLError):
            explore("FROM forgiving JOIN measures TRAIN lr")
    finally:
        session.sql("RESET max_bad")
    kept = explore(f"FROM damaged_scans JOIN measures WHERE key <> '{damaged[0]}' AND key <> '{damaged[1]}' TRAIN lr")
    assert kept.counts.bad == 1, "one bad image is never too many"
    with pytest.raises(VistaQLError):
        explore(f"FROM damaged_scans JOIN measures WHERE key >= '{damaged[2]}' TRAIN lr WITH (max_bad = 0)")


@pytest.mark.usefixtures("damaged")
def test_a_bad_image_may_be_an_error(explore: Explore, damaged: list[str]) -> None:
    with pytest.raises(VistaQLError) as failure:
        explore("FROM forgiving JOIN measures TRAIN lr WITH (on_error = fail)")
    assert failure.value.code.name == "BAD_IMAGE"
    assert f"{damaged[0]}.png" in failure.value.message
    assert "the file is cut off" in failure.value.message


def test_nothing_but_bad_images(session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    for key in world.keys:
        (tmp_path / f"{key}.png").write_bytes(b"no")
    session.sql(f"CREATE OR REPLACE IMAGES ruins FROM '{tmp_path}'")
    with pytest.raises(VistaQLError) as failure:
        explore("FROM ruins JOIN measures TRAIN lr WITH (max_bad = 1)")
    assert failure.value.code.name == "NO_ROWS"
    with pytest.raises(VistaQLError) as failure:
        session.sql(f"EXPORT LAYERS fc6 OF strokes FROM ruins TO '{tmp_path}/f.parquet' WITH (max_bad = 1)")
    assert failure.value.code.name == "NO_ROWS"
    assert not (tmp_path / "f.parquet").exists()


def test_bad_images_inside_parquet_are_named_by_the_file(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    encoded = [world.path(key).read_bytes() for key in world.keys]
    encoded[4] = b"no"
    pq.write_table(pa.table({"id": world.keys, "image": pa.array(encoded, pa.binary())}), tmp_path / "i.parquet")
    session.sql(f"CREATE OR REPLACE IMAGES inside FROM '{tmp_path}/i.parquet' KEY FROM COLUMN id")
    assert explore("FROM inside JOIN measures TRAIN lr").counts.bad == 1
    shown = session.sql("SHOW ERRORS OF inside").to_arrow().to_pylist()
    assert [(row["key"], row["path"]) for row in shown] == [(world.keys[4], str(tmp_path / "i.parquet"))]


def test_files_that_a_table_names_and_that_are_not_there(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path",), *((str(world.path(key)),) for key in world.keys), ("gone.png",)])
    session.sql(f"CREATE OR REPLACE IMAGES named FROM '{tmp_path}/list.csv'")
    found = explore("FROM named LEFT JOIN measures TRAIN lr FEATURES NONE PREDICT coalesce(digit, 5)")
    assert (found.counts.images, found.counts.bad) == (101, 1)
    shown = session.sql("SHOW ERRORS").to_arrow().to_pylist()
    assert [(row["path"], row["reason"]) for row in shown] == [(str(tmp_path / "gone.png"), "there is no such file")]


def test_odd_images_behave_as_their_manifest_says_in_one_run(session: Session, test_data: Path, tmp_path: Path) -> None:
    """All files at once, through the kernel: what decodes has features, what does not is named, nothing dies."""
    with (test_data / "odd-images" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        expected = {row["file"]: row["expected"] for row in csv.DictReader(file)}
    with (tmp_path / "odd.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path",), *((test_data / "odd-images" / name,) for name in expected)])
    session.sql(f"CREATE OR REPLACE IMAGES odd FROM '{tmp_path}/odd.csv' KEY FROM PATH; "
                f"EXPORT LAYERS fc6 OF strokes FROM odd TO '{tmp_path}/f.parquet' WITH (max_bad = 1)")  # fmt: skip
    usable = {Path(key).name for key in pq.read_table(tmp_path / "f.parquet")["key"].to_pylist()}
    bad = {Path(path).name for path in session.sql("SHOW ERRORS").to_arrow()["path"].to_pylist()}
    assert usable | bad == set(expected)
    assert not usable & bad
    assert {name for name, word in expected.items() if word == "decode"} <= usable
    assert {name for name, word in expected.items() if word == "error"} <= bad
