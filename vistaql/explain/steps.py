"""The chosen plan as a tree of steps: what each does, what it is predicted to take, and what it took.

A step stands for one operator or several: the trainings are one step, and a pass with what is picked from it and kept
is one. Every operator belongs to one step, so that the seconds of the steps add up to those of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vistaql.explain.words import decode_words, layers, pass_words, rows_words, training_words
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.memory import peaks
from vistaql.physical.operators import (
    Fit,
    FitAlone,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
    WriteFeatures,
)  # fmt: skip
from vistaql.physical.run import run_order


@dataclass(frozen=True)
class Figures:
    """What a step takes: seconds, rows or images, bytes of its result, and the peak of the process meanwhile.

    None where a step has no such figure.
    """

    seconds: float | None = None
    rows: int | None = None
    bytes: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True)
class Step:
    """A part of the plan as it is shown, with the steps it reads from below it.

    `sources` are the numbers of all steps whose results it reads, also of those that stand elsewhere in the tree;
    `readers` counts the operators that read from it.
    """

    number: int
    operator: str
    words: str
    estimate: Figures
    covers: frozenset[str]
    """digests of its operators"""
    sources: tuple[int, ...] = ()
    readers: int = 1
    reads: tuple[Step, ...] = ()
    actual: Figures | None = None

    def walk(self) -> Iterator[Step]:
        """Every step below and including this one, itself first."""
        yield self
        for step in self.reads:
            yield from step.walk()


def steps_of(decision: Decision) -> Step:
    """Training or writing, and below it the rows, the library, and the passes in the order in which they run."""
    tree = Tree(decision)
    below = tuple(step for operator in tree.order for step in tree.steps(operator))
    covered = frozenset().union(*(step.covers for top in below for step in top.walk()))
    rest = [operator for operator in tree.order if operator.digest not in covered]
    plan = decision.chosen.plan
    if isinstance(plan, WriteFeatures):
        words = f"Write {layers(plan.names)} to Parquet"
        written = sum(item.bytes(decision.sizes) for item in plan.features)
        root = tree.step(0, "Write", words, rest, rows=decision.sizes.rows, size=written)
    else:
        fits = [operator for operator in rest if isinstance(operator, Fit | FitAlone)]
        root = tree.step(0, "Train", training_words(fits), rest, rows=decision.sizes.rows)
    return linked(replace(root, reads=below), tree.order)


class Tree:
    """Makes the steps of one decision; `order` is that of the run."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.order = run_order(decision.chosen.plan)
        self.prices = dict(decision.chosen.prices)
        self.peaks = self.peaks_of(decision)
        self.made = 0

    def peaks_of(self, decision: Decision) -> dict[str, int | None]:
        """The peak of the process while each operator runs; on Spark memory is divided once for the whole plan."""
        if decision.chosen.configuration.regions is not None:
            return dict.fromkeys(operator.digest for operator in self.order)
        peak = peaks(decision.chosen.plan, decision.sizes, decision.machine)
        return dict(zip((operator.digest for operator in self.order), peak, strict=True))

    def step(
        self, number: int, operator: str, words: str, covered: list[Operator], rows: int | None = None, size: int = 0
    ) -> Step:
        """A step for several operators: their seconds add up, and the highest of their peaks counts."""
        figures = Figures(
            sum(self.prices[item.digest] for item in covered),
            rows,
            size or None,
            max((peak for item in covered if (peak := self.peaks[item.digest]) is not None), default=None),
        )
        return Step(number, operator, words, figures, frozenset(item.digest for item in covered))

    def next_number(self) -> int:
        """Steps are numbered in the order in which they run; the root, which runs last, is 0."""
        self.made += 1
        return self.made

    def steps(self, operator: Operator) -> tuple[Step, ...]:
        """The steps of an operator below the root; none for one that belongs to another's step."""
        sizes = self.decision.sizes
        match operator:
            case ReadRows(rows):
                size = operator.size(sizes)
                return (self.step(self.next_number(), "Rows", rows_words(rows), [operator], sizes.rows, size),)
            case ReadImages():
                count = operator.count(sizes)
                return (self.step(self.next_number(), "Load", "List images, load TensorFlow", [operator], count),)
            case RunPass():
                return (self.pass_step(operator),)
        return ()

    def pass_step(self, run: RunPass) -> Step:
        """A pass with what is picked from it and what it keeps; decoding, which runs beside it, as a step below."""
        sizes = self.decision.sizes
        keeps = [item for item in self.order if isinstance(item, Keep) and item.source == run]
        picks = [item for item in self.order if isinstance(item, PickFeatures) and item.source == run]
        size = sum(item.bytes(sizes) for item in keeps) + sum(item.bytes(sizes) for item in picks)
        images = run.reader.count(sizes)
        decode = self.decode_step(run, images) if run.inference.source is None else None
        words = pass_words(run, keeps, self.decision)
        found = self.step(self.next_number(), "Infer", words, [run, *picks, *keeps], images, size)
        if decode is None:
            return found
        own = (found.estimate.seconds or 0.0) - (decode.estimate.seconds or 0.0)
        return replace(found, estimate=replace(found.estimate, seconds=own), reads=(decode,))

    def decode_step(self, run: RunPass, images: int) -> Step:
        """Decoding: the seconds by which it makes the pass longer, and the bytes it reads."""
        decision, configuration = self.decision, self.decision.chosen.configuration
        work = run.resources(decision.sizes)
        alone = replace(work, decoded_pixels=0.0, decoded_bytes=0.0, opened_images=0.0, read_bytes=0.0)
        whole = seconds(work, decision.machine, configuration)
        share = 1 - seconds(alone, decision.machine, configuration) / whole if whole else 0.0
        figures = Figures(
            share * self.prices[run.digest], images, int(decision.sizes.image_bytes * images), self.peaks[run.digest]
        )
        return Step(self.next_number(), "Decode", decode_words(run.reader, decision), figures, frozenset())


# Operators that do work with what they read; the others hand it on.
READERS = (Fit, FitAlone, ReadImages, RunPass, WriteFeatures)


def linked(root: Step, order: tuple[Operator, ...]) -> Step:
    """The same steps with their sources, and with how many read from each."""
    home = {digest: step.number for step in root.walk() for digest in step.covers}
    sources: dict[int, list[int]] = {step.number: [] for step in root.walk()}
    readers: dict[int, set[str]] = {step.number: set() for step in root.walk()}
    for operator in order:
        own = home[operator.digest]
        for source in {home[item.digest] for item in operator.inputs} - {own}:
            sources[own].append(source)
            if isinstance(operator, READERS):
                readers[source].add(operator.digest)

    def link(step: Step) -> Step:
        below = tuple(replace(inner, sources=tuple(sources[step.number])) for inner in step.reads)
        if step.operator != "Infer":
            below = tuple(link(inner) for inner in step.reads)
        decoding = tuple(inner.number for inner in below if inner.operator == "Decode")
        own = decoding or tuple(dict.fromkeys(sources[step.number]))
        return replace(step, sources=own, readers=max(1, len(readers[step.number])), reads=below)

    return link(root)
