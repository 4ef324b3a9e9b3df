"""Any CNN of Keras and any .keras file can be registered; what is read off them fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.siblings import write_sibling
from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.register import Builder, CnnOptions, read_cnn
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.errors import Code, VistaQLError
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind
from vistaql.models.stored import from_json, to_json
from vistaql.models.union import union_of

FILES = ("squeezenet_v1.0_227", "resnet20_cifar10_32", "mobilenet_v1_0.25_128", "mobilenet_v2_1.0_224")


@pytest.mark.parametrize("stem", FILES)
def test_real_files_have_the_facts_of_their_index(weights: Path, stem: str) -> None:
    index = json.loads((weights / "index.json").read_text())[stem]
    cnn = read_cnn("net", Builder.FILE, str(weights / f"{stem}.keras"), options=CnnOptions(Preprocessing.TF))
    assert cnn.parameters == index["params"]
    assert cnn.input_size == (index["size"], index["size"])
    assert {name: list(cnn.by_name[name].shape) for name in index["layers"]} == index["layers"]
    assert cnn.weights.digest == index["files"][f"{stem}.keras"]["sha256"]
    assert cnn.preprocessing is Preprocessing.TF
    assert 4 <= len(cnn.points) <= 20
    assert from_json(to_json(cnn)) == cnn
    assert list(builders.tensors(builders.build(cnn))) == [layer.name for layer in cnn.layers]


def test_cnns_with_weights_of_their_own_begin_alike_up_to_the_layer_that_was_tuned(tmp_path: Path) -> None:
    model = builders.build_graph("vistaql:strokes", None)
    model.save_weights(tmp_path / "one.weights.h5")
    tuned = model.get_layer("fc5")
    tuned.set_weights([array + 1 for array in tuned.get_weights()])
    model.save_weights(tmp_path / "other.weights.h5")
    one, other = (
        read_cnn(name, Builder.ROSTER, "strokes", Weights(WeightsKind.FILE, str(tmp_path / f"{name}.weights.h5")))
        for name in ("one", "other")
    )
    union = union_of(one, other)
    assert union is not None
    assert union.name == "one + other"
    assert [layer.name for layer in union.layers[-4:]] == ["fc5", "fc6", "other.fc5", "other.fc6"]
    random = read_cnn("random", Builder.ROSTER, "strokes", Weights(WeightsKind.RANDOM, seed=1))
    assert union_of(one, random) is None


def test_random_weights_have_nothing_in_common_with_those_of_the_file(tmp_path: Path) -> None:
    path = str(write_sibling(tmp_path, "birds"))
    as_it_is = read_cnn("birds", Builder.FILE, path)
    random = read_cnn("random", Builder.FILE, path, Weights(WeightsKind.RANDOM, seed=1))
    assert all(layer.prefix for layer in as_it_is.layers)
    assert not any(layer.prefix for layer in random.layers)


def test_points_of_files_are_ends_of_blocks(weights: Path) -> None:
    squeezenet, resnet20, mobilenet = (
        read_cnn("net", Builder.FILE, str(weights / f"{stem}.keras")).points for stem in FILES[:3]
    )
    assert squeezenet == (*(f"fire{n}_concat" for n in range(2, 10)), "conv10", "pool10")
    blocks = [f"stage{stage}_block{block}_out" for stage in (1, 2, 3) for block in (1, 2, 3)]
    assert resnet20 == (*blocks, "avg_pool", "predictions")
    pointwise = [f"conv_pw_{n}_relu" for n in range(1, 14)]
    assert mobilenet == ("conv1_relu", *pointwise, "global_average_pooling2d", "conv_preds")


@pytest.mark.parametrize(
    ("source", "size", "preprocessing"),
    [
        ("MobileNet", 224, Preprocessing.TF),
        ("densenet121", 224, Preprocessing.TORCH),
        ("Xception", 299, Preprocessing.TF),
        ("mobilenet_v3_small", 224, Preprocessing.NONE),
        ("ResNet50V2", 224, Preprocessing.TF),
        ("EfficientNetV2B0", 224, Preprocessing.NONE),
    ],
)
def test_cnns_of_keras_have_their_own_size_and_preprocessing(
    source: str, size: int, preprocessing: Preprocessing
) -> None:
    cnn = read_cnn("net", Builder.KERAS, source)
    assert cnn.input_size == (size, size)
    assert cnn.preprocessing is preprocessing
    assert cnn.weights == Weights(WeightsKind.IMAGENET)
    assert 4 <= len(cnn.points) <= 20
    logits = cnn.layer("logits")
    assert logits is not None
    assert logits.shape[-1] == 1000


def test_the_size_can_be_chosen() -> None:
    random = Weights(WeightsKind.RANDOM, seed=1)
    cnn = read_cnn("net", Builder.KERAS, "MobileNet", random, CnnOptions(input_size=(96, 128)))
    assert cnn.input_size == (96, 128)
    assert builders.build(cnn).input_shape == (None, 96, 128, 3)


def test_unknown_cnns_are_answered_with_the_nearest() -> None:
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.KERAS, "MobilNet")
    assert caught.value.code is Code.UNKNOWN_CNN
    assert "Did you mean MobileNet?" in (caught.value.hint or "")


def test_a_size_that_is_too_small_is_an_option_value_error() -> None:
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.KERAS, "VGG16", options=CnnOptions(input_size=(8, 8)))
    assert caught.value.code is Code.BAD_OPTION_VALUE


def test_a_file_of_fixed_size_refuses_another(weights: Path) -> None:
    path = str(weights / "resnet20_cifar10_32.keras")
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, path, options=CnnOptions(input_size=(64, 64)))
    assert caught.value.code is Code.BAD_OPTION_VALUE
    assert "32x32" in caught.value.message


def save(model: Any, folder: Path) -> str:
    path = folder / "net.keras"
    model.save(path)
    return str(path)


def nested(keras: Any, size: int | None = 40) -> Any:
    """A model as people fine-tune it: a frozen part inside, augmentation before it, arithmetic in between."""
    inner_input = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="deep1")(inner_input)
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="deep2")(x))
    inner = keras.Model(inner_input, x, name="base")
    flip = keras.Sequential([keras.layers.RandomFlip("horizontal")], name="augment")
    pixels = keras.Input((size, size, 3))
    x = inner(flip(pixels) / 127.5 - 1.0)
    again = keras.layers.ReLU(name="again")
    x = again(keras.layers.Conv2D(8, 3, padding="same", name="conv")(again(x)) + x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(pixels, keras.layers.Dense(3, name="head")(x))
    model.compile("adam", "mse")
    return model


def outputs(cnn: Cnn, pixels: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray(builders.build(cnn)(pixels, training=False))


def test_a_model_of_models_is_opened_and_computes_the_same(tmp_path: Path) -> None:
    keras = import_tensorflow().keras
    model = nested(keras)
    model.layers[-1].set_weights([array + 0.5 for array in model.layers[-1].get_weights()])
    cnn = read_cnn("net", Builder.FILE, save(model, tmp_path))
    assert {"deep1", "deep2", "conv", "again", "head"} <= set(cnn.by_name)
    assert cnn.parameters == model.count_params()
    assert [layer.name for layer in cnn.layers if layer.kind == "ReLU"] == ["again", f"{model.name}_again"]
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 40, 40, 3)).astype(np.float32)
    np.testing.assert_allclose(outputs(cnn, pixels), np.asarray(model(pixels, training=False)), rtol=1e-5)


def test_an_open_size_is_asked_for_and_then_fixed(tmp_path: Path) -> None:
    keras = import_tensorflow().keras
    path = save(nested(keras, size=None), tmp_path)
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, path)
    assert caught.value.code is Code.BAD_MODEL
    assert "input_size" in (caught.value.hint or "")
    cnn = read_cnn("net", Builder.FILE, path, options=CnnOptions(input_size=(64, 48)))
    assert cnn.by_name["deep1"].shape == (62, 46, 4)
    assert builders.build(cnn).input_shape == (None, 64, 48, 3)
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, path, options=CnnOptions(input_size=(3, 3)))
    assert caught.value.code is Code.BAD_OPTION_VALUE


def test_a_sequential_model_is_read_like_any_other(tmp_path: Path) -> None:
    keras = import_tensorflow().keras
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="c1"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(6, 3, activation="relu", name="c2"),
            layers.DepthwiseConv2D(3, name="c3"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(7, activation="relu", name="d1"),
            layers.Dense(2, activation="softmax", name="d2"),
        ]
    )
    cnn = read_cnn("net", Builder.FILE, save(model, tmp_path))
    assert cnn.points == ("c1", "c2", "d1", "d2")
    flops = {layer.name: layer.flops for layer in cnn.layers}
    assert flops["c1"] == 2 * 30 * 30 * 4 * 27
    assert flops["c2"] == 2 * 13 * 13 * (9 * 4 + 4 * 6)
    assert flops["c3"] == 2 * 11 * 11 * 6 * 9
    assert flops["d1"] == 2 * 11 * 11 * 6 * 7


@pytest.mark.parametrize("channels", [1, 4])
def test_models_that_take_no_rgb_are_refused(tmp_path: Path, channels: int) -> None:
    keras = import_tensorflow().keras
    model = keras.Sequential([keras.Input((8, 8, channels)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, save(model, tmp_path))
    assert caught.value.code is Code.BAD_MODEL
    assert "RGB" in caught.value.message


def test_models_of_half_precision_are_refused(tmp_path: Path) -> None:
    keras = import_tensorflow().keras
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, dtype="mixed_bfloat16")])
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, save(model, tmp_path))
    assert "bfloat16" in caught.value.message
