"""Tables in files: formats, types, keys, and what is wrong with odd ones."""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.stores import tables
from vistaql.stores.duck import connected
from vistaql.stores.tables import ColumnType, Table, TableFormat, describe_arrow, describe_table, scan_sql

ITEMS = "sku,price,when,kids,note\n007,1.5,2024-01-31,true,a\n008,2,2024-02-01,false,\n"


def rows(table: Table, *text: str) -> list[tuple[Any, ...]]:
    with connected() as connection:
        return connection.execute(f"SELECT * FROM {scan_sql(table, frozenset(text))}").fetchall()


def failure(*args: Any, **options: Any) -> VistaQLError:
    with pytest.raises(VistaQLError) as caught:
        describe_table(*args, **options)
    return caught.value


@pytest.fixture
def items(tmp_path: Path) -> str:
    path = tmp_path / "items.csv"
    path.write_text(ITEMS)
    return str(path)


def test_csv_tells_columns_rows_bytes_key_and_label(items: str) -> None:
    table = describe_table("items", items, key=("SKU",), label="Note")
    assert [(column.name, column.type) for column in table.columns] == [
        ("sku", ColumnType.TEXT),
        ("price", ColumnType.NUMBER),
        ("when", ColumnType.TIME),
        ("kids", ColumnType.BOOLEAN),
        ("note", ColumnType.TEXT),
    ]
    assert (table.rows, table.bytes, table.key, table.label) == (2, len(ITEMS), ("sku",), "note")


def test_a_key_keeps_its_zeros(items: str) -> None:
    assert rows(describe_table("items", items, key=("sku",)))[0][0] == "007"


def test_a_column_of_numbers_is_read_as_text_where_it_is_a_key(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("n\n7\n8\n")
    assert rows(describe_table("n", str(path))) == [(7,), (8,)]
    assert rows(describe_table("n", str(path)), "N") == [("7",), ("8",)]
    assert rows(describe_table("n", str(path), key=("n",))) == [("7",), ("8",)]


def test_the_type_of_a_column_is_decided_by_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("n\n" + "1\n" * 30_000 + "many\n")
    table = describe_table("late", str(path))
    assert table.columns[0].type is ColumnType.TEXT
    assert rows(table)[-1] == ("many",)


def test_a_late_row_of_a_large_file_widens_the_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "WHOLE_FILE_DECIDES", 1000)
    path = tmp_path / "late.csv"
    path.write_text("n;m\n" + "1;2\n" * 50_000 + "many;2\n")
    table = describe_table("late", str(path))
    assert [column.type for column in table.columns] == [ColumnType.TEXT, ColumnType.INTEGER]
    assert rows(table)[-1] == ("many", 2)


def test_dates_are_read_as_the_whole_file_has_them(tmp_path: Path) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("d\n" + "01/02/2024\n" * 30_000 + "13/02/2024\n")
    table = describe_table("dates", str(path))
    assert {row[0].isoformat() for row in rows(table)} == {"2024-02-01", "2024-02-13"}


def test_a_delimiter_found_once_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a|b\n"x|""y"|2\n')
    table = describe_table("t", str(path))
    assert ("delim", "|") in table.dialect
    assert rows(table) == [('x|"y', 2)]


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst", "tsv", "txt"])
def test_csv_under_other_endings(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"items.{ending}"
    if ending == "csv.gz":
        path.write_bytes(gzip.compress(ITEMS.encode()))
    elif ending == "csv.zst":
        path.write_bytes(pa.compress(ITEMS.encode(), "zstd", asbytes=True))
    else:
        path.write_text(ITEMS)
    table = describe_table("items", str(path), key=("sku",))
    assert (table.format, table.rows, rows(table)[1][0]) == (TableFormat.CSV, 2, "008")


def test_json_in_lines_and_in_an_array_keeps_keys_of_mixed_types_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"sku": "007", "n": 1}, {"sku": 8, "n": 2.5}]')
    (tmp_path / "b.jsonl").write_text('{"sku": 12, "n": 1}\n{"sku": "9", "n": null}\n')
    assert rows(describe_table("a", str(tmp_path / "a.json"), key=("sku",))) == [("007", 1.0), ("8", 2.5)]
    assert rows(describe_table("b", str(tmp_path / "b.jsonl"), key=("sku",))) == [("12", 1), ("9", None)]


def test_parquet_keys_are_text_without_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"k": [7.0, None, 8.5], "i": [1, 2, 3]}), path)
    table = describe_table("p", str(path), key=("k",))
    assert table.columns[0].type is ColumnType.TEXT
    assert rows(table, "i") == [("7", "1"), (None, "2"), ("8.5", "3")]


def test_a_pattern_and_a_folder_read_several_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pq.write_table(pa.table({"x": [name]}), tmp_path / f"part-{name}.parquet")
    (tmp_path / "_SUCCESS").touch()
    for source in (f"{tmp_path}/part-*.parquet", str(tmp_path)):
        table = describe_table("parts", source)
        assert sorted(rows(table)) == [("a",), ("b",)]
        assert table.rows == 2


