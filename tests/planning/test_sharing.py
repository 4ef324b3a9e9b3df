"""Layers of one CNN share an inference, and equal work of several queries is one node."""

from __future__ import annotations

from collections.abc import Callable

from vistaql.frontend.binder import BoundQuery
from vistaql.logical.nodes import Decode, InferLayers, Join, PoolLayer, ScanImages
from vistaql.plan.graph import in_order, merge, shared

Bind = Callable[..., BoundQuery]
TAIL = "FROM photos JOIN products TRAIN logistic_regression"


def test_layers_are_bound_one_by_one_from_the_pixels(bind: Bind) -> None:
    plan = bind(f"EXPLORE LAYERS fc6, conv2, conv4 OF strokes {TAIL}").plan
    pooled = [node for node in plan.walk() if isinstance(node, PoolLayer)]
    assert [item.layer for item in pooled] == ["conv2", "conv4", "fc6"]
    assert {type(item.tensor.pixels) for item in pooled} == {Decode}


def test_layers_of_a_cnn_share_an_inference(bind: Bind) -> None:
    graph = merge([bind(f"EXPLORE LAYERS conv2, conv4, fc6 OF strokes {TAIL}").rewritten().plan])
    (inference,) = (node for node in graph if isinstance(node, InferLayers))
    assert graph.out_degree(inference) == 3
    assert inference in shared(graph)


def test_decoded_images_of_one_size_are_one_node_of_the_graph(bind: Bind) -> None:
    """Their work is not: each pass of each CNN decodes for itself."""
    graph = merge([bind(f"EXPLORE LAYERS fc6 OF vgg16, LAYERS avg_pool OF resnet50 {TAIL}").rewritten().plan])
    (decode,) = (node for node in graph if isinstance(node, Decode))
    assert graph.out_degree(decode) == 2


def test_two_queries_over_the_same_rows_are_joined_once(bind: Bind) -> None:
    first = bind(f"EXPLORE LAYERS conv2 OF strokes {TAIL}").plan
    second = bind("EXPLORE LAYERS conv4 OF strokes  FROM photos  JOIN products USING (sku) TRAIN lr(reg = 1)").plan
    graph = merge([first, second])
    for kind in (ScanImages, Join, Decode):
        assert sum(isinstance(node, kind) for node in graph) == 1


def test_words_and_places_do_not_make_work_another(bind: Bind) -> None:
    one = bind("EXPLORE LAYERS fc6 OF vgg16 FROM photos JOIN products WHERE weight > 1 AND width < 5 TRAIN lr").plan
    other = bind(
        "EXPLORE LAYERS fc1 OF vgg16 FROM photos JOIN products TRAIN lr WHERE products.weight>1 AND photos.width<5"
    ).plan
    assert one == other
    assert one.digest == other.digest
    assert merge([one, other]).number_of_nodes() == merge([one]).number_of_nodes()


def test_another_constant_is_other_work(bind: Bind) -> None:
    one, other = (bind(f"EXPLORE strokes FROM photos JOIN products WHERE weight > {n} TRAIN lr").plan for n in (1, 2))
    assert one.digest != other.digest


def test_inputs_come_before_their_readers(bind: Bind) -> None:
    graph = merge([bind(f"EXPLORE LAST 3 LAYERS OF resnet50 {TAIL}").plan])
    place = {node: number for number, node in enumerate(in_order(graph))}
    assert all(place[source] < place[reader] for source, reader in graph.edges)
