"""Model files are data from anywhere: they are looked through before Keras reads them.

A .keras file is a zip of a configuration (JSON) and weights (HDF5). Here an allow-list of layers decides what may be
built, links out of the weights are refused, and so are sizes that the file does not hold. Keras' own safe mode is the
second wall, not the first.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vistaql.engines.tensorflow.runtime import held_stderr, import_tensorflow
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    import h5py
    import keras

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
LARGEST_CONFIG = 64 * 10**6  # bytes; NASNetLarge, the longest of Keras' own, has under 2 MB
LARGEST_EXPANSION = 100  # a member's bytes to its bytes in the archive; Keras does not compress at all
DEEPEST_CONFIG = 64

# What may be built from a file. Layers outside Keras, and those that run code given in the file, are not on it.
SAFE_LAYERS = frozenset(
    {
        "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling2D",
        "BatchNormalization", "CenterCrop", "Concatenate", "Conv2D", "Conv2DTranspose", "Cropping2D", "Dense",
        "DepthwiseConv2D", "Dot", "Dropout", "ELU", "Flatten", "Functional", "GaussianDropout", "GaussianNoise",
        "GlobalAveragePooling2D", "GlobalMaxPooling2D", "GroupNormalization", "Identity", "InputLayer",
        "LayerNormalization", "LeakyReLU", "MaxPooling2D", "Maximum", "Minimum", "Model", "Multiply",
        "Normalization", "PReLU", "Permute", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip",
        "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape",
        "Resizing", "SeparableConv2D", "Sequential", "Softmax", "SpatialDropout2D", "SpectralNormalization",
        "Subtract", "UnitNormalization", "UpSampling2D", "ZeroPadding2D",
    }
)  # fmt: skip
PIECE_MODULES = re.compile(r"keras(\.src)?\.(constraints|dtype_policies|initializers|regularizers)(\.\w+)*")
LAYER_MODULES = re.compile(r"keras(\.src)?(\.(layers|models)(\.\w+)*)?")
# Arithmetic on tensors, such as `x / 127.5 - 1` before the first layer.
SAFE_OPERATIONS = frozenset(
    {
        "Absolute", "Add", "Clip", "Divide", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu", "Max", "Maximum", "Mean",
        "Minimum", "Multiply", "Negative", "Relu", "Relu6", "Sigmoid", "Silu", "Softmax", "Subtract", "TrueDivide",
    }
)  # fmt: skip
OPERATION_MODULES = re.compile(r"keras\.src\.ops\.(numpy|nn)")
LARGEST_NUMBER = 1 << 20  # in a layer's settings; the widest layer of VGG16 reads 25,088 numbers
# Numbers that are names, not sizes.
UNLIMITED = frozenset({"seed", "shared_object_id"})
# Parts of a configuration that are values, not objects to build.
VALUE_CLASSES = {"__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"}


def open_model(path: str) -> keras.Model:
    """Build the model of a .keras file, weights included. Raises UNSAFE_MODEL, BAD_MODEL or FILE_NOT_FOUND."""
    check_archive(path)
    load_model = import_tensorflow().keras.models.load_model
    try:
        with held_stderr(), whole_weights():
            return load_model(path, custom_objects=None, compile=False, safe_mode=True)
    except VistaQLError:
        raise
    except Exception as failure:  # whatever a file of unknown origin makes Keras raise
        raise bad(path, first_line(failure)) from failure


@contextmanager
def whole_weights() -> Iterator[None]:
    """Fail where Keras would only warn that layers keep the random values they started with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="Skipping nested container")
        yield


def check_weights_file(path: str) -> None:
    """Refuse a file of weights that reaches outside itself, or claims more than it holds."""
    if path.endswith(".keras"):
        check_archive(path)
    elif path.endswith((".h5", ".hdf5")):
        with open_file(path) as file:
            check_hdf5(path, file)
    else:
        raise bad(path, "weights are read from .weights.h5, .h5 and .keras files")


def check_archive(path: str) -> None:
    """Refuse a .keras file that holds anything but the layers of `SAFE_LAYERS` and their weights."""
    if not path.endswith(".keras"):
        raise bad(path, "models are read from .keras files")
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            check_members(path, archive)
            check_config(path, read_config(path, archive))
            with archive.open("model.weights.h5") as stored, tempfile.TemporaryFile() as weights:
                while piece := stored.read(1 << 20):
                    weights.write(piece)
                check_hdf5(path, weights)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as failure:
        raise bad(path, f"it is not a whole .keras archive ({first_line(failure)})") from failure


def open_file(path: str) -> IO[bytes]:
    """A file to read. Raises FILE_NOT_FOUND or UNREADABLE_FILE."""
    try:
        return Path(path).open("rb")
    except FileNotFoundError as failure:
        raise VistaQLError(Code.FILE_NOT_FOUND, f"There is no file {path}.") from failure
    except OSError as failure:
        raise VistaQLError(Code.UNREADABLE_FILE, f"{path} cannot be read: {failure.strerror}.") from failure


