"""EXPORT LAYERS writes the key and a list of float32 for each layer, whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.session.world import Explore, World
from vistaql.catalog.catalog import Kind
from vistaql.engines.inprocess.tensors import digest_of
from vistaql.errors import VistaQLError
from vistaql.keeping import working_folder
from vistaql.progress import Silent
from vistaql.session import Session


def test_columns_are_the_key_and_fixed_size_lists(session: Session, world: World, tmp_path: Path) -> None:
    text = f"EXPORT LAYERS conv4 POOL max(2, 2), fc6 OF strokes FROM scans TO '{tmp_path}/f.parquet'"
    report = session.sql(text).to_arrow().to_pylist()[0]
    schema = pq.read_schema(tmp_path / "f.parquet")
    assert schema.names == ["key", "conv4", "fc6"]
    assert schema.field("key").type == pa.string()
    assert schema.field("fc6").type == pa.list_(pa.float32(), 5)
    assert schema.field("conv4").type == pa.list_(pa.float32(), 2 * 2 * 64)
    assert pq.read_table(tmp_path / "f.parquet")["key"].to_pylist() == sorted(world.keys)
    assert (report["rows"], report["written"]) == (100, f"{tmp_path}/f.parquet")
    assert report["counts"]["decoded"] == 100
    assert [(column["layer"], column["width"]) for column in report["columns"]] == [("conv4", 256), ("fc6", 5)]


def test_what_is_exported_is_what_is_learnt_from(session: Session, explore: Explore, tmp_path: Path) -> None:
    """Plans with one pass and with several, spooled to disk, gives the bits whose digest an EXPLORE names."""
    digests = {row.layer: row.digest for row in explore("FROM scans JOIN measures TRAIN lr", "strokes").rows}
    for plan in ("eager", "staged"):
        session.sql(f"EXPORT strokes FROM scans TO '{tmp_path}/f.parquet' WITH (plan = {plan})")
        table = pq.read_table(tmp_path / "f.parquet")
        keys = table["key"].to_pylist()
        assert len(table.column_names) == 1 + 6
        for layer in table.column_names[1:]:
            values = np.array(table[layer].combine_chunks().flatten()).reshape(len(keys), -1)
            assert digest_of(keys, values) == digests[layer], (plan, layer)


def test_whole_tensors_can_be_had_and_pool_to_the_pooled(session: Session, tmp_path: Path) -> None:
    session.sql(
        f"EXPORT LAYERS conv4 POOL none, conv4 POOL gmp OF strokes FROM scans SAMPLE 10 TO '{tmp_path}/f.parquet'"
    )
    table = pq.read_table(tmp_path / "f.parquet")
    assert sorted(table.column_names) == ["key", "strokes.conv4|gmp", "strokes.conv4|none"]
    whole, pooled = (np.array(table[f"strokes.conv4|{pool}"].to_pylist(), np.float32) for pool in ("none", "gmp"))
    assert len(whole) == 10
    assert (whole.reshape(10, -1, 64).max(axis=1) == pooled).all()


class Weighed(Silent):
    """Weighs, after each batch, what lies on disk and what Arrow holds in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on_disk: list[int] = []
        self.in_memory: list[int] = []

    def advance(self, count: int) -> None:
        del count
        self.on_disk.append(sum(path.stat().st_size for path in self.folder.rglob("*.arrow")))
        self.in_memory.append(pa.total_allocated_bytes())


def test_features_wait_on_disk_and_not_in_memory(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred tensors of 147 KB: at the end of the pass most of them lie in a file that is gone afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    weighed = Weighed(tmp_path)
    monkeypatch.setattr(session, "progress", weighed)
    before = pa.total_allocated_bytes()
    session.sql(f"EXPORT LAYERS conv1 POOL none OF strokes FROM scans TO '{tmp_path}/f.parquet'")
    whole = 100 * 48 * 48 * 16 * 4
    assert max(weighed.on_disk) > whole * 0.6
    assert max(weighed.in_memory) - before < whole * 0.6
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]


def test_joins_and_where_choose_the_rows(session: Session, world: World, tmp_path: Path) -> None:
    session.sql(f"EXPORT LAYERS fc6 OF strokes FROM scans JOIN measures WHERE digit = 7 TO '{tmp_path}/f.parquet'")
    keys = pq.read_table(tmp_path / "f.parquet")["key"].to_pylist()
    assert keys == sorted(row[0] for row in world.rows if row[-1] == 7)
    with pytest.raises(VistaQLError) as failure:
        session.sql(f"EXPORT LAYERS fc6 OF strokes FROM scans JOIN measures WHERE digit = 70 TO '{tmp_path}/n.parquet'")
    assert failure.value.code.name == "NO_ROWS"


class NoInference(Silent):
    """Someone who watches that no pass begins."""

    def start(self, what: str, total: int, unit: str) -> None:
        raise AssertionError(what, total, unit)


@pytest.mark.parametrize(
    "statement",
    [
        "EXPORT LAYERS fc6 OF strokes FROM scans TO '{path}.parquet'",
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lr INTO '{path}.parquet'",
        "EXPLORE LAYERS fc6 OF strokes FROM scans JOIN measures TRAIN lr INTO '{path}.csv'",
    ],
)
def test_a_target_that_cannot_be_written_is_refused_before_the_run(
    statement: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ending in ("parquet", "csv"):
        (tmp_path / f"folder.{ending}").mkdir()
    before = sorted(tmp_path.rglob("*"))
    results = session.catalog.names(Kind.RESULT)
    monkeypatch.setattr(session, "progress", NoInference())
    with pytest.raises(VistaQLError) as failure:
        session.sql(statement.format(path=tmp_path / "folder"))
    assert failure.value.code.name == "NOT_WRITABLE"
    assert "folder." in failure.value.message
    assert failure.value.hint
    with pytest.raises(VistaQLError) as failure:
        session.sql(statement.format(path=tmp_path / "nowhere" / "f"))
    assert failure.value.code.name == "FILE_NOT_FOUND"
    assert sorted(tmp_path.rglob("*")) == before
    assert session.catalog.names(Kind.RESULT) == results


def test_a_failed_export_leaves_the_file_of_before(session: Session, tmp_path: Path) -> None:
    target = tmp_path / "f.parquet"
    target.write_text("what was there")
    with pytest.raises(VistaQLError):
        session.sql(f"EXPORT LAYERS fc6 OF strokes FROM scans WHERE bytes < 0 TO '{target}'")
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]
    assert target.read_text() == "what was there"


def test_a_full_disk_is_told_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(VistaQLError) as failure, working_folder() as folder:  # noqa: PT012, the block fails half-way
        (Path(folder) / "tensors.arrow").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert failure.value.code.name == "OUT_OF_SPACE"
    assert str(tmp_path) in failure.value.message
    assert list(tmp_path.iterdir()) == []
