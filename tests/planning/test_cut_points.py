"""A pass can resume from a cut point alone: without it, nothing behind is reached from the input."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistaql.models import roster
from vistaql.models.cnn import Cnn, Layer, Preprocessing, Weights, WeightsKind
from vistaql.models.pool import WHOLE
from vistaql.physical.inference import Output, Pass


@st.composite
def cnns(draw: st.DrawFn) -> Cnn:
    """A random graph of layers in topological order, each reading one or two of those before it."""
    layers = [Layer("0", "InputLayer", (8, 8, 3), (), 0, 0)]
    for place in range(1, draw(st.integers(2, 12))):
        sources = draw(st.lists(st.integers(0, place - 1), min_size=1, max_size=2, unique=True))
        kind = "Add" if len(sources) == 2 else draw(st.sampled_from(["Conv2D", "ReLU", "BatchNormalization"]))
        layers.append(Layer(str(place), kind, (8, 8, 3), tuple(map(str, sources)), 10, 1))
    weights = Weights(WeightsKind.RANDOM, seed=1)
    return Cnn("net", "file:net.keras", (8, 8), Preprocessing.NONE, tuple(layers), (), (), weights, "g")


def behind_the_input(cnn: Cnn, without: str) -> set[str]:
    """Layers reached from the input when one layer is taken out."""
    graph = nx.DiGraph((source, layer.name) for layer in cnn.layers for source in layer.inputs)
    graph.remove_node(without)
    start = cnn.layers[0].name
    return {start} | nx.descendants(graph, start)


@given(cnn=cnns())
def test_a_cut_point_separates_what_is_behind_it(cnn: Cnn) -> None:
    for cut in cnn.cut_points:
        if cut in cnn.position and cut != cnn.layers[0].name:
            later = {layer.name for layer in cnn.layers if cnn.position[layer.name] > cnn.position[cut]}
            assert not later & behind_the_input(cnn, cut)


@given(cnn=cnns())
def test_a_layer_that_separates_is_a_cut_point(cnn: Cnn) -> None:
    for place, layer in enumerate(cnn.layers[1:-1], start=1):
        crossing = any(cnn.position[source] < place for other in cnn.layers[place + 1 :] for source in other.inputs)
        assert (layer.name in cnn.cut_points) == (not crossing)


@given(cnn=cnns())
def test_what_is_kept_is_enough_for_any_later_layer(cnn: Cnn) -> None:
    for layer in cnn.layers:
        kept = cnn.cut_point_at(layer.name)
        if kept is None:
            continue
        assert kept in cnn.ancestors(layer.name)
        assert kept not in cnn.fused
        for later in cnn.layers[cnn.position[layer.name] :]:
            assert cnn.layers[0].name not in cnn.ancestors(later.name, kept)


@pytest.mark.parametrize("name", roster.names())
def test_cut_points_of_the_roster(name: str) -> None:
    cnn = roster.load(name)
    assert cnn is not None
    graph = nx.DiGraph((source, layer.name) for layer in cnn.layers for source in layer.inputs)
    first, last = cnn.layers[0].name, cnn.layers[-1].name
    dominators = {last}
    parents = nx.immediate_dominators(graph, first)
    node = last
    while node != first:
        node = parents[node]
        dominators.add(node)
    assert set(cnn.cut_points) <= dominators | {first}


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet50"])
def test_a_pass_that_resumes_computes_what_is_left_and_nothing_twice(name: str) -> None:
    """The released Vista runs a block of ResNet50 twice, and pools VGG16 in another way, where it resumes."""
    cnn = roster.load(name)
    assert cnn is not None
    *_, last = cnn.points
    whole = Pass(cnn, None, (Output(last, WHOLE),)).computed
    cuts = [cut for cut in cnn.cut_points[1:] if cut not in cnn.fused and cnn.position[cut] < cnn.position[last]]
    assert len(cuts) > 10
    for cut in cuts:
        before, after = Pass(cnn, None, (), (cut,)), Pass(cnn, cut, (Output(last, WHOLE),))
        assert before.computed + after.computed == whole
        assert after.computed[0].inputs == (cut,)
