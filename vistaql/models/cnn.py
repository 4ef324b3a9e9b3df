"""A CNN as the optimizer and the binder see it: a graph of layers with shapes and FLOPs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


class Preprocessing(Enum):
    """What is done to RGB pixels of 0 to 255 before the first layer. It belongs to the CNN."""

    TF = "tf"
    """x / 127.5 - 1"""
    TORCH = "torch"
    """(x / 255 - mean) / std of ImageNet, a channel"""
    CAFFE = "caffe"
    """RGB to BGR, then minus the mean of ImageNet, a channel"""
    CAFFE_RGB = "caffe_rgb"
    """RGB minus (123, 117, 104), as SqueezeNet and other nets converted from Caffe"""
    NONE = "none"
    """x as it is"""
    UNIT = "unit"
    """x / 255"""


class WeightsKind(Enum):
    """Where the parameters of a CNN come from."""

    IMAGENET = "imagenet"
    FILE = "file"
    RANDOM = "random"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class Weights:
    """The source of the parameters; `digest` is the SHA-256 of the file, once it is known."""

    kind: WeightsKind
    path: str | None = None
    seed: int | None = None
    digest: str | None = None


_ACTIVATIONS = frozenset({"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU"})
CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2D"})

# Which kinds of layer a kind may be computed together with, when that is its one reader.
FUSES_WITH = {
    "ZeroPadding2D": CONVOLUTIONS,
    **dict.fromkeys((*CONVOLUTIONS, "Dense"), _ACTIVATIONS | {"BatchNormalization"}),
    "BatchNormalization": _ACTIVATIONS,
}


@dataclass(frozen=True)
class Layer:
    """One layer: `flops` are its own multiply-adds times two, for one image; `inputs` are names of layers.

    `shape` leaves out the batch: (height, width, channels) or (channels,). Layers of equal `prefix` compute the same
    from the same pixels: kind, settings and weights are equal, their own and those of all layers before them. It is
    empty where that is not known.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    inputs: tuple[str, ...]
    flops: int
    parameters: int
    prefix: str = ""

    @cached_property
    def bytes(self) -> int:
        """Bytes of one image's tensor at this layer, float32."""
        return 4 * math.prod(self.shape)

    @property
    def spatial(self) -> bool:
        """Whether the layer has height and width, so that pooling means something."""
        return len(self.shape) == 3


@dataclass(frozen=True)
class Part:
    """One CNN of a union: `names` are pairs (name of a layer in the CNN, name of that layer in the union)."""

    cnn: Cnn
    names: tuple[tuple[str, str], ...]

    @cached_property
    def inside(self) -> dict[str, str]:
        """The union's name of each layer."""
        return dict(self.names)

    @cached_property
    def outside(self) -> dict[str, str]:
        """The CNN's own name of each layer of the union that it has."""
        return {inner: own for own, inner in self.names}


