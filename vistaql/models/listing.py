"""The layers of a CNN as rows for people: what SHOW LAYERS prints."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.models.cnn import Cnn


@dataclass(frozen=True)
class LayerRow:
    """A layer; `kilobytes` are those of one image's tensor (1,000 bytes), `gflops` lead from pixels to it."""

    layer: str
    alias: str | None
    shape: str
    kilobytes: float
    gflops: float


def show_layers_rows(cnn: Cnn, *, all_layers: bool) -> tuple[LayerRow, ...]:
    """The exploration points of a CNN in network order, or all its layers.

    >>> from vistaql.models import roster
    >>> show_layers_rows(roster.load("strokes"), all_layers=False)[-1]
    LayerRow(layer='fc6', alias='logits', shape='5', kilobytes=0.02, gflops=0.01334)
    """
    shown = [layer for layer in cnn.layers if all_layers or layer.name in cnn.points]
    return tuple(
        LayerRow(
            layer=layer.name,
            alias=cnn.alias_of(layer.name),
            shape="x".join(map(str, layer.shape)),
            kilobytes=layer.bytes / 1000,
            gflops=round(cnn.flops((layer.name,)) / 1e9, 5),
        )
        for layer in shown
    )
