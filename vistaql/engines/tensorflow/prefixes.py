"""A name for each layer with all before it, so that CNNs of one origin can be seen to begin alike.

Two `.keras` files that were tuned from one CNN, some of its first layers frozen, have these layers in common, whatever
they are called in each. Where anything about a layer cannot be written down for certain, it has no such name, nor have
those behind it: they are then taken to be different.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vistaql.engines.tensorflow.facts import NOT_ARITHMETIC

if TYPE_CHECKING:
    import keras

    from vistaql.models.cnn import Layer

# Of layers that were adapted or quantized the weights alone do not say what is computed.
SETTINGS_LEFT_OUT = NOT_ARITHMETIC - {"lora_rank", "lora_alpha", "quantization_config"}


class UnknownError(Exception):
    """There is something about a layer that has no certain form in writing."""


def with_prefixes(layers: tuple[Layer, ...], model: keras.Model) -> tuple[Layer, ...]:
    """The layers, each with the name of its prefix; they come in network order, the weights are those of the model."""
    steps = {operation.name: operation for operation in model.operations}
    prefixes: dict[str, str] = {}
    for layer in layers:
        before = {name: prefixes[name] for name in layer.inputs}
        prefixes[layer.name] = prefix_of(steps[layer.name], layer, before) if all(before.values()) else ""
    return tuple(replace(layer, prefix=prefixes[layer.name]) for layer in layers)


def prefix_of(step: Any, layer: Layer, before: dict[str, str]) -> str:
    """A digest of everything that decides what a layer gives; empty where that is not certain."""
    kind = type(step)
    try:
        facts = [kind.__module__, kind.__qualname__, layer.shape, settings(step), arguments(step, before)]
        text = json.dumps([*facts, [weight_row(weight) for weight in getattr(step, "weights", ())]], sort_keys=True)
    except (UnknownError, TypeError, ValueError):
        return ""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def settings(step: Any) -> dict[str, object]:
    """What the configuration of a layer says about its arithmetic. Settings without a value count as well."""
    try:
        found: dict[str, object] = step.get_config()
    except NotImplementedError:  # operations without arguments of their own
        return {}
    return {key: value for key, value in found.items() if key not in SETTINGS_LEFT_OUT}


def arguments(step: Any, before: dict[str, str]) -> list[object]:
    """What a layer is called with: the prefixes of the layers it reads, and the constants beside them."""
    called = step._inbound_nodes[0].arguments  # noqa: SLF001, Keras has no public name for the graph
    if called.kwargs.get("training"):
        message = "a layer that computes as in training"
        raise UnknownError(message)
    given = [value for key, value in sorted(called.kwargs.items()) if key != "training"]
    names = sorted(key for key in called.kwargs if key != "training")
    return [written(called.args, before), names, written(given, before)]


def written(value: object, before: dict[str, str]) -> object:
    """An argument as JSON takes it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [written(item, before) for item in value]
    history = getattr(value, "_keras_history", None)
    if history is None or history.operation.name not in before:
        raise UnknownError(type(value).__name__)
    return {"layer": before[history.operation.name]}


def weight_row(weight: Any) -> list[object]:
    """A weight: its role in the layer, and its numbers by their digest."""
    numbers = np.ascontiguousarray(weight.value)
    return [weight.name, list(numbers.shape), str(numbers.dtype), hashlib.blake2b(numbers.tobytes()).hexdigest()]
