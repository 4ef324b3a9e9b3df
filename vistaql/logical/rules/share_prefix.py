"""Merge equal beginnings: one inference for CNNs whose first layers have equal weights and settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vistaql.logical.nodes import Explore, Export, InferLayers, PickLayer, Together
from vistaql.logical.rules.infer_together import decoded_for_all, in_network_order
from vistaql.models.cnn import Cnn
from vistaql.models.output import Output
from vistaql.models.union import union_of
from vistaql.plan.node import Node
from vistaql.plan.rewrite import transform


def share_prefix(node: Node) -> Node:
    """Infer CNNs that begin alike as one CNN, which has their common beginning once.

    Such are CNNs that were tuned from one, with its first layers frozen, and registered from files. The query goes on
    calling CNNs and layers by their own names.

    >>> from dataclasses import replace
    >>> from vistaql.logical.nodes import Decode, Rows, ScanImages
    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP
    >>> strokes, photos = roster.load("strokes"), ScanImages(None, "photos")
    >>> cnns = [replace(strokes, name=name, graph_digest=name, layers=tuple(
    ...         replace(layer, prefix=layer.name if place < 5 else f"{name} {layer.name}")
    ...         for place, layer in enumerate(strokes.layers))) for name in ("lines", "arcs")]
    >>> wanted = tuple(PickLayer(InferLayers(Decode(photos, cnn.input_size), cnn, (Output(layer, GAP),)),
    ...                          cnn.name, layer, GAP) for cnn in cnns for layer in ("conv2", "conv4"))
    >>> after = share_prefix(Export(wanted, Rows(photos, ()), "features.parquet"))
    >>> {layer.inference.summary for layer in after.features}
    {'InferLayers cnn=lines + arcs outputs=conv2,conv4,arcs.conv4'}
    """
    if not isinstance(node, Explore | Export | Together):
        return node
    picks = [inner for inner in node.objects() if isinstance(inner, PickLayer)]
    unions = unions_of(pick.cnn for pick in picks)
    if all(pick.inference.cnn == unions[pick.cnn.digest] for pick in picks):
        return node
    decoded = decoded_for_all([pick.inference.pixels for pick in picks])
    inferred = {
        union.digest: InferLayers(replace(decoded, size=union.input_size), union, outputs_of(union, picks))
        for union in unions.values()
    }

    def on_union(inner: Node) -> Node:
        if not isinstance(inner, PickLayer):
            return inner
        union = unions[inner.cnn.digest]
        return replace(inner, inference=inferred[union.digest], member=inner.cnn if union.parts else None)

    return transform(node, on_union)


def outputs_of(union: Cnn, picks: list[PickLayer]) -> tuple[Output, ...]:
    """What is wanted of a CNN, or of those that it unites."""
    members = {part.cnn.digest for part in union.parts} or {union.digest}
    wanted = [Output(union.inside(pick.cnn, pick.layer), pick.pool) for pick in picks if pick.cnn.digest in members]
    return in_network_order(union, wanted)


def unions_of(cnns: Iterable[Cnn]) -> dict[str, Cnn]:
    """For each CNN, by its digest, the union that it is in, which is the CNN itself where nothing begins like it."""
    different = {cnn.digest: cnn for cnn in cnns}
    found: list[tuple[Cnn, list[str]]] = []
    for digest, cnn in different.items():
        for place, (union, members) in enumerate(found):
            if larger := union_of(union, cnn):
                found[place] = larger, [*members, digest]
                break
        else:
            found.append((cnn, [digest]))
    return {digest: union for union, members in found for digest in members}
