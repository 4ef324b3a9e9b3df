"""Logical plans as text: each node once, under a number, with the numbers of what it reads."""

from __future__ import annotations

import re
import textwrap
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
    order = list(plan.walk())
    numbers = {node.digest: place for place, node in enumerate(order, start=1)}
    readers: dict[str, int] = {}
    for node in order:
        for source in {item.digest for item in node.inputs}:
            readers[source] = readers.get(source, 0) + 1
    return tuple(
        node_text(node, numbers[node.digest], [numbers[item.digest] for item in node.inputs], readers) for node in order
    )


def node_text(node: Node, number: int, sources: list[int], readers: dict[str, int]) -> str:
    """One node."""
    name, _, fields = node.summary.partition(" ")
    count = readers.get(node.digest, 0)
    # Lists of columns are long, and lines are broken at spaces.
    fields = re.sub(r",(?=\S)", ", ", fields)
    parts = [str(number), name, ", ".join(map(str, sources)), fields, f"(read by {count})" if count > 1 else ""]
    return " ".join(part for part in parts if part)


def rewrites_text(rewrites: tuple[Rewrite, ...], width: int) -> list[str]:
    """The plan as it was bound, then after each rule what is new in it; a rule that changes nothing is named only."""
    lines: list[str] = []
    for item in rewrites:
        if item.before is None:
            lines += ["as bound:", *(line for text in nodes_text(item.after) for line in indented(text, width))]
        elif item.before == item.after:
            lines.append(f"after {item.rule}: the same")
        else:
            before, after = frozenset(nodes_text(item.before)), nodes_text(item.after)
            new = [text for text in after if text not in before]
            lines.append(f"after {item.rule}: {len(after) - len(new)} of {len(after)} nodes as before, and")
            lines += [line for text in new for line in indented(text, width)]
    return lines


def indented(text: str, width: int) -> list[str]:
    """A node in lines of a width."""
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="      ", break_long_words=False, break_on_hyphens=False
    )
