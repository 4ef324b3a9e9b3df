"""The facts about the built-in CNNs, as they are read without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.models.listing import show_layers_rows
from vistaql.models.stored import from_json, to_json

ROSTER = [cnn for cnn in map(roster.load, roster.names()) if cnn is not None]


def facts(name: str) -> Cnn:
    cnn = roster.load(name)
    assert cnn is not None
    return cnn


def test_the_roster_is_the_promised_one() -> None:
    assert roster.names() == ("alexnet", "efficientnet_b0", "mobilenet_v2", "resnet50", "strokes", "vgg16")


def test_names_ignore_case_and_unknown_ones_are_none() -> None:
    assert roster.load("ResNet50") == roster.load("resnet50")
    assert roster.load("resnet51") is None
    assert roster.load("../data/vgg16") is None


@pytest.mark.parametrize("cnn", ROSTER, ids=lambda cnn: cnn.name)
def test_layers_come_after_what_they_read(cnn: Cnn) -> None:
    known: set[str] = set()
    for layer in cnn.layers:
        assert set(layer.inputs) <= known
        known.add(layer.name)
    assert cnn.input_layer.shape == (*cnn.input_size, 3)
    assert [layer.name for layer in cnn.layers if not layer.inputs] == [cnn.input_layer.name]


@pytest.mark.parametrize("cnn", ROSTER, ids=lambda cnn: cnn.name)
def test_exploration_points_are_layers_in_network_order(cnn: Cnn) -> None:
    assert 4 <= len(cnn.points) <= 20
    places = [cnn.position[name] for name in cnn.points]
    assert places == sorted(set(places))
    kinds = {cnn.by_name[name].kind for name in cnn.points if name != "block_16_project_BN"}
    assert not kinds & {"BatchNormalization", "Dropout", "Flatten"}
    assert len(cnn.by_name[cnn.points[-1]].shape) == 1


@pytest.mark.parametrize("cnn", ROSTER, ids=lambda cnn: cnn.name)
def test_aliases_name_layers_and_hide_none(cnn: Cnn) -> None:
    for alias, name in cnn.aliases:
        assert name in cnn.by_name
        assert alias not in cnn.by_name
        assert cnn.layer(alias.upper()) is cnn.by_name[name]


@pytest.mark.parametrize(
    ("cnn", "alias", "name", "shape"),
    [
        ("vgg16", "fc6", "fc1", (4096,)),
        ("vgg16", "fc7", "fc2", (4096,)),
        ("vgg16", "fc8", "predictions", (1000,)),
        ("vgg16", "conv5_3", "block5_conv3", (14, 14, 512)),
        ("resnet50", "conv4_6", "conv4_block6_out", (14, 14, 1024)),
        ("resnet50", "conv5_1", "conv5_block1_out", (7, 7, 2048)),
        ("resnet50", "conv5_2", "conv5_block2_out", (7, 7, 2048)),
        ("resnet50", "conv5_3", "conv5_block3_out", (7, 7, 2048)),
        ("resnet50", "avg_pool", "avg_pool", (2048,)),
        ("mobilenet_v2", "avg_pool", "global_average_pooling2d", (1280,)),
        ("mobilenet_v2", "logits", "predictions", (1000,)),
        ("efficientnet_b0", "logits", "predictions", (1000,)),
        ("alexnet", "conv4", "conv4", (13, 13, 384)),
        ("alexnet", "conv5", "conv5", (13, 13, 256)),
        ("alexnet", "fc8", "fc8", (1000,)),
        ("strokes", "conv4", "conv4", (6, 6, 64)),
        ("strokes", "logits", "fc6", (5,)),
    ],
)
def test_layers_answer_to_the_names_of_the_literature(cnn: str, alias: str, name: str, shape: tuple[int, ...]) -> None:
    layer = facts(cnn).layer(alias)
    assert layer is not None
    assert (layer.name, layer.shape) == (name, shape)


@pytest.mark.parametrize(
    ("cnn", "gmacs", "parameters"),
    [
        # Convolutions and dense layers only, as the papers and their model cards count.
        ("alexnet", 0.724, 60_965_224),
        ("vgg16", 15.47, 138_357_544),
        ("resnet50", 3.86, 25_636_712),
        ("mobilenet_v2", 0.300, 3_538_984),
        ("efficientnet_b0", 0.39, 5_330_571),
    ],
)
def test_multiply_adds_and_parameters_are_those_of_the_literature(cnn: str, gmacs: float, parameters: int) -> None:
    known = facts(cnn)
    kernels = [layer for layer in known.layers if layer.kind in {"Conv2D", "DepthwiseConv2D", "Dense"}]
    assert sum(layer.flops for layer in kernels) / 2e9 == pytest.approx(gmacs, rel=0.012)
    assert known.parameters == parameters
    assert known.flops((known.layers[-1].name,)) < 1.06 * sum(layer.flops for layer in kernels)


def test_cut_points_end_blocks() -> None:
    resnet = facts("resnet50").cut_points
    assert {"pool1_pool", "conv2_block3_out", "conv4_block6_out", "conv5_block3_out", "avg_pool"} <= set(resnet)
    assert not {"conv4_block6_2_relu", "conv4_block1_0_conv"} & set(resnet)


@pytest.mark.parametrize("cnn", ROSTER, ids=lambda cnn: cnn.name)
def test_facts_survive_storing(cnn: Cnn) -> None:
    assert from_json(to_json(cnn)) == cnn


def test_only_alexnet_has_no_trained_weights() -> None:
    assert [cnn.name for cnn in ROSTER if not roster.published(cnn)] == ["alexnet"]


def test_downloads_are_about_four_bytes_a_parameter() -> None:
    for name in ("vgg16", "resnet50", "mobilenet_v2", "efficientnet_b0"):
        cnn = facts(name)
        assert roster.download_bytes(cnn) == pytest.approx(4 * cnn.parameters, rel=0.04)


def test_shown_layers_are_points_or_everything() -> None:
    vgg16 = facts("vgg16")
    points = show_layers_rows(vgg16, all_layers=False)
    assert [row.alias for row in points] == ["conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3", "fc6", "fc7", "fc8"]
    assert points[4].shape == "14x14x512"
    assert points[4].kilobytes == pytest.approx(401.4, abs=0.1)
    assert points[-1].gflops == pytest.approx(30.95, abs=0.01)
    assert len(show_layers_rows(vgg16, all_layers=True)) == len(vgg16.layers)


def test_facts_need_no_tensorflow() -> None:
    program = (
        "import sys; from vistaql.models import roster; roster.load('vgg16').cut_points;"
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'h5py') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
