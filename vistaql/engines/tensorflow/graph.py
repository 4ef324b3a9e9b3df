"""A CNN as a frozen graph: cut at the layers wanted, from pixels or from a kept tensor, pooled inside.

The graph of a pass must give the same bits as that of any other pass over the same CNN, whatever else either is asked
for. TensorFlow rewrites graphs, and what it fuses depends on who reads a tensor; so who reads what is fixed here:

* the tensor of every layer that is not `Cnn.fused` with the one behind it passes through a barrier, always;
* a layer that is fused (a convolution before its batch normalisation, say) is never read inside the main graph. It is
  computed once more, alone, in a graph of its own that starts at the layer before.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vistaql.engines.tensorflow.builders import build, tensors
from vistaql.engines.tensorflow.folding import convolve_folded, folded_norms, weights
from vistaql.engines.tensorflow.pooling import pool
from vistaql.engines.tensorflow.preprocessing import preprocess
from vistaql.engines.tensorflow.runtime import held_stderr, import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from vistaql.models.cnn import Cnn
    from vistaql.physical.inference import Output, Pass

    Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class FrozenGraph:
    """The graphs of one pass, ready to run. Call it with a batch of exactly `Cnn.batch_rows` images.

    The batch is uint8 [rows, height, width, 3], or float32 [rows, *shape of the source layer]. The result holds one
    float32 array [rows, width] for each output of the pass, then one [rows, *shape] for each kept layer.
    """

    main: Callable[..., Sequence[Any]]
    alone: tuple[tuple[int, Callable[..., Any]], ...]
    """for each layer that is computed in a graph of its own: the place of its start in what `main` gives"""
    places: tuple[tuple[bool, int], ...]
    """for each result: whether a graph of its own gives it, and its place there or in what `main` gives"""

    def __call__(self, batch: np.ndarray[Any, Any]) -> tuple[Floats, ...]:
        """Run one batch."""
        from_main = self.main(batch)
        apart = [run(from_main[start]) for start, run in self.alone]
        return tuple((apart if own else from_main)[place].numpy() for own, place in self.places)


KEPT: Final[dict[Pass, FrozenGraph]] = {}
"""Graphs of this process, so that the same pass again, in a later statement, is not built again: the last one, or the
last few of small CNNs."""
MODELS: Final[dict[Cnn, Any]] = {}
"""The Keras models of small CNNs that have graphs here: their other passes are traced from them."""

MOST_KEPT = 8
SMALL_PARAMETERS = 500_000
"""A CNN of no more weights than these (2 MB) is kept in several graphs. Building one again takes longer than running
it over hundreds of images, and one collection of garbage, which walks all that TensorFlow has loaded, as long."""


def freeze(pass_: Pass) -> FrozenGraph:
    """Build the graphs of a pass, or give those that are kept of it.

    Raises what `builders.build` raises. Takes seconds; the Keras model of a large CNN is released. The graph before is
    released first, since the weights of two graphs side by side are what a plan has no room for.

    Of a union of CNNs no more is built than the pass needs, where one of them will do.
    """
    pass_ = pass_.alone
    found = KEPT.get(pass_)
    if found is None:
        if len(KEPT) == MOST_KEPT or not all(is_small(other) for other in (pass_, *KEPT)):
            release_graphs()
        found = KEPT[pass_] = freeze_model(model_of(pass_), pass_)
        if not is_small(pass_):
            gc.collect()
    return found


def is_small(pass_: Pass) -> bool:
    """Whether graphs of the CNN may lie side by side."""
    return pass_.cnn.parameters <= SMALL_PARAMETERS


def model_of(pass_: Pass) -> Any:
    """The Keras model of the pass's CNN, which is kept if it is small."""
    if not is_small(pass_):
        return build(pass_.cnn)
    if pass_.cnn not in MODELS:
        MODELS[pass_.cnn] = build(pass_.cnn)
    return MODELS[pass_.cnn]


def release_graphs() -> None:
    """Forget all graphs, and give their memory back."""
    if KEPT:
        KEPT.clear()
        MODELS.clear()
        gc.collect()


def freeze_model(model: Any, pass_: Pass) -> FrozenGraph:
    """Build the graphs of a pass from a Keras model that has the layers of the pass's CNN."""
    cnn = pass_.cnn
    direct = tuple(output for output in pass_.outputs if output.layer not in cnn.fused)
    apart = tuple(output for output in pass_.outputs if output.layer in cnn.fused)
    starts = tuple(dict.fromkeys(cnn.unfused_source(output.layer) for output in apart))
    with held_stderr():
        main = trace_main(model, pass_, direct, (*pass_.keep, *starts))
        alone = tuple(
            (len(direct) + len(pass_.keep) + starts.index(start), trace_alone(model, cnn, start, output))
            for output in apart
            for start in (cnn.unfused_source(output.layer),)
        )
    places = [
        (True, apart.index(output)) if output in apart else (False, direct.index(output)) for output in pass_.outputs
    ]
    places += [(False, len(direct) + place) for place in range(len(pass_.keep))]
    return FrozenGraph(main, alone, tuple(places))


