"""Vectors on disk are read as an array of the same numbers is."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vistaql.engines.inprocess import vectors
from vistaql.engines.inprocess.fitting import aligned
from vistaql.engines.inprocess.tensors import FeatureArray, digest_of
from vistaql.engines.inprocess.vectors import DiskVectors, Selection
from vistaql.learners import LogisticRegression
from vistaql.learners.evaluation import Examples, check_finite, evaluate
from vistaql.learners.folds import deal
from vistaql.learners.metrics import METRICS

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def both(folder: Path, rows: int, width: int) -> tuple[np.ndarray, DiskVectors]:
    """Numbers, and the same on disk, written in two parts."""
    values = np.random.default_rng(rows * 100 + width).normal(size=(rows, width)).astype(np.float32)
    disk = DiskVectors(width, str(folder))
    disk.append(values[: rows // 2])
    disk.append(values[rows // 2 :])
    return values, disk


@SLOW
@given(data=st.data(), rows=st.integers(1, 40), width=st.integers(1, 60), stripe=st.sampled_from([1, 400, 10**6]))
def test_every_way_of_reading_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject, rows: int, width: int, stripe: int
) -> None:
    monkeypatch.setattr(vectors, "STRIPE_BYTES", stripe)
    values, disk = both(tmp_path, rows, width)
    places = np.array(data.draw(st.lists(st.integers(0, rows - 1), max_size=20)), dtype=np.int64)
    first = data.draw(st.integers(0, width))
    columns = slice(first, data.draw(st.integers(first, width + 5)))
    assert disk.shape == values.shape
    assert disk.nbytes == values.nbytes
    assert np.array_equal(disk[places], values[places])
    assert np.array_equal(disk[2:5], values[2:5])
    assert np.array_equal(disk[0], values[0])
    for start in range(0, width, 7):
        assert np.array_equal(disk[places, start : start + 7], values[places, start : start + 7])
    assert np.array_equal(disk[places, columns], values[places, columns])
    assert np.array_equal(np.stack(list(disk)), values)
    order = np.random.default_rng(1).permutation(rows)
    for source in (values, disk):
        chosen = Selection(source, order)
        assert np.array_equal(chosen[:3], values[order][:3])
        assert np.array_equal(chosen[places, columns], values[order][places, columns])
        assert np.array_equal(np.stack(list(chosen)), values[order])


def test_long_vectors_are_looked_through_a_few_at_a_time(tmp_path: Path) -> None:
    """24 vectors of 500,000 numbers are 48 MB; their digest and the search for NaN hold some of them at once."""
    disk = DiskVectors(500_000, str(tmp_path))
    for number in range(24):
        disk.append(np.full((1, 500_000), number, np.float32))
    keys = [str(number) for number in range(24)]
    features = aligned(keys[::-1], FeatureArray(keys, disk))
    tracemalloc.start()
    try:
        check_finite(features)
        digest_of(keys[::-1], features)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(("rows", "width"), [(60, 500), (120, 20)])
def test_a_fit_on_vectors_on_disk_gives_the_same_bits(tmp_path: Path, rows: int, width: int) -> None:
    """In the span of the rows, and in that of the columns."""
    values, disk = both(tmp_path, rows, width)
    keys = tuple(map(str, range(rows)))
    codes = np.arange(rows) % 3
    values[codes == 1] += 0.2
    disk = DiskVectors(width, str(tmp_path))
    disk.append(values)
    examples = Examples(keys, codes, 3, deal(keys, codes, 5))
    here, there = (evaluate(examples, image, LogisticRegression(), METRICS[:1], 2) for image in (values, disk))
    assert here.scores == there.scores
    assert digest_of(list(keys), values) == digest_of(list(keys), disk)


def test_spilling_leaves_features_as_they_are(tmp_path: Path) -> None:
    values = np.arange(600, dtype=np.float32).reshape(20, 30)
    keys = [f"k{number}" for number in range(20)]
    features = FeatureArray(keys, values)
    assert features.spill(str(tmp_path)) == values.nbytes
    assert features.spill(str(tmp_path)) == 0
    assert features.extent.bytes == values.nbytes
    assert digest_of(keys, features.values) == digest_of(keys, values)
    turned = aligned(keys[::-1], features)
    assert np.array_equal(np.stack(list(turned)), values[::-1])
    batches = list(features.batches())
    assert [batch.num_rows for batch in batches] == [20]
    assert list(tmp_path.iterdir()) == [], "a file has a name"
