"""One inference pass: where it starts, what it gives, and what it keeps for a later pass."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import or_

from vistaql.models.cnn import CONVOLUTIONS, Cnn, Layer
from vistaql.models.output import Output
from vistaql.models.pool import WHOLE

__all__ = ["Output", "Pass", "tensor_column"]


@dataclass(frozen=True)
class Pass:
    """Run a CNN from pixels (`source` None) or from a kept tensor of layer `source`, up to the last layer needed.

    `outputs` are pooled inside the pass. `keep` names cut points whose whole tensors leave the pass as well,
    in columns called `tensor|LAYER`, for passes that resume from them.
    """

    cnn: Cnn
    source: str | None
    outputs: tuple[Output, ...]
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.outputs and not self.keep:
            message = "a pass gives at least one layer"
            raise ValueError(message)
        if not self.cnn.fused.isdisjoint({self.source, *self.keep}):
            message = "a pass neither keeps nor starts from a layer that is computed together with the next"
            raise ValueError(message)

    @cached_property
    def digest(self) -> str:
        """A name for what the pass does; the CNN stands there by its own."""
        parts = (self.cnn.digest, self.source, self.outputs, self.keep)
        return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()

    @cached_property
    def alone(self) -> Pass:
        """The same pass over one CNN of a union, if that has all its layers: only that one need be built then."""
        source = () if self.source is None else (self.source,)
        named = {*source, *(output.layer for output in self.outputs), *self.keep}
        for part in self.cnn.parts:
            own = part.outside
            if named <= own.keys():
                outputs = tuple(replace(output, layer=own[output.layer]) for output in self.outputs)
                start = None if self.source is None else own[self.source]
                return Pass(part.cnn, start, outputs, tuple(own[layer] for layer in self.keep))
        return self

    @property
    def title(self) -> str:
        """What the pass is called while it runs: its CNN, and the last layer it computes."""
        return f"{self.cnn.name} {self.layers[-1]}"

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Every layer whose tensor the pass computes for its own sake, in network order, each once."""
        wanted = {output.layer for output in self.outputs} | set(self.keep)
        return tuple(sorted(wanted, key=self.cnn.position.__getitem__))

    @cached_property
    def computed(self) -> tuple[Layer, ...]:
        """Every layer that runs, in network order."""
        masks = self.cnn.ancestor_masks
        needed = reduce(or_, map(masks.__getitem__, self.layers))
        if self.source is not None:
            needed &= ~masks[self.source]
        # The lowest bit, which is that of the first layer, is the last digit.
        return tuple(layer for layer, bit in zip(self.cnn.layers, reversed(f"{needed:b}"), strict=False) if bit == "1")

    @cached_property
    def computed_names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(layer.name for layer in self.computed)

    @cached_property
    def parameters(self) -> int:
        """How many weights they have."""
        return sum(layer.parameters for layer in self.computed)

    @cached_property
    def convolution_parameters(self) -> int:
        """How many of them belong to convolutions."""
        return sum(layer.parameters for layer in self.computed if layer.kind in CONVOLUTIONS)

    @property
    def flops(self) -> int:
        """FLOPs for one image."""
        return sum(layer.flops for layer in self.computed)

    @cached_property
    def live_bytes(self) -> int:
        """The most bytes of tensors one image holds at once: a tensor lives until its last reader has run.

        A layer computed together with its reader has no tensor of its own, and what it reads lives until that reader
        has run; padding is written out all the same.
        """
        merged, end = self.cnn.merged, len(self.computed)
        last_use = dict.fromkeys(self.keep, end)
        for place, layer in zip(range(end - 1, -1, -1), reversed(self.computed), strict=True):
            read = last_use.get(layer.name, place) if layer.name in merged else place
            for source in layer.inputs:
                if last_use.get(source, 0) < read:
                    last_use[source] = read
        freed = [0] * (end + 1)
        live = peak = 0
        for place, layer in enumerate(self.computed):
            if layer.name not in merged:
                own = layer.bytes
                live += own
                peak = max(peak, live)
                freed[last_use.get(layer.name, place)] += own
            live -= freed[place]
        return peak

    def shown(self, output: Output) -> str:
        """An output with its pooling, where that is not the one the layer has by default."""
        whole = output.pool == WHOLE
        return f"{output.layer} none" if whole and self.cnn.by_name[output.layer].spatial else str(output)

    def __str__(self) -> str:
        start = "pixels" if self.source is None else self.source
        names = [self.shown(output) for output in self.outputs] + [f"keep {layer}" for layer in self.keep]
        return f"{self.cnn.name} from {start}: {', '.join(names)}"


def tensor_column(layer: str) -> str:
    """The column of a kept tensor.

    >>> tensor_column("conv3")
    'tensor|conv3'
    """
    return f"tensor|{layer}"