@dataclass(frozen=True)
class Cnn:
    """A CNN: its layers in topological order (the first is the input), and how pixels become its input.

    `builder` names how the graph is built: `keras:VGG16` (an application), `file:PATH` (a .keras file)
    or `vistaql:strokes` (the project's own). `points` are the layers worth exploring, in network order;
    `aliases` maps the literature's names to layer names. `parts` are the CNNs of a union, which has their layers, those
    of a common prefix once; other CNNs have none.
    """

    name: str
    builder: str
    input_size: tuple[int, int]
    preprocessing: Preprocessing
    layers: tuple[Layer, ...]
    points: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...]
    weights: Weights
    graph_digest: str
    parts: tuple[Part, ...] = ()

    def __hash__(self) -> int:
        """Cheap, since plan nodes hold CNNs and are hashed often; equality still compares everything."""
        return hash((self.name, self.graph_digest))

    def __str__(self) -> str:
        return self.name

    @cached_property
    def digest(self) -> str:
        """What decides the features besides the pixels: graph, weights, preprocessing, input and batch shape."""
        weights = self.weights.digest or self.weights
        parts = (self.graph_digest, weights, self.preprocessing, self.input_size, self.batch_rows)
        return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()

    @cached_property
    def by_name(self) -> dict[str, Layer]:
        """Layers by their own names."""
        return {layer.name: layer for layer in self.layers}

    def layer(self, name: str) -> Layer | None:
        """A layer by its name or one of its aliases, case ignored; None where there is no such layer."""
        return self._folded.get(name.casefold())

    @cached_property
    def _folded(self) -> dict[str, Layer]:
        folded = {layer.name.casefold(): layer for layer in self.layers}
        for alias, name in self.aliases:
            folded.setdefault(alias.casefold(), self.by_name[name])
        return folded

    def alias_of(self, name: str) -> str | None:
        """The literature's name of a layer, where it has one."""
        return next((alias for alias, layer in self.aliases if layer == name), None)

    @property
    def input_layer(self) -> Layer:
        """The layer that takes the preprocessed pixels."""
        return self.layers[0]

    @cached_property
    def position(self) -> dict[str, int]:
        """Place of each layer in network order."""
        return {layer.name: place for place, layer in enumerate(self.layers)}

    def ancestors(self, name: str, source: str | None = None) -> tuple[str, ...]:
        """Layers that must be computed for `name` when `source` is given (None: from pixels), in network order."""
        needed: set[str] = set()
        stack = [name]
        while stack:
            current = stack.pop()
            if current in needed or current == source:
                continue
            needed.add(current)
            stack.extend(self.by_name[current].inputs)
        return tuple(sorted(needed, key=self.position.__getitem__))

    @cached_property
    def ancestor_masks(self) -> dict[str, int]:
        """For each layer, as bits by their places, the layers that must be computed for it from pixels, itself too."""
        masks: dict[str, int] = {}
        for place, layer in enumerate(self.layers):
            mask = 1 << place
            for source in layer.inputs:
                mask |= masks[source]
            masks[layer.name] = mask
        return masks

    def flops(self, names: tuple[str, ...], source: str | None = None) -> int:
        """FLOPs for one image to compute all the named layers in one pass that starts at `source`."""
        needed: set[str] = set()
        for name in names:
            needed.update(self.ancestors(name, source))
        return sum(self.by_name[name].flops for name in needed)

    @cached_property
    def cut_points(self) -> tuple[str, ...]:
        """Layers through which everything after them passes, so that a pass can resume from them alone.

        A layer at place p is one if no layer behind p reads a layer before p.
        """
        furthest: dict[str, int] = {}
        for place, layer in enumerate(self.layers):
            for source in layer.inputs:
                furthest[source] = place
        cuts = []
        open_until = 0
        for place, layer in enumerate(self.layers[:-1]):
            if open_until <= place:
                cuts.append(layer.name)
            open_until = max(open_until, furthest.get(layer.name, 0))
        return tuple(cuts)

    def cut_point_at(self, name: str) -> str | None:
        """The last cut point a pass up to `name` can keep (`name` itself if it is one); None: only the input.

        Fused layers are left out: their tensors do not exist inside a pass.
        """
        on_way = self.ancestor_masks[name]
        deepest_first = (cut for cut in reversed(self.cut_points[1:]) if cut not in self.fused)
        return next((cut for cut in deepest_first if on_way >> self.position[cut] & 1), None)

    @cached_property
    def fused(self) -> frozenset[str]:
        """Layers whose one reader is computed together with them, such as a convolution before its normalisation.

        A pass never gives the tensors of these. Asked for one, it computes the layer once more, on its own, so that
        what else is asked for changes no bits.
        """
        readers: dict[str, list[str]] = {}
        for layer in self.layers:
            for source in layer.inputs:
                readers.setdefault(source, []).append(layer.kind)
        return frozenset(
            layer.name
            for layer in self.layers
            if len(found := readers.get(layer.name, [])) == 1 and found[0] in FUSES_WITH.get(layer.kind, ())
        )

    @cached_property
    def merged(self) -> frozenset[str]:
        """Layers without a tensor of their own, as they are computed together with their reader; padding has one."""
        return frozenset(name for name in self.fused if self.by_name[name].kind != "ZeroPadding2D")

    def unfused_source(self, name: str) -> str:
        """The layer, not a fused one, from which a fused layer is computed. Fused layers read one layer each."""
        (source,) = self.by_name[name].inputs
        return self.unfused_source(source) if source in self.fused else source

    @cached_property
    def parameters(self) -> int:
        """How many weights the CNN has."""
        return sum(layer.parameters for layer in self.layers)

    @cached_property
    def most_parameters(self) -> int:
        """How many weights the layer with most of them has."""
        return max(layer.parameters for layer in self.layers)

    def inside(self, cnn: Cnn, layer: str) -> str:
        """What this CNN, or union of CNNs, calls a layer of itself, or of one of its parts."""
        return next((part.inside[layer] for part in self.parts if part.cnn.digest == cnn.digest), layer)

    @property
    def batch_rows(self) -> int:
        """Images in a batch, always: results depend on the batch shape, so it is part of the CNN.

        Matrix kernels take rows in tiles of 4, 6, 8 or 12; in what a tile cannot take they round differently. With 32
        rows the last two images of a dense layer had other bits than the rest; multiples of 24 leave no such rows.
        Batches of 16 to 64 were equally fast. Small nets take more, so that a call does some milliseconds of work.
        """
        return 24 if math.prod(self.input_size) >= 96 * 96 else 144
