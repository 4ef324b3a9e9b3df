"""The chosen plan as a tree of steps: what each does, its seconds, and the bytes it holds."""

from __future__ import annotations

from dataclasses import dataclass

from vistaql.logical.nodes import Filter, Join, JoinKind, Predicate, Rows, Sample, images_of, layers_of
from vistaql.models.cnn import Cnn
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.cost import seconds
from vistaql.physical.infer import Keep, RunPass
from vistaql.physical.inference import Output
from vistaql.physical.operators import Fit, FitAlone, Operator, ReadImages, ReadRows, WriteFeatures
from vistaql.physical.run import run_order
from vistaql.units import format_size

# More layers than this are shown as the first two and the last.
MOST_LAYERS = 6


@dataclass(frozen=True)
class Step:
    """A part of the plan as it is shown: in words, with its seconds, its bytes, and the steps it reads from.

    `bytes` are those of its result and of the memory it needs while it runs.
    """

    operator: str
    words: str
    seconds: float
    bytes: int
    reads: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return {
            "operator": self.operator,
            "words": self.words,
            "seconds": round(self.seconds, 4),
            "bytes": self.bytes,
            "reads": [step.to_json() for step in self.reads],
        }


def steps_of(decision: Decision) -> Step:
    """Training or writing, and below it the rows, the library, and the passes in the order in which they run."""
    plan = decision.chosen.plan
    order = run_order(plan)
    prices = dict(decision.chosen.prices)
    kept: dict[str, list[Keep]] = {}
    for node in order:
        if isinstance(node, Keep):
            kept.setdefault(node.source.digest, []).append(node)
    below = [
        step
        for operator in order
        for step in steps_of_operator(operator, prices, kept.get(operator.digest, []), decision)
    ]
    if isinstance(plan, WriteFeatures):
        return Step("Write", f"Write {layers(plan.names)} to Parquet", prices[plan.digest], 0, tuple(below))
    fits = [node for node in order if isinstance(node, Fit | FitAlone)]
    return Step(
        "Train",
        training_words(fits),
        sum(prices[node.digest] for node in fits),
        max(node.memory(decision.sizes) for node in fits),
        tuple(below),
    )


def steps_of_operator(
    operator: Operator, prices: dict[str, float], keeps: list[Keep], decision: Decision
) -> tuple[Step, ...]:
    """The steps of an operator below the root; none for one that only hands on what another has made."""
    sizes = decision.sizes
    match operator:
        case ReadRows(rows):
            held = operator.size(sizes) + operator.memory(sizes)
            return (Step("Rows", rows_words(rows, decision), prices[operator.digest], held),)
        case ReadImages():
            library = int(decision.machine.calibration.library_bytes)
            return (Step("Load", "Load TensorFlow", prices[operator.digest], library),)
        case RunPass():
            return (pass_step(operator, prices, keeps, decision),)
    return ()


def pass_step(run: RunPass, prices: dict[str, float], keeps: list[Keep], decision: Decision) -> Step:
    """A pass with what it keeps; decoding, which runs beside inference, as a step of its own."""
    sizes, configuration = decision.sizes, decision.chosen.configuration
    decoding = seconds(run.decoding(sizes), decision.machine, configuration)
    kept_seconds = sum(prices[node.digest] for node in keeps)
    held = run.memory(sizes) + sum(node.size(sizes) for node in keeps)
    decode: tuple[Step, ...] = ()
    if run.inference.source is None:
        decode = (Step("Decode", decode_words(run.reader, decision), decoding, 0),)
    own = prices[run.digest] - decoding + kept_seconds
    return Step("Infer", pass_words(run, keeps, decision), own, held, decode)


def pass_words(run: RunPass, keeps: list[Keep], decision: Decision) -> str:
    """The layers a pass gives, where it starts, and what it keeps for a later one; in the names the user typed."""
    inference = run.inference
    also = {Output(node.tensor.layer, node.pool): node.also for node in layers_of(decision.query)
            if node.tensor.cnn == run.cnn}  # fmt: skip
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


def typed_name(cnn: Cnn, layer: str, also: tuple[str, ...]) -> str:
    """The literature's name of a layer where the user typed that one, else the network's."""
    return next((name for name in also if name in aliases(cnn, layer)), layer)


def aliases(cnn: Cnn, layer: str) -> frozenset[str]:
    """The literature's names of a layer."""
    return frozenset(alias for alias, name in cnn.aliases if name == layer)


def kept_words(kept: Keep, decision: Decision) -> str:
    """How much a kept tensor takes, and where."""
    place = "" if kept.size(decision.sizes) else " on disk"
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


def rows_words(rows: Rows, decision: Decision) -> str:
    """The relational part in the words of the language, and how many rows it gives."""
    sizes = decision.sizes
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
    about = "" if sizes.exact else "about "
    return f"Rows of {' '.join(words)}, {about}{sizes.rows:,}"


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
