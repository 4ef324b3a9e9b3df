"""The law of the kernel: what else a pass is asked for, and where it starts, changes no bit of a feature."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistaql.engines.tensorflow.builders import tensors
from vistaql.engines.tensorflow.decode import decode
from vistaql.engines.tensorflow.graph import FrozenGraph
from vistaql.models.cnn import Cnn, Preprocessing
from vistaql.models.pool import GAP, GMP, WHOLE, Pool, PoolKind
from vistaql.physical.inference import Output, Pass

Freeze = Callable[[Pass], FrozenGraph]
Model = Callable[[Cnn], Any]
Draw = Callable[[Cnn], np.ndarray]
OutputOf = Callable[[Cnn, str], Output]
NETS = ["strokes", "resnet20", "squeezenet", "mobilenet_v2"]


@pytest.fixture(params=NETS, scope="module")
def cnn(request: pytest.FixtureRequest) -> Cnn:
    if request.param == "strokes":
        found: Cnn = request.getfixturevalue("strokes")
        return found
    load: Callable[[str], Cnn] = request.getfixturevalue("real")
    return load(request.param)


def some(cnn: Cnn, count: int) -> list[str]:
    """About so many layers spread over the network, fused ones and the last two exploration points among them."""
    names = [layer.name for layer in cnn.layers]
    fused = [name for name in names if name in cnn.fused]
    step = -(-len(names) // count)
    return sorted({*names[::step], *fused[:1], *fused[-1:], *cnn.points[-2:]}, key=cnn.position.__getitem__)


def test_lazy_eager_and_staged_passes_give_equal_bits(cnn: Cnn, freeze: Freeze, blobs: Draw, output: OutputOf) -> None:
    batch, names = blobs(cnn), some(cnn, 40)
    everything = freeze(Pass(cnn, None, tuple(output(cnn, name) for name in names)))(batch)
    eager = dict(zip(names, everything, strict=True))
    fused = [name for name in names if name in cnn.fused]
    for name in {names[1], names[len(names) // 2], names[-1], *fused[:1]}:
        (lazy,) = freeze(Pass(cnn, None, (output(cnn, name),)))(batch)
        assert np.array_equal(lazy, eager[name]), name
    keep = cnn.cut_point_at(names[len(names) * 2 // 3])
    assert keep is not None
    (kept,) = freeze(Pass(cnn, None, (), (keep,)))(batch)
    rest = [name for name in names if keep in cnn.ancestors(name)]
    staged = freeze(Pass(cnn, keep, tuple(output(cnn, name) for name in rest)))(kept)
    assert len(rest) > 1
    for name, features in zip(rest, staged, strict=True):
        assert np.array_equal(features, eager[name]), (keep, name)


def test_place_neighbours_and_padding_change_no_bit(cnn: Cnn, freeze: Freeze, blobs: Draw, output: OutputOf) -> None:
    batch, names = blobs(cnn), some(cnn, 40)
    run = freeze(Pass(cnn, None, tuple(output(cnn, name) for name in names)))
    order = np.random.default_rng(1).permutation(len(batch))
    padded = batch.copy()
    padded[5:] = 0
    repeated = np.repeat(batch[:1], len(batch), axis=0)
    runs = (run(batch), run(batch[order]), run(padded), run(repeated))
    for name, once, shuffled, alone, same in zip(names, *runs, strict=True):
        assert np.array_equal(shuffled, once[order]), name
        assert np.array_equal(alone[:5], once[:5]), name
        assert np.array_equal(same, np.repeat(once[:1], len(once), axis=0)), name


THREADS = """
import hashlib, sys
import numpy as np
from pathlib import Path
from vistaql.engines.tensorflow import graph, runtime
from vistaql.models.pool import GAP, WHOLE
from vistaql.models.stored import from_json
from vistaql.physical.inference import Output, Pass
runtime.set_threads(int(sys.argv[1]))
for path in sys.argv[2:]:
    cnn = from_json(Path(path).read_text())
    layers = [Output(l.name, GAP if l.spatial else WHOLE) for l in cnn.layers]
    batch = np.random.default_rng(0).integers(0, 256, (cnn.batch_rows, *cnn.input_size, 3), np.uint8)
    for output, features in zip(layers, graph.freeze(Pass(cnn, None, tuple(layers)))(batch)):
        print(cnn.name, output.layer, hashlib.sha256(features.tobytes()).hexdigest())
