"""What each step of a plan does, in the words of the language and the names that the user typed."""

from __future__ import annotations

from vistaql.logical.nodes import Filter, Join, JoinKind, PickLayer, Predicate, Rows, Sample, images_of, layers_of
from vistaql.models.cnn import Cnn
from vistaql.optimizer.choose import Decision
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
from vistaql.physical.operators import Fit, FitAlone, Keep, ReadImages, RunPass
from vistaql.units import format_size

# More layers than this are shown as the first two and the last.
MOST_LAYERS = 6


def pass_words(run: RunPass, keeps: list[Keep], decision: Decision) -> str:
    """The layers a pass gives, where it starts, and what it keeps for a later one; in the names the user typed."""
    inference = run.inference
    if run.cnn.parts:
        return union_words(run, keeps, decision)
    also = {Output(node.layer, node.pool): node.also for node in layers_of(decision.query) if node.cnn == run.cnn}
    typed = {output.layer: typed_name(run.cnn, output.layer, names) for output, names in also.items()}
    shown = []
    for output in inference.outputs:
        name = typed[output.layer]
        equal = [
            other for other in also.get(output, ()) if other != name and other not in aliases(run.cnn, output.layer)
        ]
        shown.append(" = ".join([name + inference.shown(output).removeprefix(output.layer), *equal]))
    start = "" if inference.source is None else f", from {typed.get(inference.source, inference.source)}"
    kept = "".join(f"; keeps {typed.get(node.layer, node.layer)}{kept_words(node, decision)}" for node in keeps)
    return f"Infer {run.cnn.name} {layers(tuple(shown))}{start}{kept}"


def union_words(run: RunPass, keeps: list[Keep], decision: Decision) -> str:
    """The same of CNNs that begin alike; each layer is named with the CNN that it was asked of."""
    inference = run.inference
    names: dict[str, list[str]] = {}
    for node in layers_of(decision.query):
        if isinstance(node, PickLayer) and node.inference.cnn == run.cnn:
            own = typed_name(node.cnn, node.layer, node.also)
            shown = inference.shown(node.output).removeprefix(node.output.layer)
            names.setdefault(node.output.column, []).append(f"{node.called}.{own}{shown}")
    given = tuple(" = ".join(dict.fromkeys(names.get(output.column, [output.layer]))) for output in inference.outputs)
    start = "" if inference.source is None else f", from {inference.source}"
    kept = "".join(f"; keeps {node.layer}{kept_words(node, decision)}" for node in keeps)
    return f"Infer {run.cnn.name} {layers(given)}{start}{kept}"


def typed_name(cnn: Cnn, layer: str, also: tuple[str, ...]) -> str:
    """The literature's name of a layer where the user typed that one, else the network's."""
    return next((name for name in also if name in aliases(cnn, layer)), layer)


def aliases(cnn: Cnn, layer: str) -> frozenset[str]:
    """The literature's names of a layer."""
    return frozenset(alias for alias, name in cnn.aliases if name == layer)


def kept_words(kept: Keep, decision: Decision) -> str:
    """How much a kept tensor takes, and where."""
    place = " on disk" if kept.source.storage is Storage.DISK else ""
    return f" ({format_size(kept.bytes(decision.sizes))}{place})"


def layers(names: tuple[str, ...]) -> str:
    """Layers in the order in which an image passes them, many of them shortened.

    >>> layers(("conv1", "conv2", "fc5"))
    'conv1 > conv2 > fc5'
    >>> layers(tuple(f"conv{n}" for n in range(1, 21)))
    'conv1 > conv2 > .. > conv20 (20 layers)'
    """
    if len(names) <= MOST_LAYERS:
        return " > ".join(names)
    return f"{names[0]} > {names[1]} > .. > {names[-1]} ({len(names)} layers)"


def decode_words(reader: ReadImages, decision: Decision) -> str:
    """How many of the images are decoded."""
    count, everything = reader.count(decision.sizes), decision.sizes.all_images
    about = "" if decision.sizes.exact or reader.rows is None else "about "
    if reader.rows is None:
        return f"Decode all {everything:,} images"
    return f"Decode {about}{count:,} images with a row, of {everything:,}"


def rows_words(rows: Rows) -> str:
    """The relational part in the words of the language."""
    images = images_of(rows)
    words = [f"{images.alias} ({images.images.statistics.count:,})"]
    for node in reversed(list(chain(rows))):
        match node:
            case Join(_, right, kind, condition):
                left = "LEFT " if kind is JoinKind.LEFT else ""
                words.append(f"{left}JOIN {right.alias} ({right.table.rows:,}) {join_words(condition)}")
            case Filter(_, predicate):
                words.append(f"WHERE {predicate.words}")
            case Sample(_, amount, percent, _):
                words.append(f"SAMPLE {amount:g}{' PERCENT' if percent else ''}")
    return f"Rows of {' '.join(words)}"


def join_words(condition: Predicate) -> str:
    """What a join compares, as it is typed."""
    return condition.words if condition.words.startswith("USING (") else f"ON {condition.words}"


def chain(rows: Rows) -> tuple[Join | Filter | Sample, ...]:
    """Sample, filter and joins, the last one first."""
    found: list[Join | Filter | Sample] = []
    node = rows.rows
    while isinstance(node, Join | Filter | Sample):
        found.append(node)
        node = node.left if isinstance(node, Join) else node.rows
    return tuple(found)


def training_words(fits: list[Fit | FitAlone]) -> str:
    """All trainings in one line: those on layers, on the table alone, and on the best layer alone."""
    plain = [node for node in fits if isinstance(node, Fit)]
    learners = ", ".join(dict.fromkeys(str(node.learner) for node in plain))
    return f"Train {learners} {len(fits)} times, {plain[0].evaluation}"
