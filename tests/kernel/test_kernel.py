"""Batches in, batches out: order, padding, bad images, look-ahead, and an early end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from vistaql.engines.tensorflow.kernel import rechunk, run_pass, schema
from vistaql.models.cnn import Cnn
from vistaql.models.pool import GAP, WHOLE
from vistaql.physical.footprint import batches_ahead
from vistaql.physical.inference import Output, Pass, tensor_column

Batches = Callable[..., list[pa.RecordBatch]]
LAYERS = (Output("conv2", GAP), Output("fc5", WHOLE))


@pytest.fixture
def eager(strokes: Cnn) -> Pass:
    return Pass(strokes, None, LAYERS)


def table(pass_: Pass, batches: list[pa.RecordBatch], decoders: int = 2) -> pa.Table:
    return pa.Table.from_batches(run_pass(pass_, batches, decoders=decoders), schema(pass_))


def decoders_alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_rows_keep_their_order_and_columns_their_types(eager: Pass, photos: list[str], batches: Batches) -> None:
    found = table(eager, batches(photos, 7))
    assert found.column_names == ["key", "error", "conv2|gap", "fc5|none"]
    assert found.column("key").to_pylist() == [f"k{number}" for number in range(240)]
    assert found.column("error").null_count == 240
    assert [field.type for field in found.schema] == [
        pa.string(), pa.string(), pa.list_(pa.float32(), 32), pa.list_(pa.float32(), 64),
    ]  # fmt: skip
    found.validate(full=True)


def test_cutting_paths_bytes_and_decoders_change_no_bit(eager: Pass, photos: list[str], batches: Batches) -> None:
    some = photos[:160]
    once = table(eager, batches(some, 1000))
    assert table(eager, batches(some, 1)).equals(once)
    assert table(eager, batches(some, 33), decoders=1).equals(once)
    data = [Path(path).read_bytes() for path in some]
    assert table(eager, batches(data, 60), decoders=5).equals(once)
    halves = [table(eager, batches(part, 1000)) for part in (some[:70], some[70:])]
    assert pa.concat_tables(halves).drop_columns("key").equals(once.drop_columns("key"))


def test_a_bad_image_has_a_reason_and_changes_no_other(eager: Pass, photos: list[str], batches: Batches) -> None:
    good = table(eager, batches(photos[:20]))
    mixed: list[str | None] = list(photos[:20])
    mixed[3], mixed[7], mixed[19] = "nowhere.jpg", None, __file__
    found = table(eager, batches(mixed))
    assert {place: text for place, text in enumerate(found.column("error").to_pylist()) if text} == {
        3: "there is no such file",
        7: "there is no image",
        19: "it is not an image (JPEG, PNG, GIF, WEBP, BMP, TIFF, PPM, AVIF)",
    }
    for name in ("conv2|gap", "fc5|none"):
        values = found.column(name).to_pylist()
        assert [place for place, value in enumerate(values) if value is None] == [3, 7, 19]
        expected = good.column(name).to_pylist()
        assert all(values[place] == expected[place] for place in range(20) if place not in {3, 7, 19})


def test_a_pass_resumes_from_what_another_kept(strokes: Cnn, photos: list[str], batches: Batches) -> None:
    mixed = [*photos[:150], "nowhere.jpg", *photos[150:170]]
    first = Pass(strokes, None, (Output("conv2", GAP),), ("pool2",))
    kept = list(run_pass(first, batches(mixed), decoders=2))
    assert kept[0].schema.names == ["key", "error", "conv2|gap", tensor_column("pool2")]
    second = Pass(strokes, "pool2", (Output("fc5", WHOLE),))
    whole = table(Pass(strokes, None, (Output("fc5", WHOLE),)), batches(mixed))
    assert table(second, kept).equals(whole)
    assert table(second, kept).column("error").to_pylist().count("there is no such file") == 1
    # As the in-process engine keeps them: good rows only, without the column of errors.
    good = [batch.filter(batch.column("error").is_null()).select(["key", tensor_column("pool2")]) for batch in kept]
    resumed = table(second, good)
    assert resumed.column("fc5|none").to_pylist() == [
        value for value in whole.column("fc5|none").to_pylist() if value is not None
    ]
    without_reason = [batch.drop_columns(["error"]) for batch in kept]
    assert table(second, without_reason).column("error").to_pylist()[150] == "there is no tensor"


def test_no_images_give_no_batches(eager: Pass, batches: Batches) -> None:
    assert list(run_pass(eager, [], decoders=2)) == []
    assert list(run_pass(eager, [batches(["x"])[0].slice(0, 0)], decoders=2)) == []


def test_only_a_few_batches_are_read_ahead_and_closing_ends_the_threads(
    eager: Pass, photos: list[str], batches: Batches
) -> None:
    read = 0

    def endless() -> Iterator[pa.RecordBatch]:
        nonlocal read
        while True:
            for batch in batches(photos, 12):
                read += batch.num_rows
                yield batch

    rows = eager.cnn.batch_rows
    results = run_pass(eager, endless(), decoders=2)
    for number in range(1, 6):
        next(results)
        assert read <= (number + batches_ahead(eager)) * rows
    assert decoders_alive()
    results.close()
    assert decoders_alive() == []


def test_an_interrupted_reader_ends_the_threads(eager: Pass, photos: list[str], batches: Batches) -> None:
    def interrupted() -> Iterator[pa.RecordBatch]:
        yield from batches(photos)
        yield from batches(photos)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_pass(eager, interrupted(), decoders=3))
    assert decoders_alive() == []


@pytest.mark.parametrize("sizes", [[], [1], [4], [5], [3, 3, 3], [0, 9, 0], [2, 1, 1, 8]])
def test_rechunking_keeps_every_row_once(sizes: list[int]) -> None:
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    pieces = [pa.record_batch({"n": pa.array(range(*pair), pa.int64()), "other": pa.nulls(pair[1] - pair[0])})
              for pair in pairwise(ends)]  # fmt: skip
    tables = list(rechunk(pieces, ("n", "missing"), 4))
    assert [number for part in tables for number in part.column("n").to_pylist()] == list(range(ends[-1]))
    assert all(part.num_rows == 4 for part in tables[:-1])
    assert all(0 < part.num_rows <= 4 for part in tables)
    assert all(part.column_names == ["n"] for part in tables)


def test_features_are_those_of_the_decoded_photo(eager: Pass, photos: list[str], batches: Batches) -> None:
    from vistaql.engines.tensorflow.decode import decode
    from vistaql.engines.tensorflow.graph import freeze

    height, width = eager.cnn.input_size
    batch = np.zeros((eager.cnn.batch_rows, height, width, 3), np.uint8)
    batch[0] = decode(photos[9], height, width)
    expected = freeze(eager)(batch)[1][0]
    found = table(eager, batches(photos[:12])).column("fc5|none").to_pylist()[9]
    assert np.array_equal(np.float32(found), expected)
