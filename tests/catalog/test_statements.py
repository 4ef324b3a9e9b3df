"""CREATE, DROP, SHOW and DESCRIBE: what they tell, and that a failed one changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from vistaql.catalog import statements
from vistaql.catalog.catalog import Catalog, Kind
from vistaql.catalog.listings import (
    describe,
    show_cnns,
    show_create,
    show_errors,
    show_images,
    show_results,
    show_tables,
)
from vistaql.catalog.results import relations_of
from vistaql.catalog.statements import Existing, create_images, create_table, drop
from vistaql.catalog.text import create_images_text, create_table_text
from vistaql.errors import Code, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.parser import parse
from vistaql.models import roster
from vistaql.outcome import BadImage, Relation
from vistaql.stores.image_set import (
    FolderSource,
    ImageSet,
    KeyKind,
    KeyRule,
    OnError,
    ParquetBytesSource,
    TableColumnSource,
)
from vistaql.stores.relations import Query
from vistaql.stores.tables import Table, TableFormat, describe_arrow

REPLACE = Existing(replace=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "photos").mkdir(parents=True)
    for name in ("a", "b", "c"):
        Image.new("RGB", (8, 8)).save(folder / "photos" / f"{name}.png")
    (folder / "photos" / "notes.txt").touch()
    (folder / "items.csv").write_text("sku,price,kind,file\na,1.5,x,a.png\nb,2,y,b.png\nz,3,,c.png\nz,4,x,\n")
    return folder


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.open(tmp_path / "home")


@pytest.fixture
def filled(catalog: Catalog, data: Path) -> Catalog:
    create_table(catalog, "items", str(data / "items.csv"), key=("sku",), label="kind")
    create_images(catalog, "photos", str(data / "photos"))
    return catalog


def rows(relation: Relation) -> list[dict[str, object]]:
    found: list[dict[str, object]] = relation.table.to_pylist()
    return found


def state(catalog: Catalog) -> tuple[object, ...]:
    files = sorted(str(path) for path in (catalog.home / "tables").glob("*"))
    return (*(catalog.entries(kind) for kind in Kind), files)


def test_create_table_tells_what_it_found(catalog: Catalog, data: Path) -> None:
    report = create_table(catalog, "items", str(data / "items.csv"), key=("sku",), label="kind")
    size = (data / "items.csv").stat().st_size
    assert report.lines == (
        f"table items: 4 rows, 4 columns, csv, {size} B",
        "  columns: sku text, price number, kind text, file text",
        "  key sku: 3 different values; 1 rows repeat one",
        "  label kind: 2 different values; 1 rows have none",
    )
    facts = dict(report.facts)
    assert (facts["rows"], facts["key"], facts["matches"]) == (4, ["sku"], [])


def test_create_images_tells_what_it_found_and_what_matches(catalog: Catalog, data: Path) -> None:
    create_table(catalog, "items", str(data / "items.csv"), key=("sku",))
    report = create_images(catalog, "photos", str(data / "photos"))
    assert report.lines[0].startswith("images photos: 3 images, ")
    assert report.lines[1:] == (
        "  key: from STEM",
        "  skipped: 1 without an image ending",
        "  keys: 2 of 3 match table items",
    )
    assert dict(report.facts)["matches"] == [{"with": "table items", "common": 2, "keys": 3}]


def test_keys_that_do_not_match_show_both_sides(filled: Catalog, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("id\nIMG_1\n")
    report = create_table(filled, "other", str(tmp_path / "other.csv"), key=("id",))
    assert report.lines[-1] == "  keys: none of 1 matches images photos ('IMG_1' here, 'a' there)"


def test_lost_files_of_other_objects_do_not_matter(filled: Catalog, data: Path, tmp_path: Path) -> None:
    (data / "items.csv").unlink()
    (tmp_path / "other.csv").write_text("id\na\n")
    report = create_table(filled, "other", str(tmp_path / "other.csv"), key=("id",))
    assert report.lines[-1] == "  keys: 1 of 1 match images photos"


def test_a_table_names_the_files(filled: Catalog, data: Path) -> None:
    report = create_images(filled, "named", "ITEMS", column="FILE", folder=str(data / "photos"))
    assert report.lines[1] == "  key: from COLUMN sku"
    with pytest.raises(VistaQLError) as caught:
        drop(filled, Kind.TABLE, "items")
    assert "DROP IMAGES named;" in (caught.value.hint or "")
    drop(filled, Kind.IMAGES, "named")
    assert drop(filled, Kind.TABLE, "items").lines == ("table items dropped",)


def test_create_table_as_select_is_a_table_for_everyone(filled: Catalog) -> None:
    query = Query("SELECT key AS sku, width FROM photos")
    report = create_table(filled, "sizes", query, key=("sku",), relations=relations_of(filled))
    assert "  keys: 3 of 3 match images photos" in report.lines
    table = filled.table("sizes")
    assert table is not None
    assert (table.format, Path(table.source).parent) == (TableFormat.PARQUET, filled.home / "tables")
    drop(filled, Kind.TABLE, "sizes")
    assert not Path(table.source).exists()


def test_replacing_a_table_made_by_select_leaves_one_file(filled: Catalog) -> None:
    for number in (1, 2):
        query = Query(f"SELECT {number} AS n")
        create_table(filled, "t", query, relations=relations_of(filled), existing=REPLACE)
    query = Query("SELECT n + 1 AS n FROM t")
    create_table(filled, "t", query, relations=relations_of(filled), existing=REPLACE)
    table = filled.table("t")
    assert table is not None
    assert [str(path) for path in (filled.home / "tables").iterdir()] == [table.source]


def test_dropping_never_touches_files_of_the_user(filled: Catalog, data: Path) -> None:
    drop(filled, Kind.TABLE, "items")
    drop(filled, Kind.IMAGES, "photos")
    assert (data / "items.csv").exists()
    assert (data / "photos" / "a.png").exists()


def test_if_exists_and_if_not_exists(filled: Catalog, data: Path) -> None:
    before = state(filled)
    drop(filled, Kind.TABLE, "nothing", if_exists=True)
    create_table(filled, "items", str(data / "no such file"), existing=Existing(keep=True))
    assert state(filled) == before


Failing = Callable[[Catalog, Path], object]
FAILURES: dict[str, tuple[Failing, Code]] = {
    "taken": (lambda catalog, data: create_table(catalog, "ITEMS", str(data / "items.csv")), Code.NAME_TAKEN),
    "taken by images": (
        lambda catalog, data: create_table(catalog, "photos", str(data / "items.csv"), existing=REPLACE),
        Code.NAME_TAKEN,
    ),
    "kept but of another kind": (
        lambda catalog, data: create_images(catalog, "items", str(data / "photos"), existing=Existing(keep=True)),
        Code.NAME_TAKEN,
    ),
    "reserved": (lambda catalog, data: create_table(catalog, "_", str(data / "items.csv")), Code.NAME_TAKEN),
    "no file": (
        lambda catalog, data: create_table(catalog, "items", str(data / "x.csv"), existing=REPLACE),
        Code.FILE_NOT_FOUND,
    ),
    "no key": (
        lambda catalog, data: create_table(catalog, "t", str(data / "items.csv"), key=("id",)),
        Code.UNKNOWN_COLUMN,
    ),
    "no images": (
        lambda catalog, data: create_images(catalog, "photos", str(data / "items.csv"), existing=REPLACE),
        Code.NO_IMAGES,
    ),
    "no folder": (lambda catalog, data: create_images(catalog, "p", str(data / "phots")), Code.FILE_NOT_FOUND),
    "no table": (lambda catalog, _: create_images(catalog, "p", "itemz", column="file"), Code.UNKNOWN_TABLE),
    "no column": (lambda catalog, _: create_images(catalog, "p", "items", column="fil"), Code.UNKNOWN_COLUMN),
    "bad query": (
        lambda catalog, _: create_table(
            catalog, "items", Query("SELECT nope FROM items"), relations=relations_of(catalog), existing=REPLACE
        ),
        Code.UNKNOWN_COLUMN,
    ),
    "no such table": (lambda catalog, _: drop(catalog, Kind.TABLE, "itemz"), Code.UNKNOWN_TABLE),
    "no such images": (lambda catalog, _: drop(catalog, Kind.IMAGES, "items"), Code.UNKNOWN_IMAGES),
    "no such CNN": (lambda catalog, _: drop(catalog, Kind.CNN, "items"), Code.UNKNOWN_CNN),
    "no such result": (lambda catalog, _: drop(catalog, Kind.RESULT, "items"), Code.UNKNOWN_OBJECT),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_statement_changes_nothing(filled: Catalog, data: Path, name: str) -> None:
    (data / "items.csv").write_text("file,sku\nb.txt,b\n" if name == "no images" else (data / "items.csv").read_text())
    if name == "no images":
        (data / "items.csv").write_text("path\n")
    act, code = FAILURES[name]
    before = state(filled)
    with pytest.raises(VistaQLError) as caught:
        act(filled, data)
    assert caught.value.code is code
    assert caught.value.hint
    assert state(filled) == before


def test_a_failure_after_the_file_was_written_removes_it(filled: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(statements, "key_matches", interrupted)
    before = state(filled)
    with pytest.raises(KeyboardInterrupt):
        create_table(filled, "t", Query("SELECT 1 AS x"), relations=relations_of(filled))
    assert state(filled) == before


def test_show_tables_images_and_registered_ones(filled: Catalog) -> None:
    mine = describe_arrow("mine", pa.table({"x": [1]}))
    assert [(row["name"], row["rows"], row["key"]) for row in rows(show_tables(filled, [mine]))] == [
        ("items", 4, "sku"),
        ("mine", 1, None),
    ]
    assert [(row["name"], row["images"]) for row in rows(show_images(filled))] == [("photos", 3)]


def test_empty_listings_say_what_to_type(catalog: Catalog) -> None:
    assert "CREATE TABLE" in show_tables(catalog).notes[0]
    assert "CREATE IMAGES" in show_images(catalog).notes[0]
    assert "EXPLORE" in show_results(catalog).notes[0]
    assert show_errors(catalog).notes == ("No bad images in the last statement.",)


def test_show_cnns_lists_the_roster_and_what_is_registered(catalog: Catalog) -> None:
    known = [cnn for name in roster.names() if (cnn := roster.load(name)) is not None]
    mine = replace(known[0], name=known[1].name.upper())
    with catalog.transaction() as writer:
        writer.put_cnn(mine.name, "json", "REGISTER ..")
    listed = rows(show_cnns(catalog, known, lambda _: mine))
    assert len(listed) == len(known)
    assert [row["name"] for row in listed if row["registered"]] == [mine.name]


def test_show_errors_of_one_set(filled: Catalog) -> None:
    with filled.transaction() as writer:
        writer.put_bad_images("photos", [BadImage("a", "/p/a.png", "truncated")])
    assert rows(show_errors(filled, "Photos")) == [
        {"images": "photos", "key": "a", "path": "/p/a.png", "reason": "truncated"}
    ]
    with pytest.raises(VistaQLError) as caught:
        show_errors(filled, "fotos")
    assert caught.value.code is Code.UNKNOWN_IMAGES


def test_describe(filled: Catalog) -> None:
    roles = {row["column"]: (row["type"], row["role"]) for row in rows(describe(filled, None, "ITEMS"))}
    assert roles == {
        "sku": ("text", "key"),
        "price": ("number", None),
        "kind": ("text", "label"),
        "file": ("text", None),
    }
    assert [row["column"] for row in rows(describe(filled, Kind.IMAGES, "photos"))] == [
        "key", "path", "folder", "bytes", "width", "height",
    ]  # fmt: skip
    with pytest.raises(VistaQLError) as caught:
        describe(filled, None, "photoz")
    assert "Did you mean photos?" in (caught.value.hint or "")


# SHOW CREATE

NAMES = ("t", "my table", 'a"b', "table", "if", "IF", "or", "key", "from", "ü", "1st", "a.b", "images", "as")


@pytest.mark.parametrize("name", NAMES)
def test_show_create_of_tables_parses_to_what_was_asked(name: str) -> None:
    table = Table(
        name, "/it's/x.csv", TableFormat.CSV, (), (name, "k"), name, options=(("delimiter", ";"), ("skip", 1))
    )
    (found,) = parse(create_table_text(table)).statements
    assert isinstance(found, ast.CreateTable)
    assert found.name.text == name
    assert found.source == ast.Literal("/it's/x.csv")
    assert [key.text for key in found.key] == [name, "k"]
    assert found.label == ast.Name(name)
    assert [(option.key[0].text, option.value) for option in found.options] == [
        ("delimiter", ast.Literal(";")),
        ("skip", ast.Literal(1)),
    ]


@pytest.mark.parametrize("query", ["SELECT ';' AS x FROM t", "SELECT 1 -- one;", "SELECT 1 /* ; */"])
def test_show_create_of_a_query_parses(query: str) -> None:
    table = Table("t", "/x.parquet", TableFormat.PARQUET, (), ("k",), query=query)
    (found,) = parse(create_table_text(table)).statements
    assert isinstance(found, ast.CreateTable)
    assert isinstance(found.source, ast.RawSql)
    assert found.source.text.strip().startswith(query.split(" --", maxsplit=1)[0])


@pytest.mark.parametrize("name", NAMES)
def test_show_create_of_images_parses(name: str) -> None:
    table = Table(name, "/x/list.csv", TableFormat.CSV, (), options=(("delimiter", "\t"),))
    sets = (
        ImageSet(name, FolderSource("/it's"), KeyRule(KeyKind.REGEX, r"(\d+)'"), label_from_folder=True),
        ImageSet(name, TableColumnSource(table, name, "/x", confined=True), KeyRule(KeyKind.COLUMN, name)),
        ImageSet(name, TableColumnSource(table, name, "/x", manifest=True), on_error=OnError.FAIL, max_bad=0.5),
        ImageSet(name, ParquetBytesSource(table, name, None), KeyRule(KeyKind.PATH)),
    )
    for images in sets:
        (found,) = parse(create_images_text(images)).statements
        assert isinstance(found, ast.CreateImages)
        assert found.name.text == name
        assert found.key is not None
        assert found.key.kind.value == images.key.kind.value
        assert found.label_from_folder == images.label_from_folder


def test_show_create_is_what_was_kept(filled: Catalog, data: Path) -> None:
    report = show_create(filled, Kind.TABLE, "ITEMS")
    assert report.lines == (f"CREATE TABLE items FROM '{data}/items.csv' FORMAT csv KEY (sku) LABEL kind;",)
    with pytest.raises(VistaQLError) as caught:
        show_create(filled, Kind.TABLE, "photos")
    assert "'photos' is an image set" in caught.value.message
