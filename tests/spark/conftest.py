"""Pictures with rows, three CNNs with real weights, and sessions in process and on Spark over them.

All tests of a process share one Spark, `local[2]`, as long as they leave its settings alone.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.siblings import write_sibling
from vistaql.engines.spark.launch import spark_session
from vistaql.outcome import Exploration
from vistaql.session import Session, connect
from vistaql.spark_settings import SparkSettings

IMAGES = 40
WITHOUT_ROW = 6
CNNS = {
    "strokes": "conv3, fc5",
    "resnet20": "stage1_block2_out, stage3_block3_out",
    "squeezenet": "fire5_concat, fire9_concat",
    "mobilenet": "block_13_expand_BN, out_relu",
}
REGISTERED = {
    "resnet20": "FROM file '{}/resnet20_cifar10_32.keras' WITH (preprocessing = tf)",
    "squeezenet": "FROM file '{}/squeezenet_v1.0_227.keras' WITH (preprocessing = tf)",
    "mobilenet": "FROM mobilenet_v2 WEIGHTS '{}/mobilenet_v2_1.0_224.weights.h5'",
}


@pytest.fixture(scope="session", autouse=True)
def _java_compiles_little() -> Iterator[None]:
    """A Java that lives for a minute spends most of it in its better compiler, which the tests do without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield


def draw(path: Path, seed: int) -> None:
    """A picture with something in it; sizes differ, so that resizing is not the same for all."""
    rng = random.Random(seed)
    image = Image.new("RGB", (rng.randrange(60, 300), rng.randrange(60, 300)), tuple(rng.choices(range(256), k=3)))
    brush = ImageDraw.Draw(image)
    for _ in range(8):
        left, top = rng.randrange(0, 200), rng.randrange(0, 200)
        brush.ellipse((left, top, left + rng.randrange(10, 90), top + 40), fill=tuple(rng.choices(range(256), k=3)))
    image.save(path, quality=90)


def unmet(rows: Sequence[tuple[object, ...]]) -> set[tuple[object, object]]:
    """Values of two columns that no row of a table has together."""
    columns = [set(column) for column in zip(*rows, strict=True)]
    return {
        pair
        for (one, firsts), (other, seconds) in combinations(enumerate(columns), 2)
        for pair in set(product(firsts, seconds)) - {(row[one], row[other]) for row in rows}
    }


@dataclass(frozen=True)
class Pictures:
    """A catalog of pictures and their table, asked in process."""

    folder: Path
    here: Session

    def sql(self, text: str) -> None:
        """Run statements that name things; sessions on Spark read the same catalog."""
        self.here.sql(text)

    def in_process(self, text: str) -> Exploration:
        """Run an EXPLORE in this process."""
        outcome = self.here.sql(text).outcome
        assert isinstance(outcome, Exploration)
        return outcome


@dataclass(frozen=True)
class Both(Pictures):
    """The same catalog, asked in process and on Spark."""

    spark: Session

    def on_spark(self, text: str, **settings: object) -> Exploration:
        """Run an EXPLORE on Spark with some settings, which hold for it alone."""
        before = self.spark.settings
        try:
            for name, value in settings.items():
                self.spark.set(name, value)
            outcome = self.spark.sql(text).outcome
        finally:
            self.spark.settings = before
        assert isinstance(outcome, Exploration)
        return outcome


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pictures]:
    """Forty pictures, a table that lacks rows for six of them and has two rows too many."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photos").mkdir()
    rng = random.Random(5)
    rows = []
    for number in range(IMAGES):
        draw(folder / "photos" / f"p{number:03}.jpg", number)
        if number >= WITHOUT_ROW:
            rows.append((f"p{number:03}", rng.randrange(100), rng.choice(["red", "green", ""]), "ab"[number % 2]))
    rows += [("x1", 3, "red", "a"), ("x2", 4, "red", "b")]
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("sku", "size", "colour", "kind"), *rows])
    with connect(folder / "home") as here:
        here.sql(f"CREATE IMAGES photos FROM '{folder}/photos';"
                 f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind;")  # fmt: skip
        yield Pictures(folder, here)


@pytest.fixture(scope="session")
def siblings(pictures: Pictures) -> str:
    """Layers of two CNNs that begin alike, which are registered first."""
    for name in ("birds", "fish"):
        pictures.sql(f"REGISTER CNN {name} FROM file '{write_sibling(pictures.folder, name)}'")
    return "LAYERS sum, conv3, fc2 OF birds, LAYERS fish_relu1, fish_sum, fish_fc2 OF fish"


@pytest.fixture(scope="session")
def both(pictures: Pictures) -> Iterator[Both]:
    """The pictures, and a session on the Spark that all tests share."""
    # One heap for all plans: each would otherwise ask for its own.
    settings = SparkSettings((("spark.driver.memory", "2g"), ("spark.master", "local[2]")))
    with connect(pictures.folder / "home", spark=spark_session(settings)) as spark:
        spark.set("training", "driver")
        yield Both(pictures.folder, pictures.here, spark)


@pytest.fixture(scope="session")
def layers(pictures: Pictures, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """LAYERS .. OF a CNN, which is registered first if it comes from the test data."""

    def named(cnn: str) -> str:
        if cnn in REGISTERED and pictures.here.catalog.cnn(cnn) is None:
            weights = request.getfixturevalue("weights")
            pictures.sql(f"REGISTER CNN {cnn} {REGISTERED[cnn].format(weights)}")
        return f"LAYERS {CNNS[cnn]} OF {cnn}"

    return named
