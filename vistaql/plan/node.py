"""The one kind of plan node: a frozen dataclass whose inputs are its fields that are nodes.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Leaf(Node):
...     name: str
>>> @dataclass(frozen=True)
... class Pair(Node):
...     left: Node
...     right: Node
>>> plan = Pair(Leaf("a"), Leaf("b"))
>>> [node.summary for node in plan.walk()]
['Leaf name=a', 'Leaf name=b', 'Pair']
>>> plan == Pair(Leaf("a"), Leaf("b"))
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from enum import Enum
from functools import cache, cached_property
from typing import Any, Self


@dataclass(frozen=True)
class Node:
    """A step of a plan. Equal nodes are one node of the workload's graph, so equal work is done once.

    Fields with `compare=False` are words for people: they do not make a node another one.
    """

    def __init_subclass__(cls) -> None:
        # A dataclass would hash and compare all its fields, and theirs, as deep as the plan goes.
        cls.__hash__ = Node.__hash__  # type: ignore[method-assign]
        cls.__eq__ = Node.__eq__  # type: ignore[method-assign]

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self.digest == other.digest)

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes this one reads from, in the order of its fields."""
        found: list[Node] = []
        for item in fields_of(self._kind):
            value = getattr(self, item.name)
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                found.extend(item for item in value if isinstance(item, Node))
        return tuple(found)

    def walk(self) -> Iterator[Node]:
        """Every distinct node below and including this one, inputs before those who read them."""
        given: set[str] = set()
        for node in self.objects():
            # Digests of the inputs are known by now.
            if node.digest not in given:
                given.add(node.digest)
                yield node

    def objects(self) -> Iterator[Node]:
        """The same, but equal nodes as often as they were made: no digest is needed.

        Depth is no limit: a chain of passes through all layers of a CNN is hundreds of nodes deep.
        """
        entered: set[int] = set()
        waiting: list[tuple[Node, Iterator[Node]]] = [(self, iter(self.inputs))]
        while waiting:
            node, inputs = waiting[-1]
            for child in inputs:
                if id(child) not in entered:
                    entered.add(id(child))
                    waiting.append((child, iter(child.inputs)))
                    break
            else:
                waiting.pop()
                yield node

    def map_inputs(self, change: Callable[[Node], Node]) -> Self:
        """The same node over changed inputs; itself where nothing changed."""
        changed: dict[str, Any] = {}
        for item in fields_of(self._kind):
            value = getattr(self, item.name)
            if isinstance(value, Node):
                new = change(value)
                if new is not value:
                    changed[item.name] = new
            elif isinstance(value, tuple):
                parts = tuple(change(part) if isinstance(part, Node) else part for part in value)
                if any(part is not old for part, old in zip(parts, value, strict=True)):
                    changed[item.name] = parts
        return replace(self, **changed) if changed else self

    @property
    def summary(self) -> str:
        """The node in one line, printed from its fields."""
        shown = [f"{item.name}={show(value)}" for item, value in self._named() if show(value)]
        return " ".join([type(self).__name__, *shown])

    @cached_property
    def digest(self) -> str:
        """A name for the node that is the same in every process: a hash of its type and the fields that count."""
        parts = [type(self).__name__]
        parts += [f"{name}={canonical(getattr(self, name))}" for name in compared(self._kind)]
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()

    @property
    def _kind(self) -> Any:
        # mypy takes the hash of the instances for that of the type.
        return type(self)

    def _named(self) -> list[tuple[Any, object]]:
        return [(item, getattr(self, item.name)) for item in fields_of(self._kind)]


@cache
def fields_of(kind: Any) -> tuple[Any, ...]:
    """The fields of a kind of node: planning asks thousands of times, and there are some dozen kinds."""
    return fields(kind)


@cache
def compared(kind: Any) -> tuple[str, ...]:
    """The names of the fields that count."""
    return tuple(item.name for item in fields_of(kind) if item.compare)


def show(value: object) -> str:
    """A field's value for people; empty for what is shown elsewhere (inputs) or says nothing."""
    if isinstance(value, Node) or value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(filter(None, map(show, value)))
    if isinstance(value, Enum):
        return str(value.value)
    return str(value)


def canonical(value: object) -> str:
    """A field's value for hashing; unlike `repr` it does not change with the process."""
    if isinstance(value, Node):
        return value.digest
    if isinstance(value, str) or value is None:
        return repr(value)
    if isinstance(value, tuple):
        return "(" + ",".join(map(canonical, value)) + ")"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(canonical, value))) + "}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    digest = getattr(value, "digest", None)
    return digest if isinstance(digest, str) else repr(value)
