"""What is learnt from besides the images, and what is predicted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.session.world import COLUMNS, Explore, World, write_csv
from vistaql.errors import VistaQLError
from vistaql.session import Session

ODD = ("scan_id", "a.b", "key", "label", "select", 'Größe in "mm"', "it's", "split")


@pytest.fixture(scope="module")
def wide(world: World, session: Session, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A table with every kind of column that features can be made of, or not."""
    header = (*COLUMNS, "size", "title", "photo_path", "fold", "half", "answer")
    rows = [
        (*row, "SML"[row[2] % 3], f"scan number {place}", f"{row[0]}.png", "train" if place % 4 else "test",
         "" if place % 2 else row[1] / 2, row[-1] * 10)
        for place, row in enumerate(world.rows)
    ]  # fmt: skip
    path = write_csv(tmp_path_factory.mktemp("wide") / "wide.csv", header, rows)
    session.sql(f"CREATE OR REPLACE TABLE wide FROM '{path}' KEY scan_id LABEL digit")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    ("features", "columns", "width"),
    [
        ("FEATURES * EXCEPT (answer, half)", ("ink", "width", "height", "slant", "size", "fold"), 4 + 3 + 2),
        ("FEATURES ink, size", ("ink", "size"), 1 + 3),
        ("FEATURES half", ("half",), 1),
        ("FEATURES NONE", (), 0),
    ],
)
def test_the_row_of_the_table_alone(features: str, columns: tuple[str, ...], width: int, explore: Explore) -> None:
    found = explore(f"FROM scans JOIN wide {features} TRAIN lr")
    assert found.columns == columns
    assert [(row.layer, row.width) for row in found.rows] == [("fc6", 5), (None, width)]
    assert found.rows[-1].lift is found.rows[-1].digest is None
    assert (found.image_only is None) == (not columns)
    assert "scan_id" not in found.columns


@pytest.mark.usefixtures("wide")
def test_what_was_done_to_columns_is_said(explore: Explore) -> None:
    notes = "\n".join(explore("FROM scans JOIN wide TRAIN lr").notes)
    assert "title (100 different texts" in notes
    assert "50 in half" in notes
    assert "answer alone gives digit in 100.0% of rows: FEATURES * EXCEPT (answer)." in notes


def test_without_columns_the_table_alone_says_the_commonest_class(explore: Explore) -> None:
    found = explore("FROM scans JOIN measures FEATURES NONE TRAIN lr PREDICT digit > 7")
    alone = found.rows[-1]
    assert (alone.layer, alone.width, alone.mean) == (None, 0, 0.6)
    assert found.majority == 0.6
    assert found.majority_class == "false"
    assert found.rows[0].lift == pytest.approx(found.rows[0].mean - 0.6)


def test_a_label_may_be_an_expression(explore: Explore) -> None:
    found = explore("FROM scans JOIN measures PREDICT digit > 7 TRAIN lr")
    assert (found.classes, found.label, found.majority_class) == (2, "digit > 7", "false")
    assert "digit" not in found.columns
    assert "ink" in found.columns
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures PREDICT digit > 7 FEATURES ink, digit TRAIN lr")
    assert failure.value.code.name == "BAD_EXPRESSION"
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures PREDICT digit > 70 TRAIN lr")
    assert failure.value.code.name == "ONE_CLASS"
    assert "digit > 70" in failure.value.message


def test_folders_may_be_the_label_and_no_table_is_needed(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    for row in world.rows:
        folder = tmp_path / "sorted" / f"digit {row[-1]}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(world.path(row[0]), folder)
    shutil.copy(world.path(world.keys[0]), tmp_path / "sorted" / "unsorted.png")
    session.sql(f"CREATE OR REPLACE IMAGES sorted FROM '{tmp_path}/sorted' LABEL FROM FOLDER")
    found = explore("FROM sorted TRAIN lr")
    assert (found.label, found.classes, found.majority_class, found.columns) == ("label", 5, "digit 5", ())
    assert [(row.layer, row.width) for row in found.rows] == [("fc6", 5), (None, 0)]
    assert (found.counts.images, found.counts.rows_without_label, found.counts.joined) == (101, 1, 100)
    assert found.rows[0].folds == explore("FROM scans JOIN measures FEATURES NONE TRAIN lr").rows[0].folds
    two = explore("FROM sorted WHERE folder IN ('digit 5', 'digit 6') TRAIN lr")
    assert (two.classes, two.counts.joined) == (2, 40)
    beside = explore("FROM sorted JOIN measures FEATURES ink TRAIN lr PREDICT folder")
    assert (beside.counts.joined, beside.counts.images_without_row) == (100, 1)


@pytest.mark.parametrize("alias", ["", 'AS "my.table"', "AS Ä"])
def test_names_may_be_odd(alias: str, session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "it's ünusual"
    folder.mkdir()
    path = write_csv(folder / "my table.csv", ODD, [(*row, "train") for row in [(*r, 1) for r in world.rows]])
    name = 'CREATE OR REPLACE TABLE "odd ""table"""'
    quoted = str(path).replace("'", "''")
    session.sql(f'{name} FROM \'{quoted}\' KEY scan_id LABEL "Größe in ""mm"""')
    found = explore(f'FROM scans JOIN "odd ""table""" {alias} FEATURES * EXCEPT (split, "it\'s") TRAIN lr')
    assert found.columns == ("a.b", "key", "label", "select")
    found = explore(f'FROM scans JOIN "odd ""table""" {alias} FEATURES "a.b", "select" WHERE "key" > 4 TRAIN lr')
    assert found.columns == ("a.b", "select")
    assert found.counts.joined == sum(row[2] > 4 for row in world.rows)


def test_a_giveaway_with_an_odd_name_can_be_typed_as_it_is_printed(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    rows = [(row[0], row[1], row[-1], row[-1]) for row in world.rows]
    path = write_csv(tmp_path / "t.csv", ("scan_id", "ink", "the digit", "digit"), rows)
    session.sql(f"CREATE OR REPLACE TABLE telling FROM '{path}' KEY scan_id LABEL digit")
    note = next(note for note in explore("FROM scans JOIN telling TRAIN lr").notes if "alone gives" in note)
    clause = note.split(": ")[1].rstrip(".")
    assert explore(f"FROM scans JOIN telling {clause} TRAIN lr").columns == ("ink",)


def test_two_tables_with_columns_of_one_name(session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "more.csv", ("scan_id", "ink"), [(row[0], -row[1]) for row in world.rows])
    session.sql(f"CREATE OR REPLACE TABLE more FROM '{path}' KEY scan_id")
    found = explore("FROM scans JOIN measures JOIN more TRAIN lr")
    assert found.columns == ("measures.ink", "width", "height", "slant", "more.ink")
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures JOIN more FEATURES ink TRAIN lr")
    assert failure.value.code.name == "AMBIGUOUS_COLUMN"
    assert "measures.ink or more.ink" in str(failure.value.hint)
