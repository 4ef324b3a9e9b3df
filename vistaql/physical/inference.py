"""One inference pass: where it starts, what it gives, and what it keeps for a later pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vistaql.models.cnn import Cnn, Layer
from vistaql.models.pool import GAP, WHOLE, Pool


@dataclass(frozen=True)
class Output:
    """A pooled layer: one vector an image."""

    layer: str
    pool: Pool

    @property
    def column(self) -> str:
        """The name of its column in Arrow batches."""
        return f"{self.layer}|{self.pool}"

    def __str__(self) -> str:
        return self.layer if self.pool in (GAP, WHOLE) else f"{self.layer} {self.pool}"


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

    @property
    def title(self) -> str:
        """What the pass is called while it runs: its CNN, and the last layer it computes."""
        return f"{self.cnn.name} {self.layers[-1]}"

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer whose tensor the pass computes for its own sake, in network order, each once."""
        wanted = {output.layer for output in self.outputs} | set(self.keep)
        return tuple(sorted(wanted, key=self.cnn.position.__getitem__))

    @cached_property
    def computed(self) -> tuple[Layer, ...]:
        """Every layer that runs, in network order."""
        needed = {name for layer in self.layers for name in self.cnn.ancestors(layer, self.source)}
        return tuple(self.cnn.by_name[name] for name in sorted(needed, key=self.cnn.position.__getitem__))

    @property
    def flops(self) -> int:
        """FLOPs for one image."""
        return sum(layer.flops for layer in self.computed)

    @cached_property
    def live_bytes(self) -> int:
        """The most bytes of tensors one image holds at once: a tensor lives until its last reader has run."""
        last_use = {source: place for place, layer in enumerate(self.computed) for source in layer.inputs}
        last_use.update(dict.fromkeys(self.keep, len(self.computed)))
        live: dict[str, int] = {}
        peak = 0
        for place, layer in enumerate(self.computed):
            live[layer.name] = layer.bytes
            peak = max(peak, sum(live.values()))
            live = {name: size for name, size in live.items() if last_use.get(name, -1) > place}
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
