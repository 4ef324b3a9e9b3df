"""The shipped facts say what Keras says about the models it builds."""

from __future__ import annotations

import pytest

from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.facts import graph_digest
from vistaql.engines.tensorflow.make_roster import APPLICATIONS, OWN, read_own
from vistaql.engines.tensorflow.register import Builder, read_cnn
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.models import roster


@pytest.mark.parametrize("name", sorted([*APPLICATIONS, *OWN]))
def test_shipped_facts_are_what_the_script_would_write(name: str) -> None:
    made = read_own(name) if name in OWN else read_cnn(name, Builder.KERAS, APPLICATIONS[name])
    assert made == roster.load(name)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50", "efficientnet_b0", "strokes"])
def test_names_shapes_parameters_and_connections_equal_keras(name: str) -> None:
    cnn = roster.load(name)
    assert cnn is not None
    import_tensorflow().keras.layers.Add(name=None)  # another Add in the process changes no name
    model = builders.build_graph(cnn.builder, cnn.input_size)
    assert graph_digest(model) == cnn.graph_digest
    assert cnn.parameters == model.count_params()
    assert [layer.name for layer in cnn.layers] == [layer.name for layer in model.layers]
    for facts, layer in zip(cnn.layers, model.layers, strict=True):
        assert facts.shape == tuple(layer.output.shape[1:])
        assert facts.parameters == layer.count_params()
        read = layer.input if isinstance(layer.input, list) else [layer.input]
        assert facts.inputs == tuple(
            tensor._keras_history.operation.name for tensor in read if tensor is not layer.output
        )


def test_two_models_in_a_process_have_the_same_names() -> None:
    first, second = (builders.build_graph("keras:MobileNet", (96, 96)) for _ in range(2))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert graph_digest(first) == graph_digest(second)


def test_another_size_is_another_graph() -> None:
    small, large = (builders.build_graph("keras:MobileNet", (size, size)) for size in (96, 128))
    assert graph_digest(small) != graph_digest(large)
