"""Names, transactions, and files that are not what they should be."""

import os
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistaql.catalog import codec, database
from vistaql.catalog.catalog import Catalog, Kind, Writer
from vistaql.catalog.results import relations_of, result_table
from vistaql.errors import Code, VistaQLError
from vistaql.outcome import BadImage, Counts, Exploration, PlanSummary, ScoreRow
from vistaql.stores.image_set import (
    FolderSource,
    GlobSource,
    ImageSet,
    KeyKind,
    KeyRule,
    OnError,
    ParquetBytesSource,
    Statistics,
    TableColumnSource,
)
from vistaql.stores.relations import Query, run_select
from vistaql.stores.tables import ColumnInfo, ColumnType, Table, TableFormat

TABLE = Table(
    "Items",
    "/data/items.csv",
    TableFormat.CSV,
    (ColumnInfo("sku", ColumnType.TEXT, "VARCHAR"),),
    ("sku",),
    "sku",
    3,
    40,
    (("delimiter", ";"), ("header", True), ("skip", 1)),
)
SETS = (
    ImageSet("a", FolderSource("/p")),
    ImageSet("b", GlobSource("/p/*.jpg"), KeyRule(KeyKind.REGEX, "(.)"), label_from_folder=True),
    ImageSet("c", TableColumnSource(TABLE, "file", "/p", confined=True), on_error=OnError.FAIL, max_bad=0.5),
    ImageSet(
        "d",
        ParquetBytesSource(TABLE, "image", None, nested=True),
        statistics=Statistics(3, 4, 5.5, (("jpg", 3),), (("hidden", 1),), 0, unique_keys=False),
    ),
)
ROW = ScoreRow("m", "l", "gap", "lr", "accuracy", 0.9, 0.1, (0.8, 1.0), 0.2, 0.1, 0.3, 8, 0.5, "ab", ("also",))
ANSWER = Exploration(
    statement="EXPLORE m ..",
    label="digit",
    metric="accuracy",
    rows=(ROW, replace(ROW, cnn=None, layer=None, pool=None, lift=None, lift_low=None, lift_high=None, digest=None)),
    majority=0.2,
    majority_class="7",
    image_only=ROW,
    columns=("ink",),
    counts=Counts(5, 4, 1, 5, 4, 0, 0, 0, 0),
    classes=5,
    folds=5,
    plan=PlanSummary("eager", forced=False, engine="in process", passes=("p",), estimated_seconds=1.0, peak_bytes=9),
    seconds=2.5,
    bad_images=(BadImage("k", "/p/k.jpg", "broken"),),
)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.open(tmp_path / "home")


def failure(catalog: Catalog | Path) -> VistaQLError:
    with pytest.raises(VistaQLError) as caught:
        Catalog.open(catalog if isinstance(catalog, Path) else catalog.home)
    return caught.value


def test_values_come_back_as_they_were(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(TABLE, "CREATE TABLE ..")
        for images in SETS:
            writer.put_images(images, "CREATE IMAGES ..")
        writer.put_cnn("net", '{"any": "json"}', "REGISTER CNN ..")
        kept = writer.put_result(ANSWER, "photos")
    again = Catalog.open(catalog.home)
    assert again.table("items") == TABLE
    assert again.image_sets() == SETS
    assert again.cnn("NET") == '{"any": "json"}'
    assert again.result("result_1") == again.result("_") == replace(ANSWER, name="result_1", bad_images=())
    assert kept.name == "result_1"


def test_names_ignore_case_and_keep_their_spelling(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(replace(TABLE, name="Straße"), "")
    assert catalog.names(Kind.TABLE) == ("Straße",)
    assert catalog.table("STRASSE") is not None


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.IMAGES, Kind.RESULT])
def test_what_stands_after_from_shares_its_names(catalog: Catalog, kind: Kind) -> None:
    with catalog.transaction() as writer:
        writer.put_table(replace(TABLE, name="x"), "")

    def put(writer: Writer) -> None:
        match kind:
            case Kind.TABLE:
                writer.put_table(replace(TABLE, name="X"), "")
            case Kind.IMAGES:
                writer.put_images(replace(SETS[0], name="X"), "", replacing=True)
            case _:
                writer.put_result(replace(ANSWER, name="X"))

    with pytest.raises(VistaQLError) as caught, catalog.transaction() as writer:
        put(writer)
    assert caught.value.code is Code.NAME_TAKEN


