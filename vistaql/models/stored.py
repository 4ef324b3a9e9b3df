"""Facts about a CNN as JSON: for the files of the roster, and for the catalog."""

from __future__ import annotations

import json
from typing import Any

from vistaql.models.cnn import Cnn, Layer, Preprocessing, Weights, WeightsKind


def to_json(cnn: Cnn) -> str:
    """A CNN as text, one line a layer; `from_json` gives an equal CNN back."""
    head = {
        "name": cnn.name,
        "builder": cnn.builder,
        "input_size": cnn.input_size,
        "preprocessing": cnn.preprocessing.value,
        "weights": {
            "kind": cnn.weights.kind.value,
            "path": cnn.weights.path,
            "seed": cnn.weights.seed,
            "digest": cnn.weights.digest,
        },
        "graph_digest": cnn.graph_digest,
        "points": cnn.points,
        "aliases": cnn.aliases,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    layers = ",\n".join(f"    {json.dumps(layer_row(layer))}" for layer in cnn.layers)
    return "\n".join(["{", *lines, '  "layers": [', layers, "  ]", "}\n"])


def layer_row(layer: Layer) -> list[object]:
    """A layer as a list: name, kind, shape, inputs, FLOPs, parameters, and the prefix where it is known."""
    row = [layer.name, layer.kind, layer.shape, layer.inputs, layer.flops, layer.parameters]
    return [*row, layer.prefix] if layer.prefix else row


def from_json(text: str) -> Cnn:
    """A CNN from the text that `to_json` made."""
    facts: dict[str, Any] = json.loads(text)
    height, width = facts["input_size"]
    weights = facts["weights"]
    return Cnn(
        name=facts["name"],
        builder=facts["builder"],
        input_size=(height, width),
        preprocessing=Preprocessing(facts["preprocessing"]),
        layers=tuple(
            Layer(name, kind, tuple(shape), tuple(inputs), flops, parameters, *prefix)
            for name, kind, shape, inputs, flops, parameters, *prefix in facts["layers"]
        ),
        points=tuple(facts["points"]),
        aliases=tuple((alias, name) for alias, name in facts["aliases"]),
        weights=Weights(WeightsKind(weights["kind"]), weights["path"], weights["seed"], weights["digest"]),
        graph_digest=facts["graph_digest"],
    )
