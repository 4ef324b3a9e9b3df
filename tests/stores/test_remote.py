"""Tables and images behind URLs: an FTP server and a web server, each on loopback, instead of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests import servers
from vistaql.engines.tensorflow.decode import MAX_FILE_BYTES, Undecodable, fetched
from vistaql.errors import Code, VistaQLError
from vistaql.session import Session, connect
from vistaql.stores.images import describe_images

NUMBERS = range(12)


def fill(folder: Path) -> None:
    """Twelve pictures in two folders; a table of them as CSV and as two files of Parquet; and one that holds them."""
    rows = [
        (f"p {number:02}", 1.5 * number, "ab"[number % 2], f"{'ab'[number % 2]}/p {number:02}.jpg")
        for number in NUMBERS
    ]
    for number, row in zip(NUMBERS, rows, strict=True):
        path = folder / "photos" / row[3]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40 + number, 30), 60).save(path)
    (folder / "photos" / "notes.txt").write_text("no image")
    (folder / "photos" / ".hidden.jpg").write_text("no image")
    (folder / "items.csv").write_text(
        "".join(f"{';'.join(map(str, row))}\n" for row in [("sku", "size", "kind", "file"), *rows])
    )
    (folder / "photos" / "list.csv").write_text("path,id\na/p 00.jpg,x\nb/p 01.jpg,y\nnone.jpg,z\n")
    columns = zip(*rows, strict=True)
    table = pa.table(dict(zip(("sku", "size", "kind", "file"), map(list, columns), strict=True)))
    pq.write_table(table.rename_columns(["sku", "size", "category", "image_file"]), folder / "items.parquet")
    (folder / "parts").mkdir()
    pq.write_table(table.slice(0, 5), folder / "parts" / "one.parquet")
    pq.write_table(table.slice(5), folder / "parts" / "two.parquet")
    encoded = pa.array([(folder / "photos" / row[3]).read_bytes() for row in rows])
    pq.write_table(table.append_column("image", encoded), folder / "inside.parquet", row_group_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("served")
    fill(found)
    return found


@pytest.fixture(scope="module", params=["ftp", "http"])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[servers.Serving]:
    if request.param == "http":
        pytest.importorskip("aiohttp", reason="pip install 'vistaql[remote]'")
    with getattr(servers, request.param)(folder) as serving:
        yield serving


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "home") as opened:
        yield opened


def told(session: Session, text: str) -> VistaQLError:
    with pytest.raises(VistaQLError) as caught:
        session.sql(text)
    return caught.value


def rows(session: Session, query: str) -> str:
    """What a query gives, in one text."""
    return str(session.sql(query).to_arrow().to_pylist())


def answers(session: Session, folder: Path, server: servers.Serving, create: str, query: str) -> list[str]:
    """What a query gives over the files of the folder, and over those of the server, with PLACE for both."""
    found = []
    for place in (f"{folder}/", server.url):
        session.sql(create.replace("'PLACE", f"'{place}"))
        found.append(rows(session, query).replace(place, "PLACE").replace("%20", " "))
    return found


@pytest.mark.parametrize(
    "create",
    [
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos' KEY FROM PATH LABEL FROM FOLDER",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/*/p*0.jpg'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/**/*.jpg' KEY FROM REGEX '(..).jpg'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/list.csv' KEY FROM COLUMN id",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEinside.parquet' KEY FROM COLUMN sku WITH (bytes_column = 'image')",
        (
            "CREATE OR REPLACE TABLE items FROM 'PLACEitems.csv' KEY sku;"
            "CREATE OR REPLACE IMAGES photos FROM items COLUMN file IN 'PLACEphotos'"
        ),
    ],
)
def test_images_behind_a_url_are_those_of_the_folder(
    session: Session, folder: Path, server: servers.Serving, create: str
) -> None:
    here, there = answers(session, folder, server, create, "SELECT * FROM photos ORDER BY key, path")
    assert there == here
    assert "'width': 4" in there
    shown = session.sql("SHOW CREATE IMAGES photos").to_arrow().to_pylist()
    session.sql(f"DROP IMAGES photos; {shown[0]['statement']}")


@pytest.mark.parametrize(
    "source",
    ["'PLACEitems.csv'", "'PLACEparts/one.parquet'", "'PLACEparts/*.parquet'", "'PLACEparts' FORMAT parquet"],
)
def test_tables_behind_a_url_are_those_of_the_folder(
    session: Session, folder: Path, server: servers.Serving, source: str
) -> None:
    if source == "'PLACEparts' FORMAT parquet" and server.url.startswith("http"):
        source = source.replace("parts", "parts/")
    create = f"CREATE OR REPLACE TABLE items FROM {source} KEY sku LABEL kind"
    here, there = answers(session, folder, server, create, "SELECT * FROM items ORDER BY sku")
    assert there == here
    assert "'p 00'" in there


def test_a_query_may_name_a_url(session: Session, folder: Path, server: servers.Serving) -> None:
    query = "SELECT sum(size) AS s FROM 'PLACEparts/*.parquet' WHERE kind = 'a'"
    here, there = (rows(session, query.replace("PLACE", place)) for place in (f"{folder}/", server.url))
    assert there == here


def test_a_file_url_is_a_path(session: Session, folder: Path) -> None:
    session.sql(
        f"CREATE IMAGES photos FROM 'file://{folder}/photos/'; CREATE TABLE items FROM 'FILE://{folder}/items.csv'"
    )
    assert rows(session, "SHOW IMAGES").count(f"'{folder}/photos'") == 1
    assert told(session, "CREATE IMAGES p FROM 'file://host/photos/'").code is Code.BAD_URL


PASSWORD = "pass/word+1"  # noqa: S105


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE IMAGES p FROM 'ftp://ann:{PASSWORD}@127.0.0.1/photos/'",
        f"CREATE TABLE t FROM 's3://AKIA:{PASSWORD}@bucket/t.csv'",
        f"CREATE IMAGES p FROM items COLUMN file IN 'ftp://ann:{PASSWORD}@127.0.0.1:2121/photos/'",
        f"EXPLORE fc6 OF strokes FROM 'ftp://ann:{PASSWORD}@127.0.0.1/photos/' JOIN items TRAIN lr",
        f"SELECT * FROM 'ftp://ann:{PASSWORD}@127.0.0.1/items.csv'",
    ],
)
def test_a_password_in_a_url_is_refused_and_neither_shown_nor_kept(
    session: Session, folder: Path, statement: str
) -> None:
    session.sql(f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind")
    error = told(session, statement.replace("EXPLORE", "EXPLORE LAYER"))
    assert error.code is Code.BAD_URL
    assert "FSSPEC_FTP_PASSWORD" in str(error) or "AWS_SECRET_ACCESS_KEY" in str(error)
    assert PASSWORD not in f"{error} {error.to_json()}"
    assert all(PASSWORD.encode() not in file.read_bytes() for file in session.home.rglob("*") if file.is_file())


def test_only_known_schemes_are_read_and_the_environment_may_allow_fewer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("gopher", "github", "memory", "zip"):
        assert told(session, f"CREATE TABLE t FROM '{scheme}://a/t.csv'").code is Code.BAD_URL
    monkeypatch.setenv("VISTAQL_URLS", "s3, gs")
    for place in ("CREATE TABLE t FROM 'ftp://127.0.0.1/t.csv'", "SELECT * FROM 'ftp://127.0.0.1/t.csv'"):
        error = told(session, place)
        assert (error.code, error.hint) == (Code.BAD_URL, "Those that are read: file, s3, gs.")


def test_a_query_string_may_hold_a_secret(session: Session) -> None:
    error = told(session, "CREATE TABLE t FROM 'https://example.org/t.csv?token=abc'")
    assert (error.code, "abc" in error.message) == (Code.BAD_URL, False)


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_a_package_that_is_missing_is_named(session: Session) -> None:
    error = told(session, "CREATE TABLE t FROM 'gs://bucket/t.csv'")
    assert (error.code, error.hint) == (Code.BAD_URL, "pip install 'vistaql[remote]' gcsfs")


def test_what_is_not_there_is_said_with_what_is(session: Session, server: servers.Serving) -> None:
    error = told(session, f"CREATE IMAGES p FROM '{server.url}photoz/'")
    assert error.code is Code.FILE_NOT_FOUND
    assert f"Did you mean {server.url}photos?" in str(error)
    assert told(session, f"CREATE TABLE t FROM '{server.url}none.csv'").code is Code.FILE_NOT_FOUND
    assert told(session, f"SELECT * FROM '{server.url}none.csv'").code is Code.FILE_NOT_FOUND


def test_a_row_reads_only_below_the_folder_that_a_statement_names(
    session: Session, server: servers.Serving, tmp_path: Path
) -> None:
    names = ["a/p 00.jpg", f"{server.url}photos/b/p 01.jpg", "../inside.jpg", "ftp://other.example/p.jpg", "/p.jpg"]
    (tmp_path / "named.csv").write_text("id,file\n" + "".join(f"{place},{name}\n" for place, name in enumerate(names)))
    session.sql(f"CREATE TABLE named FROM '{tmp_path}/named.csv' KEY id")
    session.sql(f"CREATE IMAGES p FROM named COLUMN file IN '{server.url}photos'")
    assert rows(session, "SELECT key, bytes > 0 AS there FROM p").count("'there': True") == 2
    assert "'images': 2" in rows(session, "SHOW IMAGES")
    error = told(session, "CREATE IMAGES q FROM named COLUMN file")
    assert error.code is Code.BAD_URL
    assert f"COLUMN file IN '{server.url}'" in str(error)


def test_files_are_written_on_this_machine_only(session: Session, folder: Path) -> None:
    session.sql(f"CREATE IMAGES photos FROM '{folder}/photos/'")
    assert told(session, "EXPORT LAYER fc6 OF strokes FROM photos TO 's3://b/f.parquet'").code is Code.BAD_URL


def test_a_large_csv_is_read_in_order_by_several_threads(session: Session, tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text("a,b\n" + "".join(f"{row},{row * 7 % 11}\n" for row in range(1_500_000)))
    with servers.ftp(tmp_path) as serving:
        session.sql(f"CREATE TABLE large FROM '{serving.url}large.csv'")
        found = rows(session, "SELECT count(*) AS n, sum(a)::BIGINT AS s, count(DISTINCT a) AS d FROM large")
    assert found == f"[{{'n': 1500000, 's': {sum(range(1_500_000))}, 'd': 1500000}}]"


@pytest.mark.parametrize("kind", ["ftp", "http"])
def test_an_image_that_is_gone_is_bad_and_a_server_that_is_gone_is_not(tmp_path: Path, kind: str) -> None:
    if kind == "http":
        pytest.importorskip("aiohttp", reason="pip install 'vistaql[remote]'")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with getattr(servers, kind)(tmp_path) as serving:
        assert fetched(f"{serving.url}a.jpg") == (tmp_path / "a.jpg").read_bytes()
        for name, why in (("none.jpg", "there is no such file"), ("large.jpg", "more than the 500000000 allowed")):
            with pytest.raises(Undecodable, match=why):
                fetched(serving.url + name)
        (tmp_path / "a.jpg").unlink()
        with pytest.raises(Undecodable, match="there is no such file"):
            fetched(f"{serving.url}a.jpg")
        serving.stop()
        with pytest.raises(VistaQLError) as caught:
            fetched(f"{serving.url}a.jpg")
        with pytest.raises(VistaQLError) as looked_at:
            describe_images("p", serving.url)
    for error in (caught.value, looked_at.value):
        assert error.code is Code.UNREACHABLE
        assert "Connect" in error.message or "connect" in error.message
        assert str(error).count("\n") == 1