def test_cnns_have_names_of_their_own(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(replace(TABLE, name="x"), "")
        writer.put_cnn("x", "{}", "")
    assert catalog.cnn("x") == "{}"


@pytest.mark.parametrize("name", ["_", "", "  ", "a\x00b"])
def test_names_that_cannot_be(catalog: Catalog, name: str) -> None:
    with pytest.raises(VistaQLError), catalog.transaction() as writer:
        writer.put_table(replace(TABLE, name=name), "")


def test_a_transaction_that_fails_leaves_nothing(catalog: Catalog) -> None:
    def write_and_fail(writer: Writer) -> None:
        writer.put_table(TABLE, "")
        writer.put_result(ANSWER, "photos")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), catalog.transaction() as writer:
        write_and_fail(writer)
    assert catalog.tables() == ()
    assert catalog.results() == ()
    assert catalog.bad_images() == ()


def test_results_are_numbered_and_the_last_is_underscore(catalog: Catalog) -> None:
    for name in (None, "mine", None):
        with catalog.transaction() as writer:
            writer.put_result(replace(ANSWER, name=name))
    assert [answer.name for answer in catalog.results()] == ["result_1", "mine", "result_2"]
    with catalog.transaction() as writer:
        writer.put_result(replace(ANSWER, name="mine", seconds=9.0))
    last = catalog.result("_")
    assert last is not None
    assert (last.name, last.seconds, len(catalog.results())) == ("mine", 9.0, 3)


