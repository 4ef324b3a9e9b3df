"""Two CNNs that begin alike as one CNN, whose common layers are there once.

Bits come before sharing. A layer is common where its prefix is the same in both, and where it is computed together with
its reader in the union if, and only if, it is so in each CNN by itself; what that leaves is shared, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

from vistaql.models.cnn import Cnn, Layer, Part


@lru_cache(maxsize=256)
def union_of(first: Cnn, second: Cnn) -> Cnn | None:
    """The union of a CNN, or of a union, with another CNN; None where they have no work in common.

    >>> from vistaql.models import roster
    >>> union_of(roster.load("resnet50"), roster.load("vgg16"))
    """
    if taken_pixels(first) != taken_pixels(second):
        return None
    pairs = equal_layers(first, second)
    while any(second.by_name[name].flops for name in pairs):
        union = joined(first, second, pairs)
        wrong = fused_otherwise(union)
        if not wrong:
            return union
        kept = closed({own: name for own, name in pairs.items() if name not in wrong}, second)
        if kept == pairs:
            return None
        pairs = kept
    return None


def taken_pixels(cnn: Cnn) -> tuple[object, ...]:
    """What becomes of an image before the first layer, and how many images are run at once."""
    return cnn.input_size, cnn.preprocessing, cnn.batch_rows


def equal_layers(first: Cnn, second: Cnn) -> dict[str, str]:
    """By the name of each layer of the second CNN that the first has as well: the name there.

    A layer that one of them has twice is left out, since it would not be certain who reads which.
    """
    ours, theirs = (known_once(cnn) for cnn in (first, second))
    return closed({theirs[prefix]: ours[prefix] for prefix in theirs if prefix in ours}, second)


def known_once(cnn: Cnn) -> dict[str, str]:
    """Names of layers by their prefixes."""
    count = Counter(layer.prefix for layer in cnn.layers)
    return {layer.prefix: layer.name for layer in cnn.layers if layer.prefix and count[layer.prefix] == 1}


def closed(pairs: dict[str, str], second: Cnn) -> dict[str, str]:
    """Without layers that read one which is not common."""
    kept: dict[str, str] = {}
    for layer in second.layers:
        if layer.name in pairs and all(source in kept for source in layer.inputs):
            kept[layer.name] = pairs[layer.name]
    return kept


def joined(first: Cnn, second: Cnn, pairs: dict[str, str]) -> Cnn:
    """All layers of the first CNN, then those that only the second has, under names of their own."""
    names = dict(pairs)
    taken = set(first.by_name)
    for layer in second.layers:
        if layer.name not in pairs:
            names[layer.name] = unused(second.name, layer.name, taken)
    own = tuple(renamed(layer, names) for layer in second.layers if layer.name not in pairs)
    itself = Part(first, tuple((layer.name, layer.name) for layer in first.layers))
    parts = (*(first.parts or (itself,)), Part(second, tuple(names.items())))
    described = [(part.cnn.digest, part.names) for part in parts]
    return replace(
        first,
        name=f"{first.name} + {second.name}",
        builder="union",
        layers=(*first.layers, *own),
        points=(),
        aliases=(),
        graph_digest=hashlib.blake2b(repr(described).encode(), digest_size=16).hexdigest(),
        parts=parts,
    )


def unused(cnn: str, layer: str, taken: set[str]) -> str:
    """A name for a layer of the second CNN that says whose it is, of letters that TensorFlow allows."""
    name = f"{re.sub('[^A-Za-z0-9]', '_', cnn)}.{layer}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def renamed(layer: Layer, names: dict[str, str]) -> Layer:
    """The layer under the names of the union."""
    return replace(layer, name=names[layer.name], inputs=tuple(names[source] for source in layer.inputs))


def fused_otherwise(union: Cnn) -> set[str]:
    """Layers that the union computes together with their reader and a CNN of it does not, or the other way round."""
    return {
        inner for part in union.parts for own, inner in part.names if (own in part.cnn.fused) != (inner in union.fused)
    }
