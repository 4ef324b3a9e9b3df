"""Model files that could do more than compute are refused, and what they try to do is not done."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vistaql.engines.tensorflow.archive import check_archive, check_weights_file
from vistaql.engines.tensorflow.register import Builder, read_cnn
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.errors import Code, VistaQLError
from vistaql.models.cnn import Weights, WeightsKind

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The members of a harmless model, which each test makes harmful in its own way."""
    keras = import_tensorflow().keras
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="conv"), keras.layers.ReLU(name="relu")]
    path = tmp_path_factory.mktemp("good") / "net.keras"
    keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(2, name="dense")]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(folder: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> str:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def reconfigured(members: Members, change: Callable[[dict[str, Any]], None]) -> Members:
    config = json.loads(members["config.json"])
    change(config)
    return members | {"config.json": json.dumps(config).encode()}


def with_layer(layer: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"].insert(2, {"registered_name": None, **layer})

    return change


def with_setting(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"][name] = value

    return change


def refused(path: str, code: Code) -> VistaQLError:
    """Both the check alone and the whole registration refuse the file."""
    for attempt in (lambda: check_archive(path), lambda: read_cnn("net", Builder.FILE, path)):
        with pytest.raises(VistaQLError) as caught:
            attempt()
        assert caught.value.code is code, caught.value
    return caught.value


def test_the_unchanged_model_is_taken(good: Members, tmp_path: Path) -> None:
    assert read_cnn("net", Builder.FILE, write(tmp_path, good)).parameters == 2 * 27 + 2 + 72 * 2 + 2


def call_of(canary: Path) -> dict[str, Any]:
    return {"class_name": "function", "module": "os", "config": "system", "registered_name": f"touch {canary}"}


HARMFUL_LAYERS = {
    "lambda": {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "x", "function": "CALL"}},
    "marshalled code": {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "x", "function": {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}},
    },
    "saved model": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/x"}},
    "foreign module": {"module": "os", "class_name": "system", "config": {"command": "CALL"}},
    "download": {
        "module": "keras.utils",
        "class_name": "get_file",
        "config": {"fname": "../../canary", "origin": "file:///etc/hostname"},
    },
    "safe mode off": {
        "module": "keras.config",
        "class_name": "function",
        "config": "enable_unsafe_deserialization",
    },
    "custom object": {
        "module": "keras.layers",
        "class_name": "Dense",
        "registered_name": "mine>Dense",
        "config": {"units": 1},
    },
    "no module": {"module": None, "class_name": "Mine", "config": {}, "registered_name": "mine>Mine"},
    "list of classes": {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
    "torch": {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": "CALL"}},
    "nested": {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"layers": [{"module": "keras.layers", "class_name": "Lambda", "config": {"function": "CALL"}}]},
    },
    "wrapped": {
        "module": "keras.layers",
        "class_name": "SpectralNormalization",
        "config": {"layer": {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "CALL"}}},
    },
}


@pytest.mark.parametrize("layer", HARMFUL_LAYERS.values(), ids=HARMFUL_LAYERS)
def test_layers_that_run_code_are_refused(good: Members, tmp_path: Path, layer: dict[str, Any]) -> None:
    canary = tmp_path / "canary"
    text = json.dumps(layer).replace('"CALL"', json.dumps(call_of(canary)))
    refused(write(tmp_path, reconfigured(good, with_layer(json.loads(text)))), Code.UNSAFE_MODEL)
    assert not canary.exists()


@pytest.mark.parametrize("setting", ["activation", "kernel_initializer", "kernel_regularizer", "dtype"])
def test_settings_that_run_code_are_refused(good: Members, tmp_path: Path, setting: str) -> None:
    canary = tmp_path / "canary"
    refused(write(tmp_path, reconfigured(good, with_setting(setting, call_of(canary)))), Code.UNSAFE_MODEL)
    assert not canary.exists()


def test_a_class_of_ones_own_is_refused(good: Members, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config.update(module="mine", class_name="Net", registered_name="mine>Net")

    refused(write(tmp_path, reconfigured(good, change)), Code.UNSAFE_MODEL)


def test_how_a_model_was_trained_is_not_read(good: Members, tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    def change(config: dict[str, Any]) -> None:
        config["compile_config"] = {"loss": call_of(canary), "optimizer": call_of(canary)}

    read_cnn("net", Builder.FILE, write(tmp_path, reconfigured(good, change)))
    assert not canary.exists()


@pytest.mark.parametrize("member", ["../canary", "assets/canary", "/canary", "model.weights.npz"])
def test_other_members_are_refused(good: Members, tmp_path: Path, member: str) -> None:
    refused(write(tmp_path, {**good, member: b"tweet"}), Code.UNSAFE_MODEL)
    assert not (tmp_path.parent / "canary").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(good: Members, tmp_path: Path) -> None:
    path = write(tmp_path, good)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", b"{}")
    refused(path, Code.UNSAFE_MODEL)


def test_a_bomb_is_refused(good: Members, tmp_path: Path) -> None:
    bomb = good | {"config.json": good["config.json"] + b" " * 50_000_000}
    refused(write(tmp_path, bomb, zipfile.ZIP_DEFLATED), Code.UNSAFE_MODEL)


def test_layers_beyond_all_size_are_refused(good: Members, tmp_path: Path) -> None:
    refused(write(tmp_path, reconfigured(good, with_setting("filters", 2**40))), Code.UNSAFE_MODEL)


def test_deep_nesting_is_refused(good: Members, tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    refused(write(tmp_path, reconfigured(good, with_setting("padding", deep))), Code.UNSAFE_MODEL)
    refused(write(tmp_path, good | {"config.json": b"[" * 1_000_000}), Code.BAD_MODEL)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_part_of_a_file_is_refused(good: Members, tmp_path: Path, share: float) -> None:
    path = Path(write(tmp_path, good))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(str(path), Code.BAD_MODEL)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5", "metadata.json"])
def test_a_file_without_one_of_its_parts_is_refused(good: Members, tmp_path: Path, member: str) -> None:
    refused(write(tmp_path, {name: data for name, data in good.items() if name != member}), Code.BAD_MODEL)


def test_flipped_bits_are_noticed(good: Members, tmp_path: Path) -> None:
    path = Path(write(tmp_path, good))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    refused(str(path), Code.BAD_MODEL)


@pytest.mark.parametrize("data", [b"", b"not json", b"[]", b'{"class_name": 7}', b"\xff\xfe"])
def test_a_configuration_that_is_none_is_refused(good: Members, tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path, good | {"config.json": data})
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, path)
    assert caught.value.code in {Code.BAD_MODEL, Code.UNSAFE_MODEL}


def test_weights_that_do_not_fit_the_graph_are_refused(good: Members, tmp_path: Path) -> None:
    path = write(tmp_path, reconfigured(good, with_setting("filters", 3)))
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.FILE, path)
    assert caught.value.code is Code.BAD_MODEL


@pytest.mark.parametrize("name", ["net.h5", "net.pkl", "net.pt", "net"])
def test_other_kinds_of_files_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    error = refused(str(path), Code.BAD_MODEL)
    assert "model.save('net.keras')" in (error.hint or "")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "net.keras").mkdir()
    refused(str(tmp_path / "net.keras"), Code.UNREADABLE_FILE)


# The weights alone: HDF5 files can point anywhere.


def external_link(file: h5py.File, secret: Path) -> None:
    file["layers/dense/vars/0"] = h5py.ExternalLink(str(secret), "/secret")


def soft_link(file: h5py.File, _: Path) -> None:
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers")


def outside_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("layers/dense/vars/0", (2,), "f4", external=[(str(secret), 0, 8)])


def virtual_dataset(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "secret", (2,))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def shape_bomb(file: h5py.File, _: Path) -> None:
    file.create_dataset("layers/dense/vars/0", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip")


POINTERS = [external_link, soft_link, outside_storage, virtual_dataset, shape_bomb]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["secret"] = np.ones(2, np.float32)
    return path


@pytest.mark.parametrize("harm", POINTERS, ids=lambda harm: harm.__name__)
def test_weights_that_reach_outside_are_refused(
    good: Members, tmp_path: Path, secret: Path, harm: Callable[[h5py.File, Path], None]
) -> None:
    path = tmp_path / "net.weights.h5"
    with h5py.File(path, "w") as file:
        harm(file, secret)
    with pytest.raises(VistaQLError) as caught:
        check_weights_file(str(path))
    assert caught.value.code is Code.UNSAFE_MODEL
    with pytest.raises(VistaQLError) as caught:
        read_cnn("net", Builder.ROSTER, "strokes", Weights(WeightsKind.FILE, path=str(path)))
    assert caught.value.code is Code.UNSAFE_MODEL
    refused(write(tmp_path, good | {"model.weights.h5": path.read_bytes()}), Code.UNSAFE_MODEL)


@pytest.mark.parametrize("data", [b"", b"\x89HDF\r\n\x1a\n", bytes(1000)])
def test_weights_that_are_no_hdf5_are_refused(good: Members, tmp_path: Path, data: bytes) -> None:
    refused(write(tmp_path, good | {"model.weights.h5": data}), Code.BAD_MODEL)
    path = tmp_path / "net.weights.h5"
    path.write_bytes(data)
    with pytest.raises(VistaQLError) as caught:
        check_weights_file(str(path))
    assert caught.value.code is Code.BAD_MODEL


def test_random_damage_never_raises_anything_else(good: Members, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    whole = Path(write(tmp_path, good)).read_bytes()
    path = tmp_path / "damaged.keras"
    for _ in range(300):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 1 + int(random.integers(4))):
            data[place] = int(random.integers(256))
        path.write_bytes(data)
        try:
            check_archive(str(path))
        except VistaQLError as error:
            assert error.code in {Code.BAD_MODEL, Code.UNSAFE_MODEL}  # noqa: PT017, most damage is noticed, some is not


def test_a_loop_in_the_weights_ends(tmp_path: Path) -> None:
    path = tmp_path / "net.weights.h5"
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["a"] = file["/"]  # a hard link to the group it lies in
    path.write_bytes(buffer.getvalue())
    with pytest.raises(VistaQLError) as caught:
        check_weights_file(str(path))
    assert caught.value.code is Code.BAD_MODEL
