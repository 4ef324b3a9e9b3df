"""Drop layers that nobody needs: those that give the numbers of another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from vistaql.logical.nodes import Explore, Export, Features, Layer, Reduce, Train, layer_of
from vistaql.logical.schema import Vector, vector_of
from vistaql.plan.node import Node

T = TypeVar("T")


def drop_repeated_layers(node: Node) -> Node:
    """Keep one of the layers that pool to equal numbers, with the names of the others.

    The average of a convolution over height and width is what a layer of global average pooling behind it gives.

    >>> from vistaql.logical.nodes import Decode, Infer, PoolLayer, Rows, ScanImages
    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP, WHOLE
    >>> resnet, photos = roster.load("resnet50"), ScanImages(None, "photos")
    >>> pixels = Decode(photos, resnet.input_size)
    >>> wanted = (PoolLayer(Infer(pixels, resnet, "conv5_block3_out"), GAP),
    ...           PoolLayer(Infer(pixels, resnet, "avg_pool"), WHOLE))
    >>> after = drop_repeated_layers(Export(wanted, Rows(photos, ()), "features.parquet"))
    >>> [(layer.layer, layer.also) for layer in after.features]
    [('conv5_block3_out', ('avg_pool',))]
    """
    match node:
        case Export(several) if kept := kept_of(several):
            return replace(node, features=tuple(each_once(kept[vector_of(item)] for item in several)))
        case Explore(trainings) if kept := kept_of(item.matrix.features for item in trainings if item.matrix.features):
            return replace(node, trainings=tuple(each_once(on_kept(item, kept) for item in trainings)))
    return node


def each_once(items: Iterable[T]) -> Iterable[T]:
    """Equal ones once, in the order of the first."""
    return dict.fromkeys(items)


def kept_of(features: Iterable[Features]) -> dict[Vector, Features]:
    """For each vector the first that gives it, with the names of the others; nothing where none is repeated."""
    kept: dict[Vector, Features] = {}
    different = {id(item): (item, vector_of(item)) for item in features}.values()
    if len({vector for _, vector in different}) == len(different):
        return {}
    for item, vector in different:
        first = kept.setdefault(vector, item)
        if first != item:
            kept[vector] = also_called(first, layer_of(item))
    return kept


def also_called(first: Features, other: Layer) -> Features:
    """Features that are known by the names of another layer as well."""
    if isinstance(first, Reduce):
        return replace(first, features=named(first.features, other))
    return named(first, other)


def named(first: Layer, other: Layer) -> Layer:
    """A layer that is known by the names of another one as well."""
    names = dict.fromkeys((*first.also, other.layer, *other.also))
    return replace(first, also=tuple(name for name in names if name != first.layer))


def on_kept(training: Train, kept: dict[Vector, Features]) -> Train:
    """The training on the features that are kept."""
    matrix = training.matrix
    if matrix.features is None or (features := kept[vector_of(matrix.features)]) is matrix.features:
        return training
    return replace(training, matrix=replace(matrix, features=features))
