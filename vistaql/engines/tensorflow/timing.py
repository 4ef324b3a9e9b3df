"""Measuring this machine: blocks of a CNN as graphs of their own, decoding, and loading TensorFlow."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from vistaql.models.cnn import Cnn
from vistaql.models.work import work_of

# Elements written for one operation of a layer, when blocks of about equal time are wanted.
OPERATIONS_A_BYTE = 15.0


@dataclass(frozen=True)
class BlockTime:
    """What the layers of a CNN behind `start` (None: pixels) up to `end` took, in wall-clock seconds."""

    start: str | None
    end: str
    image_seconds: float
    """one image, once the graph is warm"""
    graph_seconds: float
    """building the graph, and what its first batch took more than the others"""


@dataclass(frozen=True)
class NetworkTime:
    """A CNN, measured block by block."""

    model_seconds: float
    blocks: tuple[BlockTime, ...]


def block_ends(cnn: Cnn, count: int) -> tuple[str, ...]:
    """Cut points that divide a CNN into at most so many blocks of about equal work, the last of them included.

    >>> from vistaql.models import roster
    >>> block_ends(roster.load("strokes"), 3)
    ('conv2', 'pool2', 'fc5')
    """
    works = work_of(cnn)
    weight = {name: work.flops + OPERATIONS_A_BYTE * work.moved_bytes for name, work in works.items()}
    cuts = [cut for cut in cnn.cut_points[1:] if cut not in cnn.fused]
    total, done = sum(weight.values()), 0.0
    ends: list[str] = []
    for layer in cnn.layers:
        done += weight[layer.name]
        if layer.name in cuts and (done >= total * (len(ends) + 1) / count or layer.name == cuts[-1]):
            ends.append(layer.name)
    return tuple(ends)


def time_network(cnn: Cnn, ends: tuple[str, ...], rounds: int) -> NetworkTime:
    """Build the CNN, and run each block several times on random numbers; the fastest run counts."""
    from vistaql.engines.tensorflow.builders import build

    started = perf_counter()
    model = build(cnn)
    built = perf_counter() - started
    return NetworkTime(built, tuple(time_blocks(model, cnn, ends, rounds)))


def time_blocks(model: object, cnn: Cnn, ends: tuple[str, ...], rounds: int) -> Iterator[BlockTime]:
    """Each block by itself, from the end of the one before it."""
    from vistaql.engines.tensorflow.runtime import import_tensorflow

    tf = import_tensorflow()
    random = np.random.default_rng(1)
    start: str | None = None
    for end in ends:
        shape = (*cnn.input_size, 3) if start is None else cnn.by_name[start].shape
        numbers = random.random((cnn.batch_rows, *shape), dtype=np.float32)
        batch = tf.convert_to_tensor((255 * numbers).astype(np.uint8) if start is None else numbers)
        before = perf_counter()
        graph = trace_block(model, cnn, start, end)
        graph(batch)
        first = perf_counter() - before
        fastest = min(seconds_of(lambda: graph(batch)) for _ in range(rounds))  # noqa: B023 - called at once
        yield BlockTime(start, end, fastest / cnn.batch_rows, max(0.0, first - fastest))
        start = end


def trace_block(model: object, cnn: Cnn, start: str | None, end: str) -> Callable[[object], object]:
    """The graph of a block, as it is in a pass. It gives one number an image.

    Giving the whole tensor, or pooling it, would take as long as some blocks do, and passes go on from where it lies.
    """
    from vistaql.engines.tensorflow.graph import barrier, concrete, run_layers
    from vistaql.engines.tensorflow.preprocessing import preprocess
    from vistaql.engines.tensorflow.runtime import held_stderr

    source = start or cnn.input_layer.name
    ordered = [name for name in cnn.ancestors(end, source) if name != source]

    def run(batch: object) -> object:
        first = batch if start else preprocess(batch, cnn.preprocessing)
        tensor = run_layers(model, {source: barrier(first)}, ordered, cnn.fused)[end]
        return tensor[(slice(None), *[0] * len(cnn.by_name[end].shape))]

    with held_stderr():
        return concrete(run, cnn, start)


def seconds_of(work: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    started = perf_counter()
    work()
    return perf_counter() - started


@dataclass(frozen=True)
class DecodeTime:
    """Decoding of synthetic photos on one thread: seconds of an image, its pixels, and the bytes of its file."""

    large_seconds: float
    """to a size near its own, so that all pixels are decoded"""
    small_seconds: float
    """to a small size, so that an eighth of each side is decoded"""
    pixels: float
    bytes: float


def time_decoding(images: int) -> DecodeTime:
    """Decode images of 400 x 533 with as much detail as photos have."""
    from vistaql.engines.tensorflow.decode import decode

    photos = [photo(number) for number in range(images)]

    def run(size: int) -> float:
        with ThreadPoolExecutor(1) as pool:
            return seconds_of(lambda: list(pool.map(lambda image: decode(image, size, size), photos))) / images

    run(224)
    mean = sum(map(len, photos)) / images
    return DecodeTime(run(224), run(32), 400.0 * 533.0, mean)


def photo(seed: int) -> bytes:
    """A JPEG of smooth shapes and a little noise, about as large as a photo of its size."""
    from PIL import Image

    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (20, 15, 3), dtype=np.uint8)).resize((400, 533))
    pixels = np.asarray(coarse, np.int16) + random.integers(-6, 7, (533, 400, 3))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=80)
    return file.getvalue()


# A small join as the engine does it, since DuckDB takes most of what a process has before TensorFlow is loaded.
LOADING = """
import json, tempfile, time
import pyarrow
import vistaql.engines.inprocess.prepare, vistaql.learners.evaluation, vistaql.session
from vistaql.physical.resident import resident_bytes
from vistaql.stores.duck import connected
keys = pyarrow.table({"key": [f"p{number}" for number in range(3000)]})
with tempfile.NamedTemporaryFile("w", suffix=".csv") as file, connected() as duck:
    file.write("key,size,kind\\n" + "".join(f"p{number},{number % 7}.5,{number % 9}\\n" for number in range(3000)))
    file.flush()
    duck.register("listing", keys)
    duck.sql(f"SELECT DISTINCT ON (key) * FROM read_csv('{file.name}') JOIN listing USING (key) ORDER BY ALL"
    ).to_arrow_table()
before, started = resident_bytes(), time.perf_counter()
from vistaql.engines.tensorflow.runtime import import_tensorflow
tensorflow = import_tensorflow()
seconds = time.perf_counter() - started
(tensorflow.constant([1.0]) + 1).numpy()
print(json.dumps([seconds, before, resident_bytes() - before]))
"""


@dataclass(frozen=True)
class LibraryTime:
    """Seconds of loading TensorFlow, bytes of a process before, and what TensorFlow adds."""

    seconds: float
    process_bytes: float
    library_bytes: float


def time_library() -> LibraryTime:
    """Load TensorFlow in a process of its own."""
    done = subprocess.run([sys.executable, "-c", LOADING], check=True, capture_output=True, text=True)  # noqa: S603
    seconds, before, added = json.loads(done.stdout.splitlines()[-1])
    return LibraryTime(seconds, before, added)
