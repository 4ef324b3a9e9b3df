"""How the wanted layers of a CNN are grouped into passes, and what passes keep for one another.

>>> from vistaql.models import roster
>>> from vistaql.models.pool import GAP, WHOLE
>>> strokes = roster.load("strokes")
>>> wanted = (Output("conv2", GAP), Output("conv4", GAP), Output("fc6", WHOLE))
>>> for strategy in (Strategy.LAZY, Strategy.EAGER, Strategy.STAGED):
...     print(named(strategy, strokes, wanted, Storage.MEMORY).words)
lazy
eager
staged
>>> first, rest = Group(wanted[:2], None, "conv4"), Group(wanted[2:], "conv4")
>>> Grouping(strokes, (first, rest)).words
'hybrid(conv2, conv4 | fc6)'
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from vistaql.models.cnn import Cnn
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass


class Strategy(Enum):
    """How the wanted layers of a CNN are grouped into passes."""

    LAZY = "lazy"
    """a pass from pixels for each layer"""
    EAGER = "eager"
    """one pass for all layers"""
    STAGED = "staged"
    """a chain of passes, each resuming from a tensor that the one before kept"""
    HYBRID = "hybrid"
    """anything in between"""


class Origin(Enum):
    """Where the work of a group begins."""

    RUN = "run"
    """pixels, or a tensor that a pass before it kept"""
    STORED_TENSOR = "stored tensor"
    """a tensor that an earlier query stored"""
    STORED_VECTORS = "stored vectors"
    """nothing is computed: an earlier query stored the answers"""


@lru_cache(maxsize=4096)
def pass_of(cnn: Cnn, source: str | None, outputs: tuple[Output, ...], keep: tuple[str, ...]) -> Pass:
    """The one pass of its kind: what it computes is found out once, for all plans and statements that weigh it."""
    return Pass(cnn, source, outputs, keep)


@dataclass(frozen=True)
class Group:
    """Wanted layers that one pass gives: it starts from pixels (`source` None) or from a kept tensor.

    `keep` is the cut point whose tensor the pass leaves for later ones, in memory or on disk.
    """

    outputs: tuple[Output, ...]
    source: str | None = None
    keep: str | None = None
    storage: Storage = Storage.MEMORY
    origin: Origin = Origin.RUN

    def inference(self, cnn: Cnn) -> Pass:
        """The pass."""
        return pass_of(cnn, self.source, self.outputs, (self.keep,) if self.keep else ())


@dataclass(frozen=True)
class Grouping:
    """Passes over one CNN in the order in which they run.

    Between two passes at most one tensor is kept. A group that keeps none leaves the one it started from to the next
    group, if that resumes from it as well; otherwise the tensor is dropped.
    """

    cnn: Cnn
    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        carried: str | None = None
        for group in self.groups:
            if group.origin is Origin.STORED_VECTORS:
                continue
            if group.origin is Origin.RUN and group.source not in (None, carried):
                message = f"a pass resumes from {group.source}, and none before it kept that"
                raise ValueError(message)
            carried = group.keep or (group.source if group.origin is Origin.RUN else None)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Everything the passes give, in their order."""
        return tuple(output for group in self.groups for output in group.outputs)

    @property
    def kept(self) -> tuple[Group, ...]:
        """The groups that keep a tensor."""
        return tuple(group for group in self.groups if group.keep)

    def fits(self, strategy: Strategy) -> bool:
        """Whether this is what a strategy would do, wherever tensors are kept; with one layer all do the same."""
        match strategy:
            case Strategy.EAGER:
                return len(self.groups) == 1
            case Strategy.LAZY:
                return all(len(group.outputs) == 1 and not group.source and not group.keep for group in self.groups)
            case Strategy.STAGED:
                same = staged(self.cnn, self.outputs, Storage.MEMORY)
                return same.groups == tuple(replace(group, storage=Storage.MEMORY) for group in self.groups)
            case Strategy.HYBRID:
                return not any(self.fits(other) for other in NAMED)

    @property
    def words(self) -> str:
        """The strategy, or the groups of a hybrid."""
        found = next((strategy for strategy in NAMED if self.fits(strategy)), None)
        return found.value if found else f"hybrid({self.shown})"

    @property
    def shown(self) -> str:
        """The groups, each with where it starts if that is not the end of the group before.

        >>> from vistaql.models import roster
        >>> from vistaql.models.pool import GAP
        >>> a, b = (Output(name, GAP) for name in ("conv2", "conv4"))
        >>> Grouping(roster.load("strokes"), (Group((a,), None, "conv1"), Group((b,), "conv1"))).shown
        'conv2 | conv4 from conv1'
        """
        parts = []
        before: Group | None = None
        for group in self.groups:
            expected = before and self.cnn.cut_point_at(before.outputs[-1].layer)
            start = "" if group.source == expected else f" from {group.source or 'pixels'}"
            parts.append(layers_shown(group.outputs) + start)
            before = group
        return " | ".join(parts)


def layers_shown(outputs: tuple[Output, ...]) -> str:
    """One or two layers, or the first and the last of more."""
    names = list(dict.fromkeys(str(output) for output in outputs))
    return ", ".join(names) if len(names) < 3 else f"{names[0]}..{names[-1]}"


# Eager comes first: where one layer is wanted all strategies are one plan, and that is its plainest name.
NAMED = (Strategy.EAGER, Strategy.STAGED, Strategy.LAZY)


def named(strategy: Strategy, cnn: Cnn, outputs: tuple[Output, ...], storage: Storage) -> Grouping:
    """What a strategy does with the wanted outputs, which come in network order."""
    match strategy:
        case Strategy.LAZY:
            return Grouping(cnn, tuple(Group((output,)) for output in outputs))
        case Strategy.EAGER:
            return Grouping(cnn, (Group(outputs),))
        case Strategy.STAGED:
            return staged(cnn, outputs, storage)
        case Strategy.HYBRID:
            message = "hybrids are many"
            raise ValueError(message)


def staged(cnn: Cnn, outputs: tuple[Output, ...], storage: Storage) -> Grouping:
    """A pass for each layer, resuming from the last cut point before it that an earlier pass went through."""
    groups: list[Group] = []
    source: str | None = None
    for place, output in enumerate(outputs):
        end = cnn.cut_point_at(output.layer) if place + 1 < len(outputs) else None
        keep = end if end != source else None
        groups.append(Group((output,), source, keep, storage if keep else Storage.MEMORY))
        source = keep or source
    return Grouping(cnn, tuple(groups))


def strategy_of(groupings: tuple[Grouping, ...], preferred: str = "") -> Strategy:
    """The strategy that the groupings of all CNNs of a plan have in common, or hybrid; the preferred one if several."""
    found = [item for item in NAMED if all(grouping.fits(item) for grouping in groupings)]
    return next((item for item in found if item.value == preferred), (found or [Strategy.HYBRID])[0])


def plan_words(groupings: tuple[Grouping, ...], strategy: Strategy) -> str:
    """A plan in a few words: its strategy or its groups, and whether kept tensors lie on disk."""
    words = strategy.value
    if strategy is Strategy.HYBRID:
        one = len(groupings) == 1
        words = "hybrid(" + "; ".join(item.shown if one else f"{item.cnn.name}: {item.shown}" for item in groupings)
        words += ")"
    storages = {group.storage for item in groupings for group in item.kept}
    place = {(): "", (Storage.DISK,): " on disk", (Storage.MEMORY,): ""}.get(tuple(storages), " partly on disk")
    return words + place