"""


def digests(threads: int, files: list[str]) -> str:
    command = [sys.executable, "-c", THREADS, str(threads), *files]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout


def stored(cnns: list[Cnn], folder: Path) -> list[str]:
    from vistaql.models.stored import to_json

    for cnn in cnns:
        (folder / cnn.name).write_text(to_json(cnn))
    return [str(folder / cnn.name) for cnn in cnns]


@pytest.mark.volume
def test_one_and_two_threads_give_equal_bits_in_every_layer(
    strokes: Cnn, real: Callable[[str], Cnn], tmp_path: Path
) -> None:
    files = stored([strokes, *(real(name) for name in NETS[1:])], tmp_path)
    one, two = digests(1, files), digests(2, files)
    assert len(one.splitlines()) > 250
    assert one == two


@pytest.mark.volume
@pytest.mark.parametrize("name", ["alexnet", "resnet50", "efficientnet_b0", "vgg16"])
def test_the_law_holds_for_the_large_roster(
    random: Callable[[str], Cnn], name: str, freeze: Freeze, blobs: Draw, output: OutputOf, tmp_path: Path
) -> None:
    cnn = random(name)
    test_place_neighbours_and_padding_change_no_bit(cnn, freeze, blobs, output)
    test_lazy_eager_and_staged_passes_give_equal_bits(cnn, freeze, blobs, output)
    files = stored([cnn], tmp_path)
    assert digests(1, files) == digests(2, files) == digests(4, files)


GOLDEN = ["mobilenet_v2", "efficientnet_b0", "alexnet", "resnet50", pytest.param("vgg16", marks=pytest.mark.volume)]


@pytest.mark.parametrize("name", GOLDEN)
def test_features_are_those_of_plain_keras(
    random: Callable[[str], Cnn], name: str, freeze: Freeze, model: Model, photos: list[str], output: OutputOf
) -> None:
    check_against_keras(random(name), freeze, model, photos, output)


@pytest.mark.parametrize("name", NETS[1:])
def test_features_of_real_weights_are_those_of_plain_keras(
    real: Callable[[str], Cnn], name: str, freeze: Freeze, model: Model, photos: list[str], output: OutputOf
) -> None:
    check_against_keras(real(name), freeze, model, photos, output)


def check_against_keras(cnn: Cnn, freeze: Freeze, model: Model, photos: list[str], output: OutputOf) -> None:
    """Compare exploration points with a call of the Keras model on pixels that Keras itself preprocesses."""
    import keras

    pixels = np.stack([decode(path, *cnn.input_size) for path in photos[:3]])
    batch = np.zeros((cnn.batch_rows, *cnn.input_size, 3), np.uint8)
    batch[:3] = pixels
    names = cnn.points[-5:]
    ours = freeze(Pass(cnn, None, tuple(output(cnn, name) for name in names)))(batch)
    net = model(cnn)
    symbolic = tensors(net)
    floats = pixels.astype(np.float32)
    if cnn.preprocessing is Preprocessing.CAFFE_RGB:
        floats -= np.float32([123, 117, 104])
    elif cnn.preprocessing is not Preprocessing.NONE:
        floats = keras.applications.imagenet_utils.preprocess_input(floats, mode=cnn.preprocessing.value)
    theirs = keras.Model(net.input, [symbolic[name] for name in names])(floats, training=False)
    for name, our, their in zip(names, ours, theirs, strict=True):
        expected = np.asarray(their)
        if expected.ndim == 4:
            expected = expected.mean(axis=(1, 2), dtype=np.float64)
        assert np.abs(expected).max() > 0
        assert np.abs(our[:3] - expected).max() <= 1e-4 * np.abs(expected).max(), name


@pytest.mark.parametrize("name", ["squeezenet", "mobilenet_v1", "mobilenet_v2"])
def test_real_cnns_see_what_is_on_the_photos(
    real: Callable[[str], Cnn], name: str, freeze: Freeze, weights: Path
) -> None:
    cnn = real(name)
    index = json.loads((weights / "index.json").read_text())
    stem = Path(cnn.builder.partition(":")[2]).stem
    expected: dict[str, list[list[object]]] = index[stem]["top3_on_photos"]
    assert len(expected) == 6
    batch = np.zeros((cnn.batch_rows, *cnn.input_size, 3), np.uint8)
    for row, file in zip(batch, expected, strict=False):
        row[...] = decode(str(weights / "photos" / file), *cnn.input_size)
    last = Output(cnn.layers[-1].name, WHOLE)
    (scores,) = freeze(Pass(cnn, None, (last,)))(batch)
    lines = (weights / "imagenet_labels_1000.txt").read_text().splitlines()
    labels = [line.partition(",")[0] for line in lines]
    for row, (file, known) in zip(scores, expected.items(), strict=False):
        # Two classes as likely as each other to three digits may come in either order.
        certain = [label for label, share in known if isinstance(share, float) and share >= 0.01]
        assert [labels[place] for place in np.argsort(-row)[: len(certain)]] == certain, file


def test_every_pooling_is_what_numpy_gives(strokes: Cnn, freeze: Freeze, blobs: Draw) -> None:
    batch = blobs(strokes)
    pools = (GAP, GMP, Pool(PoolKind.MAX, 2, 2), Pool(PoolKind.AVG, 4, 5), WHOLE)
    whole = freeze(Pass(strokes, None, (), ("conv3",)))(batch)[0]
    assert whole.shape == (strokes.batch_rows, *strokes.by_name["conv3"].shape)
    found = freeze(Pass(strokes, None, tuple(Output("conv3", pool) for pool in pools)))(batch)
    for pool, features in zip(pools, found, strict=True):
        assert features.shape[1] == pool.feature_width(whole.shape[1:])
    assert np.allclose(found[0], whole.mean((1, 2)), rtol=1e-5, atol=1e-6)
    assert np.array_equal(found[1], whole.max((1, 2)))
    assert np.array_equal(found[2], whole.reshape(-1, 2, 6, 2, 6, whole.shape[-1]).max((2, 4)).reshape(len(batch), -1))
    cells = [
        whole[:, 12 * row // 4 : 12 * (row + 1) // 4, left:right].mean((1, 2))
        for row in range(4)
        for left, right in ((0, 3), (2, 5), (4, 8), (7, 10), (9, 12))
    ]
    assert np.allclose(found[3], np.concatenate(cells, axis=1), rtol=1e-5, atol=1e-6)
    assert np.array_equal(found[4], whole.reshape(len(batch), -1))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Preprocessing.NONE, (10, 100, 200)),
        (Preprocessing.UNIT, (10 / 255, 100 / 255, 200 / 255)),
        (Preprocessing.TF, (10 / 127.5 - 1, 100 / 127.5 - 1, 200 / 127.5 - 1)),
        (Preprocessing.CAFFE, (200 - 103.939, 100 - 116.779, 10 - 123.68)),
        (Preprocessing.CAFFE_RGB, (10 - 123, 100 - 117, 200 - 104)),
        (Preprocessing.TORCH, ((10 / 255 - 0.485) / 0.229, (100 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225)),
    ],
)
def test_preprocessing(strokes: Cnn, freeze: Freeze, how: Preprocessing, expected: tuple[float, ...]) -> None:
    cnn = replace(strokes, preprocessing=how)
    batch = np.broadcast_to(np.array([10, 100, 200], np.uint8), (cnn.batch_rows, *cnn.input_size, 3))
    pixels = cnn.input_layer.name
    (found,) = freeze(Pass(cnn, None, (Output(pixels, GMP),)))(np.ascontiguousarray(batch))
    assert np.allclose(found, expected, rtol=1e-6)
