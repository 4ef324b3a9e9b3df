"""What became of every image and of every row."""

from __future__ import annotations

import random
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.session.world import COLUMNS, Explore, World, prepared, write_csv
from vistaql.errors import VistaQLError
from vistaql.session import Session

# Keys by what becomes of them.
BAD = 3
WITHOUT_ROW = 6
WITHOUT_LABEL = 2
WITHOUT_IMAGE = 4
REPEATED = 5


@pytest.fixture(scope="module")
def mixed(world: World, session: Session, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Forty images and a table in which every count is another number above zero."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "images").mkdir()
    keys = random.Random(7).sample(world.keys, 40)
    for key in keys:
        shutil.copy(world.path(key), folder / "images")
    for key in keys[:BAD]:
        (folder / "images" / f"{key}.png").write_bytes(b"not a picture")
    rows = [list(row) for row in world.rows if row[0] in keys[:-WITHOUT_ROW]]
    for row in rows:
        if row[0] in keys[BAD : BAD + WITHOUT_LABEL]:
            row[-1] = ""  # type: ignore[call-overload]
    rows += [row for row in rows if row[0] in keys[10 : 10 + REPEATED]]
    rows += [list(row) for row in world.rows if row[0] not in keys][:WITHOUT_IMAGE]
    write_csv(folder / "items.csv", COLUMNS, rows)
    session.sql(f"CREATE IMAGES mixed_images FROM '{folder}/images' WITH (max_bad = 0.1); "
                f"CREATE TABLE mixed_items FROM '{folder}/items.csv' KEY scan_id LABEL digit")  # fmt: skip
    return World(folder, world.rows)


@pytest.mark.usefixtures("mixed")
def test_every_image_and_every_row_is_counted_once(explore: Explore) -> None:
    assert asdict(explore("FROM mixed_images JOIN mixed_items TRAIN lr").counts) == {
        "images": 40,
        "decoded": 40 - BAD - WITHOUT_ROW - WITHOUT_LABEL,
        "bad": BAD,
        "rows": 34 + REPEATED + WITHOUT_IMAGE,
        "joined": 34 - BAD - WITHOUT_LABEL,
        "images_without_row": WITHOUT_ROW,
        "rows_without_image": WITHOUT_IMAGE,
        "duplicates": REPEATED,
        "rows_without_label": WITHOUT_LABEL,
    }


@pytest.mark.usefixtures("mixed")
def test_a_left_join_keeps_images_without_a_row(explore: Explore, world: World, tmp_path: Path) -> None:
    labels = write_csv(tmp_path / "labels.csv", ("scan_id", "digit"), [(row[0], row[-1]) for row in world.rows])
    found = explore(
        f"FROM mixed_images LEFT JOIN mixed_items JOIN '{labels}' AS labels USING (scan_id) TRAIN lr "
        "FEATURES ink PREDICT labels.digit"
    )
    assert found.counts.joined == found.counts.decoded == 40 - BAD
    assert found.counts.images_without_row == WITHOUT_ROW
    assert any(f"{WITHOUT_ROW} in ink" in note for note in found.notes)


@pytest.mark.usefixtures("mixed")
def test_an_inner_join_after_a_left_join_still_drops_images(explore: Explore, world: World, tmp_path: Path) -> None:
    known = sorted(world.keys)[:50]
    path = write_csv(tmp_path / "places.csv", ("scan_id", "place"), [(key, len(key)) for key in known])
    found = explore(f"FROM scans LEFT JOIN measures JOIN '{path}' USING (scan_id) TRAIN lr PREDICT digit")
    assert (found.counts.images, found.counts.images_without_row, found.counts.joined) == (100, 50, 50)
    assert (found.counts.rows, found.counts.rows_without_image) == (100, 0)


def test_where_drops_rows_before_any_image_is_decoded(explore: Explore, world: World) -> None:
    wide = [row for row in world.rows if row[2] >= 5 and row[1] % 2 == 0]
    found = explore("FROM scans JOIN measures WHERE measures.width >= 5 AND ink % 2 = 0 TRAIN lr")
    assert 20 < len(wide) < 80
    assert found.counts.joined == found.counts.decoded == len(wide)
    assert found.counts.images_without_row == 0


def test_columns_of_the_images_can_be_asked_for(explore: Explore, world: World) -> None:
    sizes = {key: world.path(key).stat().st_size for key in world.keys}
    limit = sorted(sizes.values())[50]
    small = sum(size < limit for size in sizes.values())
    assert explore(f"FROM scans JOIN measures WHERE bytes < {limit} TRAIN lr").counts.joined == small
    assert (
        explore("FROM scans JOIN measures WHERE scans.width = 48 AND scans.height = 48 TRAIN lr").counts.joined == 100
    )
    assert explore("FROM scans JOIN measures WHERE scans.key LIKE 'd0%' TRAIN lr").counts.joined == sum(
        key.startswith("d0") for key in world.keys
    )
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN measures WHERE scans.width > 48 TRAIN lr")
    assert failure.value.code.name == "NO_ROWS"


@pytest.mark.parametrize("bytes_column", ["plain", "nested"])
def test_columns_of_images_inside_parquet_can_be_asked_for(
    bytes_column: str, session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    """The same rows and bits as from files, though no header can be read without the image."""
    encoded = [world.path(key).read_bytes() for key in world.keys]
    images = encoded if bytes_column == "plain" else [{"bytes": one, "path": None} for one in encoded]
    kind = pa.binary() if bytes_column == "plain" else pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"id": world.keys, "image": pa.array(images, kind)}), tmp_path / "i.parquet")
    session.sql(f"CREATE IMAGES {bytes_column}_images FROM '{tmp_path}/i.parquet' KEY FROM COLUMN id")
    limit = sorted(map(len, encoded))[50]
    where = f"i.bytes < {limit} AND i.width = 48 AND i.height > 47"
    inside = explore(f"FROM {bytes_column}_images AS i JOIN measures WHERE {where} TRAIN lr")
    outside = explore(f"FROM scans AS i JOIN measures WHERE {where} TRAIN lr")
    assert inside.counts == outside.counts
    assert [row.digest for row in inside.rows] == [row.digest for row in outside.rows]


