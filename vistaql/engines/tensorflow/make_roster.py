"""Write the facts about the built-in CNNs: `python -m vistaql.engines.tensorflow.make_roster`.

They are read off the models that Keras builds. Run it again when an architecture or the layer rule changes.
"""

from __future__ import annotations

from dataclasses import replace

from vistaql.engines.tensorflow import builders
from vistaql.engines.tensorflow.facts import graph_digest, read_layers
from vistaql.engines.tensorflow.register import active, read_application, with_points
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Preprocessing, Weights, WeightsKind
from vistaql.models.stored import to_json

APPLICATIONS = {
    "vgg16": "VGG16",
    "resnet50": "ResNet50",
    "mobilenet_v2": "MobileNetV2",
    "efficientnet_b0": "EfficientNetB0",
}
OWN = {
    "alexnet": (Preprocessing.CAFFE, WeightsKind.IMAGENET),
    "strokes": (Preprocessing.UNIT, WeightsKind.SHIPPED),
}


def make() -> tuple[Cnn, ...]:
    """The roster, as it follows from the models."""
    from vistaql.engines.tensorflow.register import AS_PUBLISHED

    applications = (read_application(name, source, AS_PUBLISHED) for name, source in APPLICATIONS.items())
    return (*applications, *(read_own(name) for name in OWN))


def read_own(name: str) -> Cnn:
    """The facts about one of the project's own architectures."""
    preprocessing, weights = OWN[name]
    model = builders.build_graph(f"vistaql:{name}", None)
    cnn = Cnn(
        name=name,
        builder=f"vistaql:{name}",
        input_size=(model.input_shape[1], model.input_shape[2]),
        preprocessing=preprocessing,
        layers=read_layers(model),
        points=(),
        aliases=(),
        weights=Weights(weights),
        graph_digest=graph_digest(model),
    )
    return with_points(cnn, active(model))


def main() -> None:
    """Write one file a CNN."""
    for cnn in make():
        path = roster.FOLDER / f"{cnn.name}.json"
        path.write_text(to_json(replace(cnn)), encoding="utf-8")
        print(f"{path}: {len(cnn.layers)} layers, {len(cnn.points)} points")  # noqa: T201, a script speaks


if __name__ == "__main__":
    main()
