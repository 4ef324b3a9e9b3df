"""SELECT over tables, image sets and results: read-only, and with errors that point."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vistaql.errors import Code, VistaQLError
from vistaql.stores import headers
from vistaql.stores.duck import Limits
from vistaql.stores.images import KeyKind, KeyRule, describe_images
from vistaql.stores.relations import Query, Relations, create_table_as, run_select, sweep
from vistaql.stores.tables import describe_arrow, describe_table

REGISTERED = pa.table({"k": [1, 2], "word": ["one", "two"]})
RESULT = pa.table({"layer": ["conv1", None], "mean": [0.9, 0.5]})


@pytest.fixture
def relations(tmp_path: Path) -> Relations:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a", (30, 20)), ("b", (10, 20)), ("c", (5, 5))):
        Image.new("RGB", size).save(folder / f"{name}.png")
    (tmp_path / "items.csv").write_text("sku,price\na,1.5\nb,2\nz,3\n")
    table = describe_table("items", str(tmp_path / "items.csv"), key=("sku",))
    mine = describe_arrow("mine", REGISTERED, key=("k",))
    return Relations(
        (table, mine),
        (describe_images("photos", str(folder)),),
        {"result_1": lambda: RESULT, "_": lambda: RESULT, mine.source: lambda: REGISTERED},
    )


def select(text: str, relations: Relations, **parameters: Any) -> list[tuple[Any, ...]]:
    rows = run_select(Query(text, parameters), relations).to_pylist()
    return [tuple(row.values()) for row in rows]


def failure(text: str, relations: Relations) -> VistaQLError:
    with pytest.raises(VistaQLError) as caught:
        run_select(Query(text), relations)
    return caught.value.in_source(text)


def test_everything_with_a_name_can_be_joined(relations: Relations) -> None:
    text = "SELECT key, price, width FROM photos JOIN items ON sku = key ORDER BY key"
    assert select(text, relations) == [("a", 1.5, 30), ("b", 2.0, 10)]
    assert select("SELECT layer FROM _ WHERE mean > 0.8", relations) == [("conv1",)]
    assert select("WITH r AS (FROM result_1) SELECT count(*) FROM r", relations) == [(2,)]
    assert select("SELECT word FROM mine WHERE k = '2'", relations) == [("two",)]


def test_names_are_found_in_any_case_and_in_quotes(relations: Relations) -> None:
    assert select('SELECT count(*) FROM "ITEMS", Photos', relations) == [(9,)]


def test_summarize(relations: Relations) -> None:
    assert [row[0] for row in select("SUMMARIZE items", relations)] == ["sku", "price"]


def test_headers_are_read_for_the_rows_that_need_them(relations: Relations, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    size_of = headers._size
    monkeypatch.setattr(headers, "_size", lambda image: opened.append(image) or size_of(image))
    assert select("SELECT count(*), sum(bytes) > 0 FROM photos", relations) == [(3, True)]
    assert not opened
    assert select("SELECT width FROM photos WHERE key = 'b'", relations) == [(10,)]
    assert len(opened) == 1


def test_an_image_that_cannot_be_read_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    Image.new("RGB", (30, 20)).save(tmp_path / "fine.png")
    broken = Relations(images=(describe_images("mixed", str(tmp_path)),))
    assert select("SELECT key, width, height FROM mixed ORDER BY key", broken) == [
        ("broken", None, None),
        ("fine", 30, 20),
    ]


@pytest.mark.usefixtures("relations")
def test_images_inside_parquet_have_the_same_columns(tmp_path: Path) -> None:
    photos = sorted((tmp_path / "photos").iterdir())
    data = {"id": [1.0, None, 3.0], "image": [photo.read_bytes() for photo in photos]}
    data["path"] = [f"x/{photo.name}" for photo in photos]
    pq.write_table(pa.table(data), tmp_path / "p.parquet")
    by_name = describe_images("inside", str(tmp_path / "p.parquet"))
    by_column = describe_images("inside", str(tmp_path / "p.parquet"), KeyRule(KeyKind.COLUMN, "id"))
    size = photos[0].stat().st_size
    text = "SELECT key, folder, bytes, width, height FROM inside ORDER BY key LIMIT 1"
    assert select(text, Relations(images=(by_name,))) == [("a", "x", size, 30, 20)]
    assert select("SELECT key FROM inside ORDER BY key", Relations(images=(by_column,))) == [("1",), ("3",)]


def test_parameters_are_bound(relations: Relations) -> None:
    text = "SELECT sku, ':p' FROM items WHERE price::DOUBLE > :p AND sku <> :s -- :c"
    assert select(text, relations, p=1.0, s="'; DROP TABLE items; --") == [("a", ":p"), ("b", ":p"), ("z", ":p")]
    error = failure("SELECT :x", relations)
    assert (error.code, error.span and (error.span.start, error.span.end)) == (Code.MISSING_PARAMETER, (7, 9))


@pytest.mark.usefixtures("relations")
def test_paths_in_a_query_start_at_its_folder(tmp_path: Path) -> None:
    rows = run_select(Query("SELECT count(*) AS n FROM 'items.csv'", folder=str(tmp_path)), Relations())
    assert rows.to_pydict() == {"n": [3]}


@pytest.mark.parametrize(
    ("text", "code", "place", "told"),
    [
        ("SELECT * FROM itemz", Code.UNKNOWN_TABLE, "itemz", "Did you mean items?"),
        ("SELECT 'ü', prize FROM items", Code.UNKNOWN_COLUMN, "prize", "price"),
        ("SELECT (1", Code.SQL, None, ""),
        ("SELEC", Code.SQL, "SELEC", ""),
        ("SELECT 'a'::INT FROM items", Code.SQL, "::INT", ""),
        ("SELECT * FROM read_csv('gopher://x.org/x.csv')", Code.BAD_URL, "gopher://x.org/x.csv", "Those that are read"),
    ],
)
def test_errors_point_into_the_query(relations: Relations, text: str, code: Code, place: str | None, told: str) -> None:
    error = failure(text, relations)
    assert error.code is code
    assert told in (error.hint or "")
    if place is not None:
        assert error.span is not None
        assert text[error.span.start : error.span.end] == place


@pytest.mark.parametrize(
    "text",
    [
        "COPY items TO 'stolen.csv'",
        "CREATE TABLE x AS SELECT 1",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET threads = 1",
        "PRAGMA version",
        "SELECT 1; SELECT 2",
        "EXPORT DATABASE 'x'",
        "WITH a AS (SELECT 1) INSERT INTO items SELECT * FROM a",
        "",
        "-- nothing",
    ],
)
def test_what_does_not_only_read_is_refused(
    relations: Relations, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert failure(text, relations).code is Code.SQL
    assert sorted(tmp_path.rglob("*")) == before


def test_variables_of_python_are_not_tables(relations: Relations) -> None:
    frame = pa.table({"x": [1]})
    assert frame.num_rows == 1
    assert failure("SELECT * FROM frame", relations).code is Code.UNKNOWN_TABLE


def test_a_lost_file_matters_only_to_the_query_that_reads_it(tmp_path: Path, relations: Relations) -> None:
    (tmp_path / "items.csv").unlink()
    assert select("SELECT count(*) FROM photos -- not items", relations) == [(3,)]
    assert failure("SELECT * FROM items", relations).code is Code.UNREADABLE_FILE


def test_too_little_memory_is_said(relations: Relations) -> None:
    query = Query(
        "SELECT count(DISTINCT i) FROM (SELECT hash(range) AS i FROM range(30000000)) WHERE i <> 1 GROUP BY i"
    )
    with pytest.raises(VistaQLError) as caught:
        run_select(query, relations, Limits(threads=1, memory_bytes=8_000_000))
    assert caught.value.code is Code.OUT_OF_SPACE


@pytest.mark.parametrize(
    "work", ["run_select(query, Relations())", "create_table_as('t', query, Relations(), Path('t'))"]
)
def test_ctrl_c_ends_a_long_query_at_once(tmp_path: Path, checkout: Path, work: str) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(checkout)!r})
from vistaql.stores.relations import *
print("running", flush=True)
query = Query("SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3")
try:
    {work}
except KeyboardInterrupt:
    print("interrupted", list(Path("t").glob("*")))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[0] == "interrupted []\n"


def test_create_table_as_writes_one_parquet_file(tmp_path: Path, relations: Relations) -> None:
    folder = tmp_path / "tables"
    query = Query("SELECT sku, sum(price) AS total FROM items WHERE price > :p GROUP BY sku ORDER BY sku", {"p": 1.9})
    table = create_table_as("dear", query, relations, folder, key=("SKU",), label="total")
    assert (table.rows, table.key, table.label) == (2, ("sku",), "total")
    assert table.query == "SELECT sku, sum(price) AS total FROM items WHERE price > 1.9 GROUP BY sku ORDER BY sku"
    assert [str(path) for path in folder.iterdir()] == [table.source]
    assert select("SELECT * FROM dear", Relations((table,))) == [("b", 2.0), ("z", 3.0)]


@pytest.mark.parametrize(
    ("text", "key"),
    [("SELECT nope FROM items", ()), ("SELECT * FROM items", ("nope",)), ("SELECT sku::INT FROM items", ())],
)
def test_a_failed_create_table_as_leaves_nothing(
    tmp_path: Path, relations: Relations, text: str, key: tuple[str, ...]
) -> None:
    folder = tmp_path / "tables"
    with pytest.raises(VistaQLError):
        create_table_as("t", Query(text), relations, folder, key=key)
    assert list(folder.iterdir()) == []


def test_sweep_removes_old_files_without_a_name(tmp_path: Path) -> None:
    for name in ("kept.parquet", "orphan.parquet", ".half.parquet.part", "other.txt"):
        (tmp_path / name).touch()
    now = (tmp_path / "other.txt").stat().st_mtime
    assert sweep(tmp_path, frozenset(), now - 10) == 0
    assert sweep(tmp_path, frozenset([str(tmp_path / "kept.parquet")]), now + 10) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.parquet", "other.txt"]
