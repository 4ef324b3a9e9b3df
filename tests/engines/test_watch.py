"""A run that comes near its limit of memory moves vectors and tensors to disk, and gives the same answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistaql.engines.inprocess import watch
from vistaql.engines.inprocess.fitting import aligned
from vistaql.engines.inprocess.tensors import FeatureArray
from vistaql.engines.inprocess.vectors import DiskVectors
from vistaql.engines.inprocess.watch import LEAST_MARGIN, SOON_OVER, MemoryWatch
from vistaql.session import connect

COUNT = 160
QUERY = (
    "EXPLORE LAYERS conv2 POOL none, conv3, conv4 POOL none OF strokes FROM photos TRAIN lr "
    "EVALUATE accuracy USING HOLDOUT (0.3) WITH (plan = {plan})"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two kinds, in a folder for each."""
    folder = tmp_path_factory.mktemp("tight")
    noise = np.random.default_rng(1)
    for number in range(COUNT):
        kind = folder / "photos" / "ab"[number % 2]
        kind.mkdir(parents=True, exist_ok=True)
        pixels = noise.integers(0, 255 - 100 * (number % 2), (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(kind / f"{number}.png")
    return folder


@pytest.mark.parametrize("plan", ["staged", pytest.param("eager", marks=pytest.mark.volume)])
def test_a_tight_run_spills_and_gives_the_same_bits(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: str
) -> None:
    spilled: list[int] = []
    written = DiskVectors.append
    monkeypatch.setattr(
        DiskVectors, "append", lambda self, values: (spilled.append(len(values)), written(self, values))
    )
    with connect(tmp_path) as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos' KEY FROM PATH LABEL FROM FOLDER")
        roomy = session.sql(QUERY.format(plan=plan)).outcome
        assert spilled == []
        monkeypatch.setattr(watch, "resident_bytes", lambda: 2**61)
        session.set("memory_limit", "6GB")
        tight = session.sql(QUERY.format(plan=plan)).outcome
    assert sum(spilled) >= COUNT
    assert [row.digest for row in tight.rows] == [row.digest for row in roomy.rows]  # type: ignore[union-attr]
    assert [row.folds for row in tight.rows] == [row.folds for row in roomy.rows]  # type: ignore[union-attr]


def test_the_oldest_goes_first_and_no_more_than_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [FeatureArray(["a"], np.zeros((1, 1000), np.float32)) for _ in range(3)]
    guard = MemoryWatch(10**9, str(tmp_path))
    for item in items:
        guard.hold(item)
    monkeypatch.setattr(watch, "resident_bytes", lambda: 10**9 - LEAST_MARGIN + 5000 - guard.spilled_bytes)
    assert guard.batches_ahead(7) == 7
    assert guard.make_room()
    assert [isinstance(item.values, DiskVectors) for item in items] == [True, True, False]
    assert guard.spilled_bytes == 8000
    assert guard.batches_ahead(7) == 1


def test_what_nobody_has_any_more_is_not_spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = MemoryWatch(10**9, str(tmp_path))
    guard.hold(FeatureArray(["a"], np.zeros((1, 1000), np.float32)))
    monkeypatch.setattr(watch, "resident_bytes", lambda: 10**9)
    assert not guard.make_room()
    assert guard.spilled_bytes == 0


def test_before_a_pass_the_graph_before_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = MemoryWatch(2 * 10**9, str(tmp_path))
    released: list[bool] = []
    monkeypatch.setattr(guard, "let_go", lambda: released.append(True))
    monkeypatch.setattr(watch, "resident_bytes", lambda: 10**9)
    guard.before_pass(5 * 10**8)
    assert released == []
    guard.before_pass(6 * 10**8)
    assert released == [], "TensorFlow has most of it already"
    guard.before_pass(2 * 10**9)
    assert released == [True]


def test_a_fit_is_watched_and_its_vectors_can_go_while_it_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    features = FeatureArray(["a", "b", "c"], values.copy())
    read = aligned(["c", "a", "b"], features)
    guard = MemoryWatch(10**9, str(tmp_path))
    guard.hold(features)
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.001)
    sizes = iter([10, 10])
    monkeypatch.setattr(watch, "resident_bytes", lambda: next(sizes, 2**61))
    with guard.looking(SOON_OVER):
        for _ in range(10_000):
            if isinstance(features.values, DiskVectors):
                break
            time.sleep(0.001)
    assert isinstance(features.values, DiskVectors)
    assert guard.spilled_bytes == values.nbytes
    assert (np.array(list(read)) == values[[2, 0, 1]]).all()
    assert (read[np.array([1])] == values[[0]]).all()
    assert all(item.name != "memory-watch" for item in threading.enumerate())
