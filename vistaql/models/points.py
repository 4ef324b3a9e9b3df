"""Which layers of a CNN are worth exploring, by a rule on its graph."""

from __future__ import annotations

from vistaql.models.cnn import Cnn, Layer

MOST = 20
FEWEST_ENDS = 4
MERGES = frozenset({"Add", "Concatenate"})
ACTIVATIONS = frozenset({"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU"})
CONVOLUTIONS = frozenset({"Conv2D", "SeparableConv2D", "Conv2DTranspose"})
VECTORS = frozenset({"Dense", "GlobalAveragePooling2D", "GlobalMaxPooling2D"})


def choose_points(cnn: Cnn, active: frozenset[str]) -> tuple[str, ...]:
    """The ends of blocks, the last activation, the vectors after it, and the logits; at most 20, in network order.

    A CNN with merges (adds, concatenations) has blocks that end there; another one has blocks that end
    with the activation of a convolution. `active` names the layers with an activation of their own, fused or not.
    """
    cuts = frozenset(cnn.cut_points)
    kinds = (merged_ends(cnn, active, cuts), convolved_ends(cnn, active, cuts), merged_ends(cnn, active, None))
    ends = next((found for found in kinds if len(found) >= FEWEST_ENDS), max(kinds, key=len))
    vectors = [layer.name for layer in cnn.layers if layer.kind in VECTORS and is_late(cnn, layer)]
    tail = [*last_activation(cnn, active, ends), *vectors, last_parametric(cnn)]
    tail = list(dict.fromkeys(name for name in tail if name not in ends))
    kept = thin(cnn, ends, MOST - len(tail)) + tail[-MOST:]
    return tuple(sorted(kept, key=cnn.position.__getitem__))


def readers(cnn: Cnn) -> dict[str, list[Layer]]:
    """The layers that read each layer."""
    found: dict[str, list[Layer]] = {layer.name: [] for layer in cnn.layers}
    for layer in cnn.layers:
        for source in layer.inputs:
            found[source].append(layer)
    return found


def merged_ends(cnn: Cnn, active: frozenset[str], cuts: frozenset[str] | None) -> list[str]:
    """Merges that everything later passes through, each with the activation that only follows it.

    `cuts` None is for graphs without such places: NASNet's cells read the two cells before them, and end
    with a concatenation.
    """
    behind = readers(cnn)
    merges = [layer for layer in cnn.layers if layer.kind in MERGES and layer.spatial]
    chosen = [layer for layer in merges if (layer.kind == "Concatenate" if cuts is None else layer.name in cuts)]
    ends = []
    for layer in chosen:
        after = behind[layer.name]
        follows = len(after) == 1 and after[0].kind in ACTIVATIONS and after[0].name in active
        ends.append(after[0].name if follows else layer.name)
    return ends


def convolved_ends(cnn: Cnn, active: frozenset[str], cuts: frozenset[str]) -> list[str]:
    """Activations of convolutions over all channels, fused or on their own, that everything later passes through."""
    return [
        layer.name
        for layer in cnn.layers
        if layer.spatial and layer.name in cuts and layer.name in active and convolution_of(cnn, layer) in CONVOLUTIONS
    ]


def convolution_of(cnn: Cnn, layer: Layer) -> str:
    """The kind of the layer that an activation belongs to, normalisation in between left out."""
    while layer.kind in ACTIVATIONS or layer.kind == "BatchNormalization":
        layer = cnn.by_name[layer.inputs[0]]
    return layer.kind


def is_late(cnn: Cnn, layer: Layer) -> bool:
    """Whether a vector is on the way of everything, unlike those inside a squeeze-and-excite block."""
    return layer.name in cnn.cut_points or layer is cnn.layers[-1]


def last_activation(cnn: Cnn, active: frozenset[str], ends: list[str]) -> list[str]:
    """The last activation over places, where it comes after the last block."""
    cuts = frozenset(cnn.cut_points)
    found = [name for name in convolved_ends(cnn, active, cuts) if cnn.by_name[name].shape[:2] != (1, 1)]
    after = cnn.position[ends[-1]] if ends else 0
    return [name for name in found[-1:] if cnn.position[name] > after]


def last_parametric(cnn: Cnn) -> str:
    """The layer of the logits: the last one with a kernel, or the last of all."""
    kernels = [layer.name for layer in cnn.layers if layer.kind in CONVOLUTIONS | {"Dense"}]
    return kernels[-1] if kernels else cnn.layers[-1].name


def thin(cnn: Cnn, ends: list[str], most: int) -> list[str]:
    """At most so many: the last of each resolution first, then the latest."""
    shapes = [cnn.by_name[name].shape[:2] for name in ends]
    last_of = dict(zip(shapes, ends, strict=True))
    others = [name for name in reversed(ends) if name not in last_of.values()]
    step = max(1, -(-len(others) // max(1, most - len(last_of))))
    return (list(last_of.values())[-most:] + others[::step])[:most]