def test_a_name_with_pattern_characters_is_the_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("a\nwrong\n")
    (tmp_path / "p[1].csv").write_text("a\nright\n")
    assert rows(describe_table("p", str(tmp_path / "p[1].csv"))) == [("right",)]


def test_options_reach_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "german.csv"
    path.write_bytes("größe;preis\nklein;1,5\n".encode("latin-1"))
    options = (("delimiter", ";"), ("decimal", ","), ("encoding", "latin-1"))
    assert rows(describe_table("german", str(path), options=options)) == [("klein", 1.5)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n3\n", "Expected Number of Columns: 2 Found: 1"),
        ("a,b\n1,2\n3,4,5\n", "Expected Number of Columns: 2 Found: 3"),
        ("", "is empty"),
    ],
)
def test_odd_csv_is_refused_with_the_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    error = failure("odd", str(path))
    assert (error.code, told in error.message) == (Code.UNREADABLE_FILE, True)


def test_bytes_that_are_not_utf8_get_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(b"\xe4,b\n1,2\n")
    assert "encoding = 'latin-1'" in (failure("odd", str(path)).hint or "")


def test_header_only_is_a_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n")
    table = describe_table("t", str(path))
    assert (table.rows, len(table.columns)) == (0, 2)


def test_what_is_not_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1 and nothing else that would be a Parquet file")
    assert failure("p", str(path)).code is Code.UNREADABLE_FILE


def test_a_missing_file_names_the_nearest(items: str) -> None:
    error = failure("t", items.replace("items", "itemz"))
    assert error.code is Code.FILE_NOT_FOUND
    assert f"Did you mean {items}?" in (error.hint or "")


def test_a_missing_folder_says_how_far_the_path_leads(tmp_path: Path) -> None:
    (tmp_path / "items.csv").touch()
    error = failure("t", str(tmp_path / "no" / "such" / "items.csv"))
    assert f"{tmp_path} holds: items.csv" in (error.hint or "")


def test_a_pattern_without_files_is_not_found(tmp_path: Path) -> None:
    assert failure("t", f"{tmp_path}/*.csv").code is Code.FILE_NOT_FOUND


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"key": ("skew",)}, Code.UNKNOWN_COLUMN),
        ({"label": "notes"}, Code.UNKNOWN_COLUMN),
        ({"options": (("delimitr", ";"),)}, Code.UNKNOWN_OPTION),
        ({"options": (("skip", "two"),)}, Code.BAD_OPTION_VALUE),
        ({"options": (("skip", True),)}, Code.BAD_OPTION_VALUE),
        ({"format_word": "xls"}, Code.UNKNOWN_OBJECT),
        ({"format_word": "parquet"}, Code.UNREADABLE_FILE),
    ],
)
def test_clauses_that_do_not_fit(items: str, options: Any, code: Code) -> None:
    assert failure("items", items, **options).code is code


def test_a_secret_is_refused_and_not_shown(items: str) -> None:
    error = failure("items", items, options=(("password", "hunter2"),))
    assert "hunter2" not in error.render()


@pytest.mark.parametrize("name", ["t.zip", "t.xlsx", "t.csv.bz2", "t"])
def test_other_endings_get_the_way_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a\n1\n")
    assert failure("t", str(tmp_path / name)).hint


def test_an_address_of_another_scheme_is_refused() -> None:
    assert failure("t", "gopher://example.org/t.csv").code is Code.BAD_URL


def test_csv_options_are_refused_for_other_formats(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "p.parquet")
    error = failure("p", str(tmp_path / "p.parquet"), options=(("delimiter", ";"),))
    assert error.code is Code.UNKNOWN_OPTION


def test_data_of_the_session_is_a_table_too() -> None:
    table = describe_arrow("mem", pa.table({"k": [1, 2], "tags": [["a"], []]}), key=("k",))
    assert [column.type for column in table.columns] == [ColumnType.TEXT, ColumnType.OTHER]
    with connected() as connection:
        connection.register(table.source, pa.table({"k": [1, 2], "tags": [["a"], []]}))
        assert connection.execute(f"SELECT k FROM {scan_sql(table)}").fetchall() == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("1::TINYINT", ColumnType.INTEGER),
        ("1::UINTEGER", ColumnType.INTEGER),
        ("1::DECIMAL(9,2)", ColumnType.NUMBER),
        ("1::FLOAT", ColumnType.NUMBER),
        ("'x'::BLOB", ColumnType.BYTES),
        ("DATE '2020-01-01'", ColumnType.TIME),
        ("now()", ColumnType.TIME),
        ("{'a': 1}", ColumnType.OTHER),
        ("uuid()", ColumnType.TEXT),
        ("'a'::ENUM('a', 'b')", ColumnType.TEXT),
    ],
)
def test_kinds_of_columns(tmp_path: Path, expression: str, kind: ColumnType) -> None:
    path = str(tmp_path / "t.parquet")
    duckdb.sql(f"SELECT {expression} AS x").write_parquet(path)
    assert describe_table("t", path).columns[0].type is kind


def test_two_thousand_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"c{place}" for place in range(2_000)]
    path.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    assert len(describe_table("wide", str(path)).columns) == 2_000