def trace_main(model: Any, pass_: Pass, pooled: tuple[Output, ...], whole: tuple[str, ...]) -> Callable[..., Any]:
    """The graph from the pass's source: the pooled layers, then the whole ones."""
    tf, cnn = import_tensorflow(), pass_.cnn
    source = pass_.source or cnn.input_layer.name
    wanted = {output.layer for output in pooled} | set(whole)
    needed = {name for layer in wanted for name in cnn.ancestors(layer, source)} - {source}
    ordered = sorted(needed, key=cnn.position.__getitem__)

    def run(batch: Any) -> list[Any]:
        first = batch if pass_.source else preprocess(batch, cnn.preprocessing)
        values = run_layers(model, {source: barrier(first)}, ordered, cnn.fused)
        return [
            *(pool(values[output.layer], output.pool) for output in pooled),
            *(tf.identity(values[name]) for name in whole),
        ]

    return concrete(run, cnn, pass_.source)


def trace_alone(model: Any, cnn: Cnn, start: str, output: Output) -> Callable[..., Any]:
    """The graph from an unfused layer to a fused one behind it, pooled."""
    ordered = sorted(set(cnn.ancestors(output.layer, start)) - {start}, key=cnn.position.__getitem__)

    def run(batch: Any) -> Any:
        values = run_layers(model, {start: batch}, ordered, cnn.fused)
        return pool(values[output.layer], output.pool)

    return concrete(run, cnn, start)


def concrete(run: Callable[..., Any], cnn: Cnn, source: str | None) -> Callable[..., Any]:
    """Trace a function of one batch that starts at `source` (None: pixels) for the CNN's one batch shape."""
    tf = import_tensorflow()
    shape = (*cnn.input_size, 3) if source is None else cnn.by_name[source].shape
    batch = tf.TensorSpec((cnn.batch_rows, *shape), tf.uint8 if source is None else tf.float32)
    function = tf.function(run, input_signature=[batch], autograph=False).get_concrete_function()
    return lambda rows: function(tf.convert_to_tensor(rows))


def run_layers(model: Any, known: dict[str, Any], wanted: list[str], fused: frozenset[str]) -> dict[str, Any]:
    """The tensors of the wanted layers, which come in network order, computed from the known ones.

    The graph being traced reads the model's weights. Every tensor but those of fused layers passes through a barrier.
    A convolution that takes in its normalisation gives what that one gives, and is read by nothing else.
    """
    import keras

    values = dict(known)
    symbolic = tensors(model)
    concrete_of = {id(symbolic[name]): value for name, value in known.items()}
    steps = {operation.name: operation for operation in model.operations}
    norms = folded_norms(steps, wanted, fused)
    folded = {norm.name for norm in norms.values()}
    for name in wanted:
        step = steps[name]
        arguments, options = step._inbound_nodes[0].arguments.fill_in(concrete_of)  # noqa: SLF001, Keras has no other way
        if name in folded:
            value = arguments[0]
        elif name in norms:
            value = convolve_folded(step, norms[name], *arguments)
        else:
            with keras.StatelessScope(state_mapping=weights(getattr(step, "weights", ()))):
                value = convolve_groups(step, *arguments) if is_grouped(step) else step(*arguments, **options)
        values[name] = value if name in fused else barrier(value)
        concrete_of[id(symbolic[name])] = values[name]
    return values


def is_grouped(step: Any) -> bool:
    """Whether a layer is a convolution over groups of channels, a few or many, but not one for each channel."""
    return type(step).__name__ == "Conv2D" and step.groups > 1


def convolve_groups(layer: Any, inputs: Any) -> Any:
    """A grouped convolution as one convolution a group.

    TensorFlow's own kernel for it rounds differently with another number of threads.
    """
    tf = import_tensorflow()
    parts = zip(
        tf.split(inputs, layer.groups, axis=-1), tf.split(layer.kernel.value, layer.groups, axis=-1), strict=True
    )
    outputs = tf.concat([layer.convolution_op(part, kernel) for part, kernel in parts], axis=-1)
    if layer.use_bias:
        outputs += layer.bias.value
    return outputs if layer.activation is None else layer.activation(outputs)


def barrier(tensor: Any) -> Any:
    """The same tensor, behind an operation that TensorFlow neither removes nor fuses, and that costs nothing."""
    return import_tensorflow().raw_ops.PlaceholderWithDefault(input=tensor, shape=tensor.shape)
