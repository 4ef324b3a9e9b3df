"""Executors that are processes of their own: Spark's local cluster, and a master with two workers on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyspark
import pytest

import vistaql
from tests.spark.conftest import Pictures, unmet
from vistaql.engines.spark.java import find_java, java_home
from vistaql.engines.spark.worker import with_all_weights
from vistaql.models.stored import from_json
from vistaql.models.union import union_of

LOCAL_CLUSTER = "local-cluster[2,1,2048]"
REST = "FROM photos JOIN items ON photos.key = items.sku TRAIN lr EVALUATE accuracy USING HOLDOUT (0.3)"
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
PATIENCE = 60


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a master with two workers of one core; all are ended with the tests."""
    folder = tmp_path_factory.mktemp("standalone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://localhost:{port}"
    environment = os.environ | {
        "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost",
        "JAVA_HOME": str(java_home(find_java(), folder)),
        "PYTHONPATH": str(Path(vistaql.__file__).parents[1]),
    }  # fmt: skip
    worker = ["org.apache.spark.deploy.worker.Worker", "--host", "localhost", "--webui-port", "0", "--cores", "1",
              "--memory", "6g"]  # fmt: skip
    commands = [
        ["org.apache.spark.deploy.master.Master", "--host", "localhost", "--port", str(port), "--webui-port", "0"],
        *([*worker, "--work-dir", str(folder / name), url] for name in ("one", "two")),
    ]
    started = []
    try:
        for number, command in enumerate(commands):
            with (folder / f"{number}.log").open("wb") as log:
                started.append(
                    subprocess.Popen([SPARK_CLASS, *command], env=environment, stdout=log, stderr=subprocess.STDOUT)
                )
            wait_for(folder / f"{number}.log", "ALIVE" if number == 0 else "Successfully registered")
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(PATIENCE)


def wait_for(log: Path, words: str) -> None:
    """Wait until a log says something."""
    end = time.monotonic() + PATIENCE
    while words not in log.read_text(errors="replace"):
        assert time.monotonic() < end, log.read_text(errors="replace")[-2000:]
        time.sleep(0.2)


def run(pictures: Pictures, master: str, text: str, **settings: object) -> list[dict[str, object]]:
    """The rows of an EXPLORE that another process runs on a cluster."""
    given = {"engine": "spark", "spark.master": master, "training": "driver", "threads": 1} | settings
    options = [part for name, value in given.items() for part in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "vistaql", "--home", str(pictures.folder / "home"), *options, "--format", "json",
               "-c", text]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(Path(vistaql.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])["rows"]
    return rows


ROWS = [
    # cnn, where, plan, partitions, join, persistence: every value of a column meets every value of every other
    ("resnet20", "standalone", "staged", 3, "shuffle", "serialized"),
    ("resnet20", "local cluster", "eager", 1, "broadcast", "deserialized"),
    ("resnet20", "local cluster", "staged", 8, "shuffle", "disk"),
    ("squeezenet", "local cluster", "eager", 1, "shuffle", "serialized"),
    ("squeezenet", "local cluster", "eager", 3, "broadcast", "disk"),
    ("squeezenet", "standalone", "staged", 8, "shuffle", "deserialized"),
    ("mobilenet", "standalone", "staged", 1, "broadcast", "disk"),
    ("mobilenet", "local cluster", "staged", 3, "shuffle", "deserialized"),
    ("mobilenet", "standalone", "eager", 8, "broadcast", "serialized"),
]
QUICK = ROWS[:1]


def test_every_two_values_of_two_columns_meet() -> None:
    assert not unmet(ROWS)


@pytest.mark.parametrize(
    ("cnn", "where", "choices"),
    [pytest.param(*row[:2], row[2:], marks=[] if row in QUICK else [pytest.mark.volume]) for row in ROWS],
)
def test_executors_give_the_bits_that_this_process_gives(
    cnn: str, where: str, choices: tuple[object, ...], pictures: Pictures, layers: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """Weights travel by file; what each executor computes is shuffled and held."""
    master = LOCAL_CLUSTER if where == "local cluster" else request.getfixturevalue("standalone")
    text = f"EXPLORE {layers(cnn)} {REST}"
    expected = pictures.in_process(text)
    names = ("plan", "partitions", "join", "persistence")
    found = run(pictures, master, text, **dict(zip(names, choices, strict=True)))
    assert [row["digest"] for row in found] == [row.digest for row in expected.rows]
    assert [row["folds"] for row in found] == [list(row.folds) for row in expected.rows]


@pytest.mark.volume
def test_the_files_of_cnns_that_begin_alike_travel_to_the_executors(pictures: Pictures, siblings: str) -> None:
    """One pass builds both CNNs there, from files that Spark has brought."""
    text = f"EXPLORE {siblings} {REST}"
    expected = pictures.in_process(text)
    found = run(pictures, LOCAL_CLUSTER, text, plan="eager", partitions=3)
    assert [row["digest"] for row in found] == [row.digest for row in expected.rows]
    assert [row["folds"] for row in found] == [list(row.folds) for row in expected.rows]


def test_each_cnn_of_a_union_is_read_from_the_file_that_came(
    pictures: Pictures, siblings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert siblings
    birds, fish = (from_json(str(pictures.here.catalog.cnn(name))) for name in ("birds", "fish"))
    union = union_of(birds, fish)
    assert union is not None
    monkeypatch.setattr(pyspark.SparkFiles, "get", lambda name: f"/brought/{name}")
    there = with_all_weights(union, ("one.keras", None))
    assert [part.cnn.builder for part in there.parts] == ["file:/brought/one.keras", fish.builder]
    assert [part.cnn.weights.path for part in there.parts] == ["/brought/one.keras", fish.weights.path]
    assert [part.names for part in there.parts] == [part.names for part in union.parts]


@pytest.mark.volume
def test_features_do_not_pass_through_the_driver(pictures: Pictures, test_data: Path) -> None:
    """Tensors of 240 photos (18 MB) are trained on where the results of a job may be 8 MB, in a small driver.

    The same limit stops training on the driver, which collects them.
    """
    photos = test_data / "datasets" / "clothing-small"
    pictures.sql(f"CREATE IMAGES clothes FROM '{photos}/images';"
             f"CREATE TABLE wardrobe FROM '{photos}/items.csv' KEY item_id LABEL kids")  # fmt: skip
    text = "EXPLORE LAYERS conv2 POOL none OF strokes FROM clothes JOIN wardrobe FEATURES NONE TRAIN lr (reg = 1)"
    text += " EVALUATE accuracy USING HOLDOUT (0.3)"
    small = {"spark.driver.maxResultSize": "8m", "spark.driver.memory": "600m", "placement": "before"}
    expected = pictures.in_process(text)
    found = run(pictures, LOCAL_CLUSTER, text, **small | {"training": "cluster"})
    assert [row["digest"] for row in found] == [row.digest for row in expected.rows]
    with pytest.raises(AssertionError, match=r"(?i)maxResultSize|bigger than"):
        run(pictures, LOCAL_CLUSTER, text, **small)
