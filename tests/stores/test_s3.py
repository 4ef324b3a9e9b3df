"""Tables and images in a bucket of S3, served by moto on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.stores.test_remote import answers, fill, rows, told
from vistaql.errors import Code
from vistaql.session import Session, connect

pytest.importorskip("s3fs", reason="pip install 'vistaql[test-s3]'")
pytest.importorskip("moto", reason="pip install 'vistaql[test-s3]'")

SECRET = "very/secret+key"  # noqa: S105


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("bucket")
    fill(found)
    (found / "odd").mkdir()
    (found / "odd" / "a#1 b.jpg").write_bytes((found / "photos" / "a" / "p 00.jpg").read_bytes())
    (found / "odd" / "empty.jpg").write_bytes(b"")
    return found


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[servers.Serving]:
    with pytest.MonkeyPatch.context() as environ, servers.s3(folder, "holiday", environ) as serving:
        yield serving


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "home") as opened:
        yield opened


@pytest.mark.parametrize(
    "create",
    [
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos' KEY FROM PATH LABEL FROM FOLDER",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/**/*.jpg'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEodd/'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEinside.parquet' KEY FROM COLUMN sku",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/list.csv' KEY FROM COLUMN id",
    ],
)
def test_images_in_a_bucket_are_those_of_the_folder(
    session: Session, folder: Path, bucket: servers.Serving, create: str
) -> None:
    here, there = answers(session, folder, bucket, create, "SELECT * FROM photos ORDER BY key, path")
    assert there == here
    assert "'width': 4" in there


@pytest.mark.parametrize("source", ["'PLACEitems.csv'", "'PLACEparts/*.parquet'", "'PLACEparts' FORMAT parquet"])
def test_tables_in_a_bucket_are_those_of_the_folder(
    session: Session, folder: Path, bucket: servers.Serving, source: str
) -> None:
    create = f"CREATE OR REPLACE TABLE items FROM {source} KEY sku LABEL kind"
    here, there = answers(session, folder, bucket, create, "SELECT * FROM items ORDER BY sku")
    assert there == here


@pytest.mark.usefixtures("bucket")
def test_the_page_about_urls_can_be_typed(session: Session, checkout: Path) -> None:
    page = (checkout / "docs" / "howto" / "remote-files.md").read_text(encoding="utf-8")
    answer = session.sql(page.split("```sql\n")[1].split("```")[0])
    assert answer.to_arrow().to_pylist() == [{"count_star()": 12}]
    assert rows(session, "SHOW IMAGES").count("'images': 12") == 2


def test_the_scheme_of_hadoop_is_the_same(session: Session, bucket: servers.Serving) -> None:
    hadoop = bucket.url.replace("s3:", "s3a:")
    session.sql(f"CREATE IMAGES photos FROM '{hadoop}photos/'; CREATE TABLE items FROM '{hadoop}items.csv' KEY sku")
    assert "s3a://holiday/photos/a/p 00.jpg" in rows(session, "SELECT path FROM photos")


def test_keys_of_s3_stay_in_the_environment(session: Session, bucket: servers.Serving) -> None:
    session.sql(f"CREATE IMAGES photos FROM '{bucket.url}photos/'; CREATE TABLE items FROM '{bucket.url}items.csv'")
    assert all(SECRET.encode() not in file.read_bytes() for file in session.home.rglob("*") if file.is_file())
    error = told(session, "CREATE IMAGES p FROM 's3://nowhere/photos/'")
    assert error.code is Code.FILE_NOT_FOUND
    assert SECRET not in str(error)


def test_names_that_lead_out_are_passed_over(session: Session, bucket: servers.Serving) -> None:
    import boto3

    client = boto3.client("s3")
    for key in ("photos/../out.jpg", "photos//twice.jpg"):
        client.put_object(Bucket="holiday", Key=key, Body=b"x")
    try:
        lines = str(session.sql(f"CREATE IMAGES photos FROM '{bucket.url}photos/'"))
    finally:
        for key in ("photos/../out.jpg", "photos//twice.jpg"):
            client.delete_object(Bucket="holiday", Key=key)
        client.close()
    assert "12 images" in lines
    assert "2 leading out of the folder" in lines


def test_a_server_that_is_gone_is_one_line(session: Session, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as environ, servers.s3(folder, "short", environ) as serving:
        session.sql(f"CREATE IMAGES photos FROM '{serving.url}photos/'")
        serving.stop()
        error = told(session, "SELECT count(*) FROM photos")
    assert error.code is Code.UNREACHABLE
    assert SECRET not in str(error)