def test_a_sample_is_the_same_for_every_order_and_lies_inside_a_larger_one(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    shuffled = write_csv(tmp_path / "m.csv", COLUMNS, random.Random(1).sample(world.rows, len(world.rows)))
    session.sql(f"CREATE OR REPLACE TABLE shuffled FROM '{shuffled}' KEY scan_id LABEL digit")

    def sampled(table: str, sample: str) -> set[str]:
        session.sql(f"EXPORT LAYERS fc6 OF strokes FROM scans JOIN {table} {sample} TO '{tmp_path}/s.parquet'")
        return set(pq.read_table(tmp_path / "s.parquet")["key"].to_pylist())

    small = sampled("measures", "SAMPLE 20")
    assert len(small) == 20
    assert sampled("shuffled", "SAMPLE 20") == small
    assert small < sampled("shuffled", "SAMPLE 40")
    assert len(sampled("measures", "SAMPLE 1000")) == 100
    percent = sampled("measures", "SAMPLE 30 PERCENT")
    assert 15 < len(percent) < 45
    assert percent < sampled("shuffled", "TABLESAMPLE (60 PERCENT)")
    assert sampled("measures", "TABLESAMPLE (20 ROWS) REPEATABLE (7)") != small
    assert explore("FROM scans JOIN shuffled SAMPLE 40 TRAIN lr").counts.joined == 40


def test_conflicting_rows_of_a_key_are_settled_by_their_values(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    """One row of each key counts, and which one does not depend on the order of the file."""
    rows = [*world.rows, *((key, 9999, *rest) for key, _, *rest in world.rows[:30])]
    found = []
    for seed in (1, 2):
        path = write_csv(tmp_path / f"{seed}.csv", COLUMNS, random.Random(seed).sample(rows, len(rows)))
        session.sql(f"CREATE OR REPLACE TABLE conflicting FROM '{path}' KEY scan_id LABEL digit")
        found.append(explore("FROM scans JOIN conflicting TRAIN lr"))
    assert [row.folds for row in found[0].rows] == [row.folds for row in found[1].rows]
    assert found[0].counts.duplicates == 30
    assert any("30 rows repeat the key" in note for note in found[0].notes)
    # The smaller ink comes first, so the conflicting rows change nothing.
    assert [row.folds for row in found[0].rows] == [
        row.folds for row in explore("FROM scans JOIN measures TRAIN lr").rows
    ]


def numbered(world: World, folder: Path, names: list[str]) -> None:
    """The first scans under other names."""
    folder.mkdir()
    for key, name in zip(world.keys, names, strict=False):
        shutil.copy(world.path(key), folder / f"{name}.png")


FOREIGN_KEYS = {
    "int32": pa.int32(), "int64": pa.int64(), "double": pa.float64(), "decimal": pa.decimal128(12, 2),
    "text": pa.string(), "dictionary": pa.dictionary(pa.int32(), pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("file", [*FOREIGN_KEYS, "csv", "json"])
@pytest.mark.parametrize("declared", [True, False])
def test_keys_of_any_type_meet_the_names_of_files(
    file: str, *, declared: bool, session: Session, world: World, tmp_path: Path
) -> None:
    """A missing key makes whole numbers fractions in many a program, and '7.0' is the scan called 7 all the same."""
    numbered(world, tmp_path / "images", [str(number) for number in range(60)])
    labels = [world.digit_of(key) for key in world.keys[:60]]
    path = tmp_path / f"t.{file if file in ('csv', 'json') else 'parquet'}"
    if file == "csv":
        write_csv(path, ("id", "digit"), [(f"{number}.0", labels[number]) for number in range(60)] + [("", 5)])
    elif file == "json":
        path.write_text("\n".join(f'{{"id": {number}.0, "digit": {labels[number]}}}' for number in range(60)))
    else:
        texts = pa.array([str(number) for number in range(60)])
        by_number = texts.cast(pa.int64()).cast(pa.decimal128(21, 0) if file == "decimal" else pa.int64())
        keys = {"text": texts, "dictionary": texts.dictionary_encode()}.get(file)
        keys = by_number.cast(FOREIGN_KEYS[file]) if keys is None else keys
        pq.write_table(pa.table({"id": keys, "digit": labels}), path)
    session.sql(f"CREATE OR REPLACE IMAGES numbered FROM '{tmp_path}/images'; "
                f"CREATE OR REPLACE TABLE typed FROM '{path}' {'KEY id' if declared else ''} LABEL digit")  # fmt: skip
    join = "JOIN typed" if declared else "JOIN typed USING (id)"
    found = prepared(session, f"EXPLORE strokes FROM numbered {join} TRAIN lr")
    assert (len(found.learnable.keys), found.joined.counts.images_without_row) == (60, 0)
    assert found.joined.counts.rows_without_image == (file == "csv")
    twice = f"{join} JOIN typed AS again USING (id)"
    found = prepared(session, f"EXPLORE strokes FROM numbered {twice} PREDICT again.digit TRAIN lr")
    assert len(found.learnable.keys) == 60


def test_keys_keep_their_leading_zeros(session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    numbered(world, tmp_path / "images", [f"{number:03}" for number in range(60)])
    labels = [world.digit_of(key) for key in world.keys[:60]]
    path = write_csv(tmp_path / "t.csv", ("id", "digit"), [(f"{n:03}", labels[n]) for n in range(60)])
    session.sql(f"CREATE OR REPLACE IMAGES numbered FROM '{tmp_path}/images'")
    for join in (f"JOIN '{path}' AS t USING (id)", f"JOIN '{path}' AS t ON t.id = key"):
        assert explore(f"FROM numbered {join} PREDICT digit TRAIN lr").counts.joined == 60
    bare = write_csv(tmp_path / "bare.csv", ("id", "digit"), [(n, labels[n]) for n in range(60)])
    with pytest.raises(VistaQLError) as failure:
        explore(f"FROM numbered JOIN '{bare}' AS t USING (id) PREDICT digit WHERE id = '7' TRAIN lr")
    assert failure.value.code.name == "NO_ROWS"


def test_rows_without_a_key_join_nothing(session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    rows = [*world.rows[:50], *((None, *row[1:]) for row in world.rows[50:60])]
    session.sql(f"CREATE OR REPLACE TABLE keyless FROM '{write_csv(tmp_path / 'k.csv', COLUMNS, rows)}' "
                "KEY scan_id LABEL digit")  # fmt: skip
    found = explore("FROM scans JOIN keyless TRAIN lr").counts
    assert (found.rows, found.joined, found.rows_without_image, found.images_without_row) == (60, 50, 10, 50)


def test_several_tables_are_looked_up_one_after_the_other(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    """A table that belongs to a column of the first one, not to the images."""
    paper = [(width, "wide" if width > 5 else "narrow", width * 10) for width in range(2, 9)]
    path = write_csv(tmp_path / "papers.csv", ("width", "paper", "price"), paper)
    session.sql(f"CREATE OR REPLACE TABLE papers FROM '{path}' KEY width")
    found = explore("FROM scans JOIN measures JOIN papers TRAIN lr FEATURES paper, price")
    assert found.counts.joined == 100
    assert found.rows[-1].width == 3
    found = explore("FROM scans JOIN measures JOIN papers WHERE paper = 'wide' TRAIN lr")
    assert found.counts.joined == sum(row[2] > 5 for row in world.rows)
    assert "width" not in found.columns
