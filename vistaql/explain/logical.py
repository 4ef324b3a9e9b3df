"""Logical plans as text: each node once, under a number, with the numbers of what it reads."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vistaql.explain.account import Rewrite
    from vistaql.plan.node import Node


def nodes_text(plan: Node) -> tuple[str, ...]:
    r"""One line a node, inputs before those who read them; a node that several read is marked.

    >>> from dataclasses import dataclass
    >>> from vistaql.plan.node import Node
    >>> @dataclass(frozen=True)
    ... class Leaf(Node):
    ...     name: str
    >>> @dataclass(frozen=True)
    ... class Pair(Node):
    ...     left: Node
    ...     right: Node
    >>> print("\n".join(nodes_text(Pair(Leaf("a"), Pair(Leaf("a"), Leaf("b"))))))
    1 Leaf name=a (read by 2)
    2 Leaf name=b
    3 Pair 1, 2
    4 Pair 1, 3
    """
    return texts(plan, {node.digest: place for place, node in enumerate(plan.walk(), start=1)})


def texts(plan: Node, numbers: dict[str, int]) -> tuple[str, ...]:
    """One line a node, under given numbers."""
    order = list(plan.walk())
    readers = Counter(source for node in order for source in {item.digest for item in node.inputs})
    return tuple(
        node_text(node, numbers[node.digest], [numbers[item.digest] for item in node.inputs], readers) for node in order
    )


# What makes a node of a rewritten plan the one that it was, the closest first.
LIKENESSES: tuple[Callable[[Node], str], ...] = (
    lambda node: node.digest,
    lambda node: node.summary,
    lambda node: type(node).__name__,
)


def renumbered(before: Node, numbers: dict[str, int], after: Node) -> dict[str, int]:
    """Numbers of a rewritten plan: a node keeps its number if it only reads other nodes now, or if its kind stays.

    New ones are numbered on.
    """
    found: dict[str, int] = {}
    left = {node.digest: node for node in before.walk()}
    for alike in LIKENESSES:
        free: dict[str, list[str]] = {}
        for digest, node in left.items():
            free.setdefault(alike(node), []).append(digest)
        for node in after.walk():
            if node.digest not in found and (same := free.get(alike(node))):
                digest = same.pop(0)
                found[node.digest] = numbers[digest]
                del left[digest]
    last = max(numbers.values())
    for node in after.walk():
        if node.digest not in found:
            last += 1
            found[node.digest] = last
    return found


def node_text(node: Node, number: int, sources: list[int], readers: Counter[str]) -> str:
    """One node."""
    name, _, fields = node.summary.partition(" ")
    count = readers[node.digest]
    # Lists of columns are long, and lines are broken at spaces.
    fields = re.sub(r",(?=\S)", ", ", fields)
    parts = [str(number), name, ", ".join(map(str, sources)), fields, f"(read by {count})" if count > 1 else ""]
    return " ".join(part for part in parts if part)


def rewrites_text(rewrites: tuple[Rewrite, ...], width: int) -> list[str]:
    """The plan as it was bound, then after each rule what is new in it; a rule that changes nothing is named only."""
    lines: list[str] = []
    numbers: dict[str, int] = {}
    for item in rewrites:
        if item.before is None:
            numbers = {node.digest: place for place, node in enumerate(item.after.walk(), start=1)}
            lines += ["as bound:", *(line for text in texts(item.after, numbers) for line in indented(text, width))]
        elif item.before == item.after:
            lines.append(f"after {item.rule}: the same")
        else:
            old, before = numbers, texts(item.before, numbers)
            numbers = renumbered(item.before, old, item.after)
            lines += changes(item.rule, before, texts(item.after, numbers), width)
            gone = sorted(set(old.values()) - set(numbers.values()))
            lines += indented(f"without {', '.join(map(str, gone))}", width) if gone else []
    return lines


def changes(rule: str, before: tuple[str, ...], after: tuple[str, ...], width: int) -> list[str]:
    """The nodes that a rule made, or that read others since."""
    new = [text for text in after if text not in before]
    head = f"after {rule}: {len(after) - len(new)} of {len(after)} nodes as before, and"
    return [head, *(line for text in new for line in indented(text, width))]


def indented(text: str, width: int) -> list[str]:
    """A node in lines of a width."""
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="      ", break_long_words=False, break_on_hyphens=False
    )
