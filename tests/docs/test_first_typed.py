"""The forty forms that people type first run, or are told what to type instead."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from vistaql.errors import VistaQLError
from vistaql.outcome import Explanation, Exploration, Outcome, Relation
from vistaql.session import Session, connect

FILE = Path(__file__).with_name("first_typed.vql")
EXPECTED = "--: "
SETUP = """\
CREATE IMAGES photos FROM 'photos/';
CREATE TABLE products FROM 'products.csv' KEY (sku) LABEL category;
CREATE TABLE files FROM 'files.csv' KEY (sku);
"""


@pytest.fixture
def shop(place: Path) -> Path:
    """The folder of the reader, with what the statements name besides: other files, sorted photos, a model."""
    with (place / "products.csv").open() as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["day"] = f"2024-01-{number % 28 + 1:02}"
        folder = place / "sorted" / row["category"]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(place / "photos" / f"{row['sku']}.jpg", folder)
    write(place / "products.csv", rows)
    named = [(row["sku"], f"{row['sku']}.jpg") for row in rows]
    write(place / "files.csv", [{"sku": sku, "image_file": file, "path": f"photos/{file}"} for sku, file in named])
    with connect() as session:
        list(session.run(SETUP, {}, place))
        session.sql("SELECT 1")
    parquet(place)
    model(place / "net.keras")
    return place


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def parquet(place: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.csv.read_csv(place / "products.csv"), place / "products.parquet")


def model(path: Path) -> None:
    import keras

    source = keras.Input((32, 32, 3))
    hidden = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(source)
    keras.Model(source, keras.layers.GlobalAveragePooling2D(name="gap")(hidden)).save(path)


def told(outcome: Outcome | None) -> str:
    """What a statement gave, in a line."""
    match outcome:
        case None:
            return "done"
        case Exploration():
            rows = [row for row in outcome.rows if row.layer]
            return f"{len(rows)} layers over the table alone, {outcome.counts.joined} rows, label {outcome.label}"
        case Relation():
            return f"{outcome.table.num_rows} rows of {', '.join(outcome.table.column_names[:4])}"
        case Explanation():
            return re.sub(r" +", " ", outcome.text.split("\n")[0].split("   ")[0])
    return re.sub(r"\d+(\.\d+)? (s|k?B)\b", r"# \2", outcome.lines[0], flags=re.IGNORECASE)


def answer(text: str, session: Session, folder: Path) -> str:
    try:
        found = "; ".join(told(outcome) for _, outcome in session.run(text, {}, folder))
    except VistaQLError as error:
        return error.render().replace(str(folder), "FOLDER")
    return f"runs: {found}".replace(str(folder), "FOLDER")


def blocks() -> list[tuple[str, str, str]]:
    """Number, statement and expected answer of each block."""
    found = []
    for block in FILE.read_text(encoding="utf-8").strip().split("\n\n")[1:]:
        number, *lines = block.split("\n")
        typed = [line for line in lines if not line.startswith(EXPECTED.rstrip())]
        expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED.rstrip())]
        found.append((number.removeprefix("-- "), "\n".join(typed), "\n".join(expected)))
    return found


def test_each_runs_or_gets_its_hint(shop: Path, request: pytest.FixtureRequest) -> None:
    parts = [FILE.read_text(encoding="utf-8").split("\n\n")[0]]
    differing = []
    with connect() as session:
        fresh = session.settings
        for number, typed, expected in blocks():
            session.settings = fresh
            actual = answer(typed, session, shop)
            parts.append(f"-- {number}\n{typed}" + "".join(f"\n{EXPECTED}{line}" for line in actual.split("\n")))
            if actual != expected:
                differing.append((typed, actual, expected))
    if request.config.getoption("--bless"):
        FILE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    else:
        assert not differing, "\n".join(differing[0])


def test_all_forty_are_there_and_have_a_way_on() -> None:
    assert {int(number) for number, _, _ in blocks()} == set(range(1, 41))
    for _, typed, expected in blocks():
        assert expected.startswith("runs: ") or "  hint: " in expected, typed
