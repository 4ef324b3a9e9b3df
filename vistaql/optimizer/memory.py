"""The most memory a plan holds at once, told region by region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from vistaql.optimizer.machine import Machine
from vistaql.physical.operators import (
    BestSoFar,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
    WriteFeatures,
)  # fmt: skip
from vistaql.physical.run import last_readers, run_order
from vistaql.physical.sizes import Sizes

# What TensorFlow still has of a pass when its graph is let go: 0.74 of it after mobilenet_v2, 0.42 after resnet50.
RETAINED = 0.8


class Region(Enum):
    """What memory is for. All but the system's lie inside the limit."""

    SYSTEM = "system"
    """left to the system and to other programs"""
    CORE = "core"
    """the process with its libraries for rows and learning"""
    DEEP_LEARNING = "deep learning"
    """TensorFlow, weights, and the tensors of one batch"""
    STORAGE = "storage"
    """vectors and kept tensors of all images, held from one operator to a later one"""
    USER = "user"
    """what the running operator needs to join, fit or write"""
    DRIVER = "driver"
    """rows to learn from, and the list of images"""
    JAVA = "java"
    """on Spark: what Java reserves of its heap and takes beside it"""


@dataclass(frozen=True)
class Line:
    """Bytes of one region, and what they are."""

    region: Region
    bytes: int
    words: str
    elsewhere: bool = False
    """whether it lies on another machine, outside the limit of this one"""


@dataclass(frozen=True)
class Ledger:
    """Memory at the moment at which a plan holds most of it: one line a region, in the order of Region.

    `operator` runs at that moment, in words. The plan fits where `needs <= limit`.
    """

    lines: tuple[Line, ...]
    operator: str
    limit: int

    @property
    def needs(self) -> int:
        """Bytes of all regions on this machine but the system's."""
        return sum(line.bytes for line in self.lines if line.region is not Region.SYSTEM and not line.elsewhere)

    @property
    def fits(self) -> bool:
        """Whether the limit is kept."""
        return self.needs <= self.limit

    @property
    def slack(self) -> int:
        """Bytes between what is needed and the limit; negative where it does not fit."""
        return self.limit - self.needs


@dataclass(frozen=True)
class Held:
    """Bytes that lie in memory from the operator at one place of the order to that at another, both included."""

    bytes: int
    born: int
    dies: int
    region: Region = Region.STORAGE


def ledger(root: Operator, sizes: Sizes, machine: Machine, limit: int | None = None) -> Ledger:
    """The ledger of a plan; the limit is the machine's unless another is given."""
    order = run_order(root)
    totals = peaks_in(order, sizes, machine)
    place = totals.index(max(totals))
    running = order[place]
    held = dict.fromkeys(Region, 0)
    for item in held_by(order, sizes):
        if item.born <= place <= item.dies:
            held[item.region] += item.bytes
    bytes_of = {
        Region.SYSTEM: machine.reserve_bytes,
        Region.CORE: machine.calibration.process_bytes,
        Region.DEEP_LEARNING: deep_learning(order, sizes, machine)[place],
        Region.STORAGE: held[Region.STORAGE],
        Region.USER: 0 if isinstance(running, RunPass) else running.memory(sizes),
        Region.DRIVER: held[Region.DRIVER],
    }
    lines = tuple(Line(region, int(size), words(region, running)) for region, size in bytes_of.items())
    return Ledger(lines, type(running).__name__, machine.memory_bytes if limit is None else limit)


def words(region: Region, running: Operator) -> str:
    """What a region holds while an operator runs."""
    match region:
        case Region.SYSTEM:
            return "left to others"
        case Region.CORE:
            return "the process, Arrow, DuckDB"
        case Region.DEEP_LEARNING if isinstance(running, RunPass):
            return f"TensorFlow, {running.cnn.name}: weights, and tensors of a batch of {running.cnn.batch_rows}"
        case Region.DEEP_LEARNING:
            return "TensorFlow, with what its largest pass took"
        case Region.STORAGE:
            return "vectors and kept tensors of all images"
        case Region.USER:
            return f"what {type(running).__name__} needs besides"
        case Region.DRIVER:
            return "rows, and the list of images"
        case Region.JAVA:
            return "nothing, Spark does not run"


def peak_bytes(root: Operator, sizes: Sizes, machine: Machine) -> int:
    """The most bytes that the process holds at once while the plan runs."""
    return max(peaks(root, sizes, machine))


def peaks(root: Operator, sizes: Sizes, machine: Machine) -> tuple[int, ...]:
    """For each operator in the order of the run the most bytes that the process holds while it runs.

    The process itself, what earlier operators hold for later ones, and what the running one needs.
    """
    return peaks_in(run_order(root), sizes, machine)


def peaks_in(order: tuple[Operator, ...], sizes: Sizes, machine: Machine) -> tuple[int, ...]:
    """The same for operators in the order of the run."""
    changes = [0] * (len(order) + 1)
    for item in held_by(order, sizes):
        changes[item.born] += item.bytes
        changes[item.dies + 1] -= item.bytes
    rows = zip(order, accumulate(changes), deep_learning(order, sizes, machine), strict=False)
    return tuple(
        int(machine.calibration.process_bytes + held + deep)
        + (0 if isinstance(operator, RunPass) else operator.memory(sizes))
        for operator, held, deep in rows
    )


def deep_learning(order: tuple[Operator, ...], sizes: Sizes, machine: Machine) -> tuple[int, ...]:
    """Bytes of the deep-learning library while each operator runs.

    Nothing until images are read. What the largest pass took stays with TensorFlow, which uses it again; where the run
    spools, the graph is let go before fits, which gives some of it back.
    """
    found, loaded, most = [], 0, 0
    share = retained(sizes)
    for operator in order:
        if isinstance(operator, ReadImages):
            loaded = int(machine.calibration.library_bytes)
        if isinstance(operator, RunPass):
            most = max(most, operator.memory(sizes))
        found.append(loaded + (most if isinstance(operator, RunPass) else int(share * most)))
    return tuple(found)


def retained(sizes: Sizes) -> float:
    """The share of a pass's memory that TensorFlow still has while fits run."""
    return RETAINED if sizes.spools else 1.0


def held_by(order: tuple[Operator, ...], sizes: Sizes) -> Iterator[Held]:
    """What each operator holds, and how long.

    A pass makes all its vectors and kept tensors at once, and its result keeps the vectors until the last of them
    is picked. An export writes them to disk instead.
    """
    last = last_readers(order)
    born = {operator.digest: place for place, operator in enumerate(order)}
    spooled = isinstance(order[-1], WriteFeatures)
    for place, operator in enumerate(order):
        dies = last.get(operator.digest, len(order) - 1)
        match operator:
            case PickFeatures(source, _, reduction):
                made, picked = born[source.digest], last[source.digest]
                if spooled:
                    continue
                if reduction is None:
                    yield Held(operator.size(sizes), made, max(picked, dies))
                else:
                    yield Held(operator.size(sizes), made, picked)
                    yield Held(operator.size(sizes), place, dies)
            case Keep(source):
                yield Held(operator.size(sizes), born[source.digest], dies)
            case ReadRows() | ReadImages():
                # The engine has them for the whole run.
                yield Held(operator.size(sizes), place, len(order) - 1, Region.DRIVER)
            case BestSoFar():
                # Until it has run, the vectors of the better layer are those of the layer itself or of the best before.
                if dies > place:
                    yield Held(operator.size(sizes), place + 1, dies)
            case _:
                yield Held(operator.size(sizes), place, dies)
