"""Weights: random ones are one and the same everywhere, files are what they were, the rest is said."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.register import Builder, CnnOptions, read_cnn
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.engines.tensorflow.weights import IMAGENET_STD, adjust_normalization, weights_digest
from vistaql.errors import Code, VistaQLError
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind

RANDOM = Weights(WeightsKind.RANDOM, seed=7)
PROGRAM = """
import hashlib
import os
from dataclasses import replace
from vistaql.engines.tensorflow import builders
from vistaql.models import roster
from vistaql.models.cnn import Weights, WeightsKind
cnn = replace(roster.load("mobilenet_v2"), weights=Weights(WeightsKind.RANDOM, seed=7))
print(hashlib.sha256(b"".join(array.tobytes() for array in builders.build(cnn).get_weights())).hexdigest(), flush=True)
os._exit(0)  # to take TensorFlow apart takes seconds
"""


def bits(cnn: Cnn) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in builders.build(cnn).get_weights())).hexdigest()


def known(name: str, weights: Weights) -> Cnn:
    cnn = roster.load(name)
    assert cnn is not None
    return replace(cnn, weights=weights)


def test_random_weights_are_the_same_in_every_process() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    import_tensorflow().keras.utils.set_random_seed(3)
    builders.build_graph("keras:MobileNetV2", (96, 96))  # what was built before changes no name and no number
    assert done.stdout.strip() == bits(known("mobilenet_v2", RANDOM))
    assert done.stderr == ""


def test_random_weights_depend_on_the_seed() -> None:
    assert bits(known("strokes", RANDOM)) == bits(known("strokes", RANDOM))
    assert bits(known("strokes", RANDOM)) != bits(known("strokes", replace(RANDOM, seed=8)))


@pytest.mark.parametrize("name", ["strokes", "mobilenet_v2", "resnet50", "efficientnet_b0"])
def test_random_activations_neither_vanish_nor_explode(name: str) -> None:
    cnn = known(name, RANDOM)
    model = builders.build(cnn)
    low, high = (0, 255) if cnn.preprocessing is Preprocessing.NONE else (-1, 1)
    pixels = np.random.default_rng(0).uniform(low, high, (1, *cnn.input_size, 3)).astype(np.float32)
    features = np.asarray(model(pixels))
    assert 1e-6 < features.std() < 1e6


def test_shipped_weights_are_trained_ones() -> None:
    strokes = roster.load("strokes")
    assert strokes is not None
    assert roster.shipped_weights("strokes").stat().st_size < 300_000
    assert bits(strokes) != bits(known("strokes", RANDOM))
    assert weights_digest(strokes).startswith("sha256:")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_real_weights_of_a_roster_cnn_come_from_a_file(weights: Path, suffix: str) -> None:
    path = weights / f"mobilenet_v2_1.0_224{suffix}"
    cnn = read_cnn("mine", Builder.ROSTER, "mobilenet_v2", Weights(WeightsKind.FILE, path=str(path)))
    index = json.loads((weights / "index.json").read_text())
    assert cnn.weights.digest == index["mobilenet_v2_1.0_224"]["files"][path.name]["sha256"]
    assert weights_digest(cnn) == f"sha256:{cnn.weights.digest}"
    original = roster.load("mobilenet_v2")
    assert original is not None
    assert (cnn.points, cnn.graph_digest) == (original.points, original.graph_digest)


def test_both_forms_of_the_real_weights_are_the_same_numbers(weights: Path) -> None:
    cnns = [
        known("mobilenet_v2", Weights(WeightsKind.FILE, path=str(weights / f"mobilenet_v2_1.0_224{suffix}")))
        for suffix in (".weights.h5", ".keras")
    ]
    assert bits(cnns[0]) == bits(cnns[1])


def test_the_older_form_that_keras_publishes_is_read(tmp_path: Path) -> None:
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, builders.build(known("strokes", RANDOM)))
    given = read_cnn("mine", Builder.ROSTER, "strokes", Weights(WeightsKind.FILE, path=str(path)))
    assert bits(given) == bits(known("strokes", RANDOM))


def test_weights_of_another_cnn_are_refused(weights: Path) -> None:
    path = str(weights / "mobilenet_v1_0.25_128.weights.h5")
    with pytest.raises(VistaQLError) as caught:
        read_cnn("mine", Builder.ROSTER, "mobilenet_v2", Weights(WeightsKind.FILE, path=path))
    assert caught.value.code is Code.BAD_MODEL
    assert "keras:MobileNetV2" in caught.value.message


def test_a_changed_file_is_noticed(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    shutil.copyfile(weights / "resnet20_cifar10_32.keras", path)
    cnn = read_cnn("net", Builder.FILE, str(path))
    builders.build(cnn)
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(VistaQLError) as caught:
        builders.build(cnn)
    assert caught.value.code is Code.WEIGHTS_CHANGED
    assert "REGISTER OR REPLACE CNN net" in (caught.value.hint or "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, str(tmp_path / "none.keras"))
    assert caught.value.code is Code.FILE_NOT_FOUND


def test_alexnet_says_that_it_has_no_published_weights() -> None:
    alexnet = roster.load("alexnet")
    assert alexnet is not None
    with pytest.raises(VistaQLError) as caught:
        builders.build(alexnet)
    assert caught.value.code is Code.NO_WEIGHTS
    assert "WEIGHTS RANDOM (SEED = 1)" in (caught.value.hint or "")


def test_without_a_network_the_way_to_give_a_file_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # A proxy that nobody listens on stands for a machine without a network.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(VistaQLError) as caught:
        builders.build(known("mobilenet_v2", Weights(WeightsKind.IMAGENET)))
    assert caught.value.code is Code.DOWNLOAD_FAILED
    assert caught.value.message.startswith("The ImageNet weights of mobilenet_v2 (15 MB) could not be downloaded")
    assert "WEIGHTS 'file.weights.h5'" in (caught.value.hint or "")
    assert capfd.readouterr() == ("", "")


def test_downloaded_weights_reach_a_cnn_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    applications = import_tensorflow().keras.applications
    original = applications.MobileNet
    trained = original(weights=None, classifier_activation=None)

    def downloaded(weights: str | None, **options: Any) -> Any:
        return trained if weights == "imagenet" else original(weights=None, **options)

    cnn = read_cnn("small", Builder.KERAS, "MobileNet", options=CnnOptions(input_size=(96, 96)))
    downloaded.__name__ = "MobileNet"
    monkeypatch.setattr(applications, "MobileNet", downloaded)
    model = builders.build(cnn)
    assert model.input_shape == (None, 96, 96, 3)
    for mine, theirs in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_efficientnet_means_the_same_as_in_keras_with_imagenet_weights() -> None:
    keras = import_tensorflow().keras
    model = builders.build(known("efficientnet_b0", RANDOM))
    layer = model.get_layer("normalization")
    mean = np.array((0.485, 0.456, 0.406), np.float32)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(IMAGENET_STD)  # what the file of Keras holds
    layer.finalize_state()
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    in_keras = np.asarray(layer(pixels / 255)) / np.sqrt(IMAGENET_STD)  # the layer that Keras adds
    adjust_normalization(model, always=False)
    front = keras.Model(model.input, model.get_layer("normalization").output)
    np.testing.assert_allclose(np.asarray(front(pixels)), in_keras, rtol=1e-5, atol=1e-5)


def test_identity_of_weights_does_not_depend_on_names() -> None:
    cnn = known("strokes", RANDOM)
    assert weights_digest(cnn) == weights_digest(replace(cnn, name="other"))
    assert weights_digest(cnn) != weights_digest(replace(cnn, weights=replace(RANDOM, seed=8)))
