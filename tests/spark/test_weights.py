"""Published weights are fetched once, here, and reach workers as a file whose SHA-256 they verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.spark.conftest import Both
from vistaql.engines.spark.weights import fetched, for_workers
from vistaql.engines.spark.worker import with_weights
from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.register import Builder, CnnOptions, read_cnn
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.engines.tensorflow.weights import file_digest
from vistaql.errors import Code, VistaQLError
from vistaql.models.cnn import Preprocessing, WeightsKind


@dataclass
class Downloads:
    """Stands for Keras' MobileNet in this process alone, and counts how often its weights are asked for."""

    original: Any
    count: int = 0

    def __post_init__(self) -> None:
        self.__name__ = "MobileNet"
        self.trained = self.original(weights=None, classifier_activation=None)

    def __call__(self, weights: str | None, **options: Any) -> Any:
        self.count += weights == "imagenet"
        return self.trained if weights == "imagenet" else self.original(weights=None, **options)


@dataclass
class Cluster:
    """Stands for a session on a cluster, and remembers the files it was given."""

    given: list[str] = field(default_factory=list)

    @property
    def sparkContext(self) -> Any:  # noqa: N802, PySpark calls it so
        return SimpleNamespace(master="spark://host:7077", addFile=self.given.append)


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Downloads]:
    applications = import_tensorflow().keras.applications
    downloads = Downloads(applications.MobileNet)
    monkeypatch.setattr(applications, "MobileNet", downloads)
    fetched.cache_clear()
    yield downloads
    fetched.cache_clear()


def test_a_cluster_is_given_the_file_of_published_weights(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    cnn = read_cnn("small", Builder.KERAS, "MobileNet", options=CnnOptions(Preprocessing.TF, (96, 96)))
    cluster = Cluster()
    sent, (name,) = for_workers(cluster, cnn, 2)  # type: ignore[arg-type]
    assert (sent.weights.kind, cnn.weights.kind) == (WeightsKind.FILE, WeightsKind.IMAGENET)
    assert sent.weights.digest == file_digest(sent.weights.path or "")
    assert name == f"{(sent.weights.digest or '')[:16]}-MobileNet-96x96.weights.h5"
    (link,) = cluster.given
    assert link.endswith(f"/{name}")
    assert for_workers(cluster, cnn, 2) == (sent, (name,))  # type: ignore[arg-type]
    assert downloads.count == 1
    brought = Path(link.removeprefix("file://"))
    monkeypatch.setattr("pyspark.SparkFiles.get", lambda known: str(brought.with_name(known)))
    there = builders.build(with_weights(sent, name))
    here = builders.build(cnn)
    assert all((a == b).all() for a, b in zip(there.get_weights(), here.get_weights(), strict=True))
    with brought.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(VistaQLError) as caught:
        builders.build(with_weights(sent, name))
    assert caught.value.code is Code.WEIGHTS_CHANGED


@pytest.mark.volume
def test_workers_download_nothing_and_compute_the_same_bits(both: Both, downloads: Downloads) -> None:
    """They have no stand-in: what they asked Keras for would come from the network."""
    both.sql("REGISTER CNN published FROM keras 'MobileNet' WITH (preprocessing = tf, input_size = 96)")
    text = "EXPLORE LAYERS conv_pw_2 OF published FROM photos JOIN items ON photos.key = items.sku TRAIN lr"
    text += " EVALUATE accuracy USING HOLDOUT (0.3)"
    expected = both.in_process(text)
    downloads.count = 0
    for _ in range(2):
        found = both.on_spark(text, partitions=2)
        assert [(row.digest, row.folds) for row in found.rows] == [(row.digest, row.folds) for row in expected.rows]
    assert downloads.count == 1