def test_numbers_of_results_are_not_given_twice(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(replace(TABLE, name="result_2"), "")
        writer.put_result(ANSWER)
        writer.drop(Kind.RESULT, "result_1")
    with catalog.transaction() as writer:
        assert writer.put_result(ANSWER).name == "result_3"


def test_results_are_relations(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_result(ANSWER)
    rows = run_select(Query("SELECT layer, mean, folds[2] AS f FROM _ WHERE layer IS NOT NULL"), relations_of(catalog))
    assert rows.to_pylist() == [{"layer": "l", "mean": 0.9, "f": 1.0}]
    assert result_table(ANSWER).num_rows == 2


def test_bad_images_of_the_last_statement_and_of_a_set(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_result(ANSWER, "photos")
    assert catalog.bad_images() == (("photos", ANSWER.bad_images[0]),)
    with catalog.transaction() as writer:
        writer.put_result(replace(ANSWER, bad_images=()), "others")
    assert catalog.bad_images() == ()
    assert catalog.bad_images("PHOTOS") == (("photos", ANSWER.bad_images[0]),)
    with catalog.transaction() as writer:
        writer.put_bad_images("photos", ())
    assert catalog.bad_images("photos") == ()


def test_an_image_set_sees_its_table_as_it_is_now(catalog: Catalog) -> None:
    newer = replace(TABLE, source="/data/newer.csv")
    with catalog.transaction() as writer:
        writer.put_table(TABLE, "")
        writer.put_images(SETS[2], "")
        writer.put_table(newer, "", replacing=True)
    images = catalog.images("c")
    assert images is not None
    assert isinstance(images.source, TableColumnSource)
    assert images.source.table == newer


def test_opening_and_looking_up_is_quick(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(TABLE, "")
    seconds = []
    for _ in range(9):
        started = time.perf_counter()
        with Catalog.open(catalog.home) as opened:
            opened.table("items")
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[4] < 0.02


# Files that are not what they should be


def test_a_damaged_file_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / database.FILE).write_bytes(b"no database" * 200)
    error = failure(tmp_path)
    assert (error.code, "mv " in (error.hint or "")) == (Code.CATALOG, True)


@pytest.mark.parametrize("keep", range(0, 40_000, 1_111))
def test_a_cut_file_gives_an_error_or_what_was_in_it(tmp_path: Path, keep: int) -> None:
    with Catalog.open(tmp_path) as catalog, catalog.transaction() as writer:
        writer.put_table(TABLE, "x" * 30_000)
    file = tmp_path / database.FILE
    file.write_bytes(file.read_bytes()[:keep])
    try:
        with Catalog.open(tmp_path) as catalog:
            assert catalog.tables() in ((), (TABLE,))
    except VistaQLError as error:
        assert error.code is Code.CATALOG  # noqa: PT017 - both outcomes are right


@settings(deadline=None, max_examples=60)
@given(place=st.integers(100, 60_000), bit=st.integers(0, 7))
def test_a_turned_bit_never_gives_a_foreign_exception(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    home = tmp_path_factory.mktemp("home")
    with Catalog.open(home) as catalog, catalog.transaction() as writer:
        writer.put_table(TABLE, "x" * 9_000)
        writer.put_result(ANSWER, "photos")
    file = home / database.FILE
    data = bytearray(file.read_bytes())
    data[place % len(data)] ^= 1 << bit
    file.write_bytes(data)
    try:
        with Catalog.open(home) as catalog:
            catalog.tables()
            catalog.results()
            catalog.bad_images()
    except VistaQLError:
        pass


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / database.FILE) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    assert "another program" in failure(tmp_path).message


def test_a_file_of_a_newer_version_is_refused(catalog: Catalog) -> None:
    catalog.close()
    with sqlite3.connect(catalog.file) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    assert "newer VistaQL" in failure(catalog).message


def test_an_older_file_is_brought_up_to_date(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    with catalog.transaction() as writer:
        writer.put_table(TABLE, "")
    catalog.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, "CREATE TABLE later (x TEXT) STRICT"))
    with Catalog.open(catalog.home) as newer:
        assert newer.table("items") == TABLE
        assert newer._rows("SELECT count(*) FROM later") == [(0,)]


def test_a_migration_that_fails_changes_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog.close()
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, "CREATE TABLE half (x); CREATE TABLE objects (x)"))
        assert failure(catalog).code is Code.CATALOG
    with Catalog.open(catalog.home) as again:
        assert again._rows("SELECT count(*) FROM sqlite_master WHERE name = 'half'") == [(0,)]


def test_a_damaged_value_names_its_object(catalog: Catalog) -> None:
    with catalog.transaction() as writer:
        writer.put_table(TABLE, "")
        writer._connection.execute("""UPDATE objects SET value = '{"is": "Table", "name": 3}'""")
    with pytest.raises(VistaQLError) as caught:
        catalog.table("items")
    assert (caught.value.code, "'Items'" in caught.value.message) == (Code.CATALOG, True)


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert failure(tmp_path / "file" / "home").code is Code.NOT_WRITABLE
    assert failure(Path("/proc/vistaql")).code is Code.NOT_WRITABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert failure(tmp_path).code is Code.NOT_WRITABLE


def test_a_full_disk_is_said_and_nothing_is_changed(catalog: Catalog) -> None:
    catalog._rows("PRAGMA max_page_count = 20")
    with pytest.raises(VistaQLError) as caught, catalog.transaction() as writer:
        writer.put_table(TABLE, "x" * 1_000_000)
    assert caught.value.code is Code.OUT_OF_SPACE
    assert catalog.tables() == ()


# Values as JSON


def test_unknown_fields_are_passed_over_and_missing_ones_take_defaults() -> None:
    text = '{"is":"ImageSet","name":"a","source":{"is":"FolderSource","folder":"/p"},"later":1}'
    assert codec.from_json(ImageSet, text) == SETS[0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", '{"name":"a"}', '{"name":"a","source":{"is":"Evil","folder":"/p"}}', '{"name":1,"source":null}'],
)
def test_json_that_does_not_fit_is_a_value_error(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        codec.from_json(ImageSet, text)
