"""One flat graph out of a model of models, so that every layer inside can be read off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vistaql.engines.tensorflow.archive import first_line
from vistaql.engines.tensorflow.runtime import import_tensorflow
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    import keras


def flatten(model: keras.Model, input_size: tuple[int, int] | None = None) -> keras.Model:
    """The same function of an image, as one functional model in which every layer is used once.

    Models inside are opened, layers used twice become two, and an open input size becomes `input_size`.
    A model that is flat already is given back as it is. Raises BAD_MODEL or BAD_OPTION_VALUE.
    """
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4 or is_flat(model):
        return model
    keras = import_tensorflow().keras
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape and input_size is None:
        message = f"The model leaves the size of its input open: {shape}."
        raise VistaQLError(Code.BAD_MODEL, message, hint="Say the size: WITH (input_size = 224)")
    height, width = input_size or (shape[0], shape[1])
    pixels = keras.Input((shape[0] or height, shape[1] or width, shape[2]), name="pixels")
    copier = _Copier(keras, {"pixels"})
    try:
        outputs = copier.run(model, pixels)
    except (ValueError, TypeError) as failure:
        message = f"The model cannot take images of {height}x{width}: {first_line(failure)}."
        raise VistaQLError(Code.BAD_OPTION_VALUE, message) from failure
    return keras.Model(pixels, outputs, name=model.name)


def grafted(stem: keras.Model, branch: keras.Model, names: dict[str, str]) -> keras.Model:
    """One flat model with those layers of another that it lacks, and with the outputs of both.

    `names` gives the name in the new model of each layer of the other; where there is one of that name, it serves.
    """
    keras = import_tensorflow().keras
    known = {operation.name: operation.output for operation in stem.operations}

    def operation_fn(operation: Any) -> Any:
        name = names[operation.name]
        if name in known:
            return lambda *_, **__: known[name]

        def call(*arguments: Any, **named: Any) -> Any:
            known[name] = copied(operation, name, *arguments, **named)
            return known[name]

        return call

    branch._run_through_graph(stem.inputs[0], operation_fn=operation_fn)  # noqa: SLF001
    ends = [known[names[end._keras_history.operation.name]] for end in branch.outputs]  # noqa: SLF001
    return keras.Model(stem.inputs[0], [*stem.outputs, *ends])


def is_flat(model: keras.Model) -> bool:
    """Whether each operation is a layer of its own, used once, on an input of fixed size."""
    keras = import_tensorflow().keras
    if isinstance(model, keras.Sequential) or None in model.inputs[0].shape[1:]:
        return False
    return all(
        not isinstance(operation, keras.Model) and len(operation._inbound_nodes) == 1  # noqa: SLF001
        for operation in model.operations
    )


def copied(operation: Any, name: str, *arguments: Any, **named: Any) -> Any:
    """What a copy of an operation gives, with its weights."""
    copy = type(operation).from_config({**operation.get_config()})
    copy.name = name
    result = copy(*arguments, **named)
    if getattr(operation, "weights", None):
        copy.set_weights(operation.get_weights())
    if hasattr(copy, "finalize_state"):  # Normalization keeps what it computes from its weights
        copy.finalize_state()
    return result


class _Copier:
    """Applies copies of a model's layers, and remembers which names are given."""

    def __init__(self, keras: Any, names: set[str]) -> None:
        self.keras = keras
        self.names = names

    def run(self, model: Any, *inputs: Any) -> Any:
        """The outputs of copies of the model's layers for symbolic inputs."""
        if isinstance(model, self.keras.Sequential):
            for layer in model.layers:
                inputs = (self.apply(layer, model.name)(*inputs),)
            return inputs[0]
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        return model._run_through_graph(given, operation_fn=lambda part: self.apply(part, model.name))  # noqa: SLF001

    def apply(self, operation: Any, owner: str) -> Any:
        """A function that calls a copy of an operation of the model called `owner`."""
        if isinstance(operation, self.keras.Model):
            return lambda *inputs, **_: self.run(operation, *inputs)

        return lambda *arguments, **named: copied(operation, self.unused(operation.name, owner), *arguments, **named)

    def unused(self, name: str, owner: str) -> str:
        """The name, and where it is taken the name of the model before it, and a number behind it."""
        candidates = [name, f"{owner}_{name}", *(f"{owner}_{name}_{count}" for count in range(2, 1000))]
        free = next(candidate for candidate in candidates if candidate not in self.names)
        self.names.add(free)
        return free
