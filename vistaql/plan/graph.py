"""The multi-query graph: equal nodes of all queries are one vertex, so shared work is seen and done once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vistaql.plan.node import Node

if TYPE_CHECKING:
    import networkx as nx


def merge(roots: Iterable[Node]) -> nx.DiGraph[Node]:
    """One graph over all roots; an edge leads from an input to the node that reads it.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Leaf(Node):
    ...     name: str
    >>> @dataclass(frozen=True)
    ... class Use(Node):
    ...     source: Node
    ...     purpose: str
    >>> graph = merge([Use(Leaf("images"), "a"), Use(Leaf("images"), "b")])
    >>> graph.number_of_nodes(), graph.out_degree(Leaf("images"))
    (3, 2)
    """
    # A fifth of a second, which an EXPLAIN that prints text need not wait for.
    import networkx as nx

    graph: nx.DiGraph[Node] = nx.DiGraph()
    for root in roots:
        for node in root.walk():
            graph.add_node(node)
            graph.add_edges_from((source, node) for source in node.inputs)
    return graph


def in_order(graph: nx.DiGraph[Node]) -> list[Node]:
    """Inputs before those who read them; the order does not depend on how the graph was built."""
    import networkx as nx

    return list(nx.lexicographical_topological_sort(graph, key=lambda node: node.digest))


def shared(graph: nx.DiGraph[Node]) -> frozenset[Node]:
    """Nodes that are read more than once: work that a naive plan would repeat."""
    return frozenset(node for node in graph if graph.out_degree(node) > 1)