def check_members(path: str, archive: zipfile.ZipFile) -> None:
    """The archive has the three members of a Keras model, each once, and none is a decompression bomb."""
    names = [info.filename for info in archive.infolist()]
    if others := sorted(set(names) - MEMBERS):
        raise unsafe(path, f"it holds {others[0]!r}, which is no part of a plain model")
    if missing := sorted(MEMBERS - set(names)):
        raise bad(path, f"it has no {missing[0]}")
    if len(names) != len(MEMBERS):
        raise unsafe(path, "it holds a member twice")
    for info in archive.infolist():
        if info.file_size > LARGEST_EXPANSION * max(info.compress_size, 1):
            raise unsafe(path, f"{info.filename} expands to more than {LARGEST_EXPANSION} times its size")


def read_config(path: str, archive: zipfile.ZipFile) -> object:
    """The configuration, parsed."""
    if archive.getinfo("config.json").file_size > LARGEST_CONFIG:
        raise unsafe(path, "its configuration is too long")
    try:
        return json.loads(archive.read("config.json"))
    except (ValueError, RecursionError) as failure:
        raise bad(path, f"its configuration is not JSON ({first_line(failure)})") from failure


def check_config(path: str, config: object) -> None:
    """Every object that the configuration builds is one that only computes."""
    if not isinstance(config, dict) or config.get("class_name") not in ("Functional", "Sequential"):
        raise unsafe(path, "it is not a functional or sequential model, so its class is not part of Keras")
    # How the model was trained is not read (compile=False), so it may name what it likes.
    config = {**config, "compile_config": None}
    for part in objects(config, DEEPEST_CONFIG, path):
        check_object(path, part)
    if any(abs(number) > LARGEST_NUMBER for number in numbers(config)):
        raise unsafe(path, "a layer in it is larger than any CNN's")


def objects(value: object, depth: int, path: str) -> Iterator[dict[str, Any]]:
    """Every part of the configuration that says which class or module it is of."""
    if depth == 0:
        raise unsafe(path, "its configuration is nested too deeply")
    if isinstance(value, dict):
        if "class_name" in value or "module" in value or "registered_name" in value:
            yield value
        for item in value.values():
            yield from objects(item, depth - 1, path)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item, depth - 1, path)


def numbers(value: object) -> Iterator[int]:
    """Every whole number of the configuration that may be a size."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in UNLIMITED:
                yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int):
        yield value


def check_object(path: str, part: dict[str, Any]) -> None:
    """One object: a value, a layer of the list, or a plain piece of a layer (initializer, data type, ..)."""
    name, module = part.get("class_name"), part.get("module")
    if isinstance(name, str) and name in VALUE_CLASSES and module is None:
        return
    if not isinstance(name, str) or not isinstance(module, str) or not is_safe(name, module):
        raise unsafe(path, f"it builds {name!r} from module {module!r}, which is not a plain layer of Keras")
    if part.get("registered_name") not in (None, name):
        raise unsafe(path, f"it needs the custom object {part['registered_name']!r}")


def is_safe(name: str, module: str) -> bool:
    """Whether a class is a plain layer of Keras, arithmetic on tensors, or a plain piece of a layer.

    >>> is_safe("Conv2D", "keras.layers"), is_safe("Lambda", "keras.layers"), is_safe("system", "os")
    (True, False, False)
    """
    if OPERATION_MODULES.fullmatch(module):
        return name in SAFE_OPERATIONS
    if LAYER_MODULES.fullmatch(module):
        return name in SAFE_LAYERS or name == "DTypePolicy"
    return PIECE_MODULES.fullmatch(module) is not None and name not in {"function", "__lambda__"}


def check_hdf5(path: str, file: IO[bytes]) -> None:
    """The weights hold their numbers themselves: no links, no outside storage, no shapes that are not there."""
    import h5py

    size = file.seek(0, 2)
    file.seek(0)
    try:
        with h5py.File(file, "r") as weights:
            total = sum(check_group(path, weights))
    except VistaQLError:
        raise
    except Exception as failure:  # whatever a file of unknown origin makes HDF5 raise
        raise bad(path, f"its weights are not a whole HDF5 file ({first_line(failure)})") from failure
    if total > LARGEST_EXPANSION * size:
        raise unsafe(path, "its weights claim far more numbers than the file holds")


def check_group(path: str, group: h5py.Group) -> Iterator[int]:
    """Bytes of each dataset below a group, none of which is a link."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise unsafe(path, f"its weights link to another place at {name!r}")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from check_group(path, item)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise unsafe(path, f"its weights are stored outside the file at {name!r}")
            yield item.size * item.dtype.itemsize


def unsafe(path: str, reason: str) -> VistaQLError:
    """The file could do more than compute, so it is not opened."""
    return VistaQLError(
        Code.UNSAFE_MODEL,
        f"{path} is refused: {reason}.",
        hint="Rebuild the model from plain Keras layers, and save it again with model.save('net.keras').",
    )


def bad(path: str, reason: str) -> VistaQLError:
    """The file is not a model that can be used."""
    hint = "Save the model from Keras as one file, and name that: model.save('net.keras')"
    return VistaQLError(Code.BAD_MODEL, f"{path} cannot be used: {reason}.", hint=hint)


def first_line(failure: Exception) -> str:
    """What went wrong, without the pages that follow it."""
    lines = str(failure).strip().splitlines() or [type(failure).__name__]
    return lines[0][:300].rstrip(".")
