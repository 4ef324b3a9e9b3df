"""Merge equal work: one inference for all layers of a CNN, of all queries that are answered together."""

from __future__ import annotations

from dataclasses import replace

from vistaql.logical.nodes import Decode, Explore, Export, InferLayers, Together
from vistaql.models.cnn import Cnn
from vistaql.models.output import Output
from vistaql.plan.node import Node
from vistaql.plan.rewrite import transform


def infer_together(node: Node) -> Node:
    """Infer all layers of a CNN as one, from images that are decoded for all.

    Whatever layers have in common, their beginning, need not be computed for each. CNNs of equal graph and weights are
    one, whatever their names. Of several queries' images those are decoded that any of them needs.

    >>> from vistaql.logical.nodes import PickLayer, Rows, ScanImages
    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP
    >>> strokes, photos = roster.load("strokes"), ScanImages(None, "photos")
    >>> pixels = Decode(photos, strokes.input_size)
    >>> wanted = tuple(PickLayer(InferLayers(pixels, strokes, (Output(name, GAP),)), "strokes", name, GAP)
    ...                for name in ("conv4", "conv2"))
    >>> after = infer_together(Export(wanted, Rows(photos, ()), "features.parquet"))
    >>> [layer.inference.summary for layer in after.features]
    ['InferLayers cnn=strokes outputs=conv2,conv4', 'InferLayers cnn=strokes outputs=conv2,conv4']
    """
    if not isinstance(node, Explore | Export | Together):
        return node
    found = [inner for inner in node.objects() if isinstance(inner, InferLayers)]
    merged = merged_by_cnn(found)
    if all(merged[inference.cnn.digest] == inference for inference in found):
        return node
    return transform(node, lambda inner: merged[inner.cnn.digest] if isinstance(inner, InferLayers) else inner)


def merged_by_cnn(inferences: list[InferLayers]) -> dict[str, InferLayers]:
    """For each CNN, by its digest, one inference of all its layers; its name is that of the first."""
    cnns: dict[str, Cnn] = {}
    outputs: dict[str, list[Output]] = {}
    for inference in inferences:
        cnns.setdefault(inference.cnn.digest, inference.cnn)
        outputs.setdefault(inference.cnn.digest, []).extend(inference.outputs)
    decoded = decoded_for_all([inference.pixels for inference in inferences])
    return {
        digest: InferLayers(replace(decoded, size=cnn.input_size), cnn, in_network_order(cnn, outputs[digest]))
        for digest, cnn in cnns.items()
    }


def decoded_for_all(several: list[Decode]) -> Decode:
    """The images that anybody needs."""
    rows = tuple(dict.fromkeys(rows for decode in several for rows in decode.rows))
    return replace(several[0], rows=rows if all(decode.rows for decode in several) else ())


def in_network_order(cnn: Cnn, outputs: list[Output]) -> tuple[Output, ...]:
    """Each once, in the order in which an image passes them."""
    return tuple(sorted(dict.fromkeys(outputs), key=lambda output: (cnn.position[output.layer], str(output.pool))))
