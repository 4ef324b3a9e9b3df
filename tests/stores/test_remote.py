"""Tables and images behind URLs: an FTP server and a web server, each on loopback, instead of a folder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests import servers
from vistaql.engines.tensorflow.decode import MAX_FILE_BYTES, Undecodable, fetched
from vistaql.errors import Code, VistaQLError
from vistaql.session import Session, connect
from vistaql.stores import remote, urls
from vistaql.stores.files import not_found

KINDS = ("a", "b")


def fill(folder: Path) -> None:
    """Twelve pictures in two folders, a table of them as CSV and Parquet, a manifest, and the pictures in Parquet."""
    rng = random.Random(3)
    rows, encoded = [], []
    for number in range(12):
        path = folder / "photos" / KINDS[number % 2] / f"p {number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40 + number, 30), 60 + rng.random()).save(path)
        rows.append((f"p {number:02}", number * 1.5, "ab"[number % 2], f"{KINDS[number % 2]}/{path.name}"))
        encoded.append(path.read_bytes())
    (folder / "photos" / "notes.txt").write_text("no image")
    (folder / "photos" / ".hidden.jpg").write_text("no image")
    (folder / "items.csv").write_text("sku;size;kind;file\n" + "".join(f"{';'.join(map(str, row))}\n" for row in rows))
    names = ["sku", "size", "kind", "file"]
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    (folder / "parts").mkdir()
    pq.write_table(table.slice(0, 5), folder / "parts" / "one.parquet")
    pq.write_table(table.slice(5), folder / "parts" / "two.parquet")
    pq.write_table(
        table.select(["sku", "file"]).append_column("image", pa.array(encoded)), folder / "inside.parquet", row_group_size=5
    )
    (folder / "photos" / "list.csv").write_text("path,id\na/p 00.jpg,x\nb/p 01.jpg,y\nnone.jpg,z\n../items.csv,w\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("served")
    fill(found)
    return found


@pytest.fixture(scope="module", params=["ftp", "http"])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[servers.Serving]:
    if request.param == "http":
        pytest.importorskip("aiohttp")
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


def rows(session: Session, query: str) -> list[dict[str, object]]:
    return session.sql(query).to_arrow().to_pylist()


def both(session: Session, folder: Path, server: servers.Serving, create: str, query: str) -> list[object]:
    """What a query gives over the files of the folder, and over those of the server, paths apart."""
    answers: list[object] = []
    for place in (f"{folder}/", server.url):
        session.sql(create.replace("PLACE", place))
        answers.append(str(rows(session, query)).replace(place, ""))
    return answers


IMAGES = "SELECT * FROM photos ORDER BY key, path"


@pytest.mark.parametrize(
    "create",
    [
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos' KEY FROM PATH LABEL FROM FOLDER",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/*/p*0.jpg'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/**/*.jpg' KEY FROM REGEX '(..).jpg'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEinside.parquet' KEY FROM COLUMN sku",
        "CREATE OR REPLACE TABLE items FROM 'PLACEitems.csv' KEY sku;"
        "CREATE OR REPLACE IMAGES photos FROM items COLUMN file IN 'PLACEphotos'",
        "CREATE OR REPLACE IMAGES photos FROM 'PLACEphotos/list.csv' KEY FROM COLUMN id",
    ],
)
def test_images_behind_a_url_are_those_of_the_folder(
    session: Session, folder: Path, server: servers.Serving, create: str
) -> None:
    if server.url.startswith("http"):
        # On the web a blank is written so; the server decodes it.
        create = create.replace("p*0.jpg", "p*0.jpg")
    here, there = both(session, folder, server, create, IMAGES)
    assert there.replace("p%20", "p ") == here.replace("'../items.csv'", "'../items.csv'") if "list.csv" not in create else there
    assert "'width': None" not in there or "list.csv" in create


@pytest.mark.parametrize(
    "source",
    ["PLACEitems.csv", "PLACEparts/one.parquet", "PLACEparts/*.parquet", "PLACEparts/' FORMAT parquet --'"],
)
def test_tables_behind_a_url_are_those_of_the_folder(
    session: Session, folder: Path, server: servers.Serving, source: str
) -> None:
    create = f"CREATE OR REPLACE TABLE items FROM '{source}'\nKEY sku LABEL kind"
    here, there = both(session, folder, server, create, "SELECT * FROM items ORDER BY sku")
    assert here == there
    assert "p 00" in str(there)
