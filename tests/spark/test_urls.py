"""Images and tables behind URLs on Spark: read by the workers, with the bits that files of this machine have."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import servers
from tests.spark.conftest import Both
from tests.spark.test_equal_bits import said
from vistaql.errors import Code, VistaQLError
from vistaql.stores import remote

QUESTION = (
    "EXPLORE LAYERS conv3, fc5 OF strokes FROM {0} JOIN {1} ON {0}.key = {1}.sku "
    "TRAIN lr EVALUATE accuracy USING HOLDOUT (0.3)"
)
MISSING = 3


@pytest.fixture(scope="module", params=["ftp", pytest.param("s3", marks=pytest.mark.volume)])
def serving(request: pytest.FixtureRequest, both: Both) -> Iterator[servers.Serving]:
    """A server of the folder, that workers find as the driver does."""
    if request.param == "ftp":
        with servers.ftp(both.folder) as found:
            yield found
        return
    pytest.importorskip("s3fs", reason="pip install 'vistaql[test-s3]'")
    pytest.importorskip("moto", reason="pip install 'vistaql[test-s3]'")
    from pyspark.sql import SparkSession

    spark = SparkSession.getActiveSession()
    assert spark is not None
    with pytest.MonkeyPatch.context() as environ, servers.s3(both.folder, "holiday", environ) as found:
        # Java was started before there was a server; workers of a cluster get these by spark.executorEnv.
        keys = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        spark.sparkContext.environment.update(keys)
        yield found
        for name in keys:
            del spark.sparkContext.environment[name]


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """URLs that this process, and no worker, has read."""
    urls: list[str] = []
    read = remote.read
    monkeypatch.setattr(remote, "read", lambda url: urls.append(url) or read(url))
    return urls


def test_files_behind_urls_give_the_bits_of_local_ones(
    both: Both, serving: servers.Serving, read_here: list[str]
) -> None:
    both.sql(f"CREATE OR REPLACE IMAGES far FROM '{serving.url}photos/';"
             f"CREATE OR REPLACE TABLE far_items FROM '{serving.url}items.csv' KEY sku LABEL kind;")  # fmt: skip
    here = both.in_process(QUESTION.format("photos", "items"))
    question = QUESTION.format("far", "far_items")
    read_here.clear()
    there = both.on_spark(question)
    assert said(there) == said(here)
    assert there.counts == here.counts
    assert read_here == []
    again = both.in_process(question)
    assert said(again) == said(here)
    assert len(read_here) == there.counts.decoded


@pytest.mark.volume
def test_images_in_a_parquet_file_behind_a_url(both: Both, serving: servers.Serving) -> None:
    if serving.url.startswith("s3"):
        pytest.skip("the bucket was filled before")
    paths = sorted((both.folder / "photos").iterdir())
    table = pa.table({"sku": [path.stem for path in paths], "image": [path.read_bytes() for path in paths]})
    pq.write_table(table, both.folder / "inside.parquet", row_group_size=15)
    both.sql(f"CREATE OR REPLACE IMAGES inside FROM '{serving.url}inside.parquet' KEY FROM COLUMN sku")
    question = "EXPLORE LAYER fc5 OF strokes FROM {0} JOIN items ON {0}.key = items.sku TRAIN lr"
    assert said(both.on_spark(question.format("inside"))) == said(both.in_process(question.format("photos")))


def test_files_that_are_gone_are_bad_ones_on_both_engines(both: Both, serving: servers.Serving) -> None:
    both.sql(
        f"CREATE OR REPLACE TABLE listed KEY sku AS SELECT sku, kind, CASE WHEN row_number() OVER (ORDER BY sku) <= "
        f"{MISSING} THEN 'gone-' ELSE '' END || sku || '.jpg' AS file FROM items WHERE sku LIKE 'p%';"
        f"CREATE OR REPLACE IMAGES listed_photos FROM listed COLUMN file IN '{serving.url}photos/';"
    )
    join = "listed_photos JOIN listed ON listed_photos.key = listed.sku"
    question = f"EXPLORE LAYER fc5 OF strokes FROM {join} PREDICT kind TRAIN lr WITH (max_bad = 0.2)"
    there, here = both.on_spark(question), both.in_process(question)
    assert said(there) == said(here)
    assert there.counts == here.counts
    assert there.counts.bad == MISSING
    both.sql("DROP IMAGES listed_photos; DROP TABLE listed")


def test_a_server_that_has_stopped_is_one_line(both: Both) -> None:
    with servers.ftp(both.folder) as serving:
        both.sql(f"CREATE OR REPLACE IMAGES stopped FROM '{serving.url}photos/'")
        serving.stop()
        with pytest.raises(VistaQLError) as caught:
            both.on_spark("EXPLORE LAYER fc5 OF strokes FROM stopped JOIN items ON stopped.key = items.sku TRAIN lr")
    both.sql("DROP IMAGES stopped")
    assert caught.value.code is Code.UNREACHABLE
    assert serving.url in caught.value.message
    assert "\n" not in caught.value.message
