"""What a statement gives on Spark besides bits: counts, bad images, several images a key, files, training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.spark.conftest import Both
from vistaql.engines.spark.frames import workers_with
from vistaql.engines.spark.images import BYTES, inside_parquet, row_groups
from vistaql.engines.spark.jobs import jobs
from vistaql.errors import Code, VistaQLError
from vistaql.outcome import Report
from vistaql.stores.image_set import ParquetBytesSource

HOLDOUT = "TRAIN lr EVALUATE accuracy USING HOLDOUT (0.3)"


@pytest.fixture(scope="module")
def spoilt(both: Both) -> Iterator[str]:
    """The pictures with three that are none: two of a key with good ones, and the only one of a key."""
    folder = both.folder / "spoilt"
    for path in sorted((both.folder / "photos").iterdir()):
        for copy in ("a", "b"):
            (folder / copy).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / copy / path.name)
    for name in ("a/p010.jpg", "b/p020.jpg", "a/p030.jpg", "b/p030.jpg"):
        (folder / name).write_bytes(b"no image")
    both.sql(f"CREATE OR REPLACE IMAGES spoilt FROM '{folder}' KEY FROM REGEX '(p[0-9]+)' WITH (max_bad = 0.2)")
    return "spoilt"


@pytest.mark.volume
def test_bad_images_are_counted_and_several_images_of_a_key_become_one_vector(both: Both, spoilt: str) -> None:
    """The mean of the good images of each key, the keys without a good image left out, all as in process."""
    text = f"EXPLORE LAYERS conv3 OF strokes FROM {spoilt} JOIN items ON spoilt.key = items.sku PER KEY mean {HOLDOUT}"
    here, there = both.in_process(text), both.on_spark(text, partitions=3)
    assert there.counts == here.counts
    assert there.counts.bad == 4
    assert there.bad_images == here.bad_images
    assert [row.digest for row in there.rows] == [row.digest for row in here.rows]
    assert [row.folds for row in there.rows] == [row.folds for row in here.rows]


def test_a_bad_image_can_be_an_error(both: Both, spoilt: str) -> None:
    text = f"EXPLORE LAYERS conv3 OF strokes FROM {spoilt} JOIN items ON spoilt.key = items.sku PER KEY mean {HOLDOUT}"
    with pytest.raises(VistaQLError) as caught:
        both.on_spark(text, on_error="fail")
    assert caught.value.code is Code.BAD_IMAGE
    assert "a/p010.jpg" in caught.value.message


@pytest.mark.volume
def test_images_inside_parquet_files_are_read_by_the_workers(both: Both) -> None:
    """Two files of several row groups."""
    paths = sorted((both.folder / "photos").iterdir())
    (both.folder / "packed").mkdir()
    for name, part in (("1", paths[:25]), ("2", paths[25:])):
        table = pa.table({"sku": [path.stem for path in part], "image": [path.read_bytes() for path in part]})
        pq.write_table(table, both.folder / "packed" / f"{name}.parquet", row_group_size=10)
    both.sql(f"CREATE IMAGES packed FROM '{both.folder}/packed/*.parquet' KEY FROM COLUMN sku")
    plain = both.in_process(f"EXPLORE LAYERS fc5 OF strokes FROM photos JOIN items ON photos.key = items.sku {HOLDOUT}")
    for join in ("broadcast", "shuffle"):
        text = f"EXPLORE LAYERS fc5 OF strokes FROM packed JOIN items ON packed.key = items.sku {HOLDOUT}"
        # Where the join comes after inference, images without a row are decoded too.
        packed = both.on_spark(text, join=join, placement="before")
        assert [row.digest for row in packed.rows] == [row.digest for row in plain.rows]
        assert packed.counts == plain.counts


@pytest.mark.volume
def test_features_are_written_by_the_workers(both: Both) -> None:
    """A folder of files, with the numbers and names of the one file in process."""
    text = "EXPORT LAYERS conv3, fc5 OF strokes FROM photos JOIN items ON photos.key = items.sku TO '{}'"
    one, many = both.folder / "one.parquet", both.folder / "many.parquet"
    here, there = both.here.sql(text.format(one)).outcome, both.spark.sql(text.format(many)).outcome
    assert isinstance(here, Report)
    assert isinstance(there, Report)
    assert dict(there.facts)["rows"] == dict(here.facts)["rows"] == 34
    expected, found = pq.read_table(one).sort_by("key"), pq.read_table(many).sort_by("key")
    assert found.to_pydict() == expected.to_pydict()
    assert not list(both.folder.glob("*.part"))


@pytest.mark.volume
def test_training_on_the_cluster_says_what_training_here_says(both: Both) -> None:
    """Features, folds and counts are equal, and no fold's accuracy differs by more than one row."""
    text = "EXPLORE LAYERS fc5 OF strokes FROM photos JOIN items ON photos.key = items.sku TRAIN lr (reg = 0.05)"
    text += " EVALUATE accuracy, log_loss USING CROSS VALIDATION (2)"
    here = both.in_process(text)
    there = both.on_spark(text, training="cluster", join="shuffle", placement="before")
    assert [(row.layer, row.width, row.digest) for row in there.rows] == [
        (row.layer, row.width, row.digest) for row in here.rows
    ]
    assert there.counts == here.counts
    for mine, theirs in zip(here.rows, there.rows, strict=True):
        allowed = 1 / (here.counts.joined // 2) + 1e-9 if mine.metric == "accuracy" else 1e-3
        assert theirs.folds == pytest.approx(mine.folds, abs=allowed)


@pytest.mark.volume
def test_work_of_a_statement_is_forgotten_by_the_cluster(both: Both) -> None:
    """Nothing stays in memory or on disk when the answer is there."""
    both.on_spark(
        f"EXPLORE LAYERS conv3, fc5 OF strokes FROM photos JOIN items ON photos.key = items.sku {HOLDOUT}",
        plan="staged", partitions=1,
    )  # fmt: skip
    spark = both.spark.spark
    assert spark is not None
    assert spark.sparkContext._jsc.getPersistentRDDs().size() == 0
    assert spark.conf.get("spark.sql.adaptive.enabled") == "true"


@pytest.mark.volume
def test_a_worker_keeps_its_graph_for_the_next_task_and_statement(both: Both) -> None:
    """The second statement, of four tasks, builds no graph."""
    text = f"EXPLORE LAYERS conv2 OF strokes FROM photos JOIN items ON photos.key = items.sku {HOLDOUT}"
    both.on_spark(text, partitions=4, plan="eager")
    before = graphs(both)
    both.on_spark(text, partitions=4, plan="eager")
    assert graphs(both) == before
    assert all(before.values())


def test_a_file_that_a_worker_cannot_read_is_named(both: Both) -> None:
    """It was whole when its row groups were listed."""
    folder = both.folder / "damaged"
    folder.mkdir()
    paths = sorted((both.folder / "photos").iterdir())
    table = pa.table({"sku": [path.stem for path in paths], "image": [path.read_bytes() for path in paths]})
    pq.write_table(table, folder / "1.parquet")
    both.sql(f"CREATE IMAGES damaged FROM '{folder}/*.parquet' KEY FROM COLUMN sku")
    images = both.here.catalog.images("damaged")
    assert images is not None
    assert isinstance(images.source, ParquetBytesSource)
    assert both.spark.spark is not None
    frame = both.spark.spark.createDataFrame(row_groups(images.source))
    (folder / "1.parquet").write_bytes(b"PAR1")
    with pytest.raises(VistaQLError) as caught, jobs(both.spark.spark, "damaged", "images"):
        frame.mapInArrow(inside_parquet(images, images.source), BYTES).count()
    assert caught.value.code is Code.UNREADABLE_FILE
    assert f"'{folder}/1.parquet' cannot be read" in caught.value.message


def graphs(both: Both) -> dict[int, list[int]]:
    """For each worker the graphs that it has."""
    assert both.spark.spark is not None
    with workers_with(both.spark.spark, threads=1):
        frame = both.spark.spark.range(4).repartition(4)
        found = frame.mapInArrow(known_graphs, "worker bigint, graphs array<bigint>").collect()
    return {row.worker: row.graphs for row in found}


def known_graphs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What this worker knows of graphs."""
    import os
    import time

    from vistaql.engines.tensorflow.graph import KEPT

    # Long enough that no worker takes the tasks of another.
    time.sleep(0.5)
    for _ in batches:
        yield pa.record_batch({"worker": [os.getpid()], "graphs": [sorted(id(graph) for graph in KEPT.values())]})
