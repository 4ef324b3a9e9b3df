"""Where the boxes and the arrows of a plan's picture stand: layers from what is read down to the answer.

The layout is layered (Sugiyama, Tagawa and Toda 1981): networkx finds the layers and spaces them, arrows over several
layers pass through a free place in each, which arrows to one step share, and places are ordered by the mean place of
what stands above.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vistaql.explain.steps import Step

if TYPE_CHECKING:
    import networkx as nx

BOX_WIDTH, LINE_HEIGHT = 250, 17
SLOT_WIDTH, MARGIN = 290, 20
GAP = 46
MOST_LINES, CHARACTERS = 4, 36

Place = tuple[int, int]
"""a step and its layer, or a free place in another layer on the way to that step"""


@dataclass(frozen=True)
class Box:
    """A step in the picture; `x` and `y` are its upper left corner, all in pixels."""

    step: Step
    lines: tuple[str, ...]
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Arrow:
    """From a step to one that reads it, through these points."""

    points: tuple[tuple[int, int], ...]

    @property
    def path(self) -> str:
        """The line for SVG, bent between its points.

        >>> Arrow(((0, 0), (10, 20))).path
        'M0,0 C0,10 10,10 10,20'
        """
        (x, y), *rest = self.points
        parts = [f"M{x},{y}"]
        for to_x, to_y in rest:
            middle = (y + to_y) // 2
            parts.append(f"C{x},{middle} {to_x},{middle} {to_x},{to_y}")
            x, y = to_x, to_y
        return " ".join(parts)


@dataclass(frozen=True)
class Picture:
    """Boxes and arrows, and the size of the whole in pixels."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def picture(root: Step) -> Picture:
    """The plan as a picture; a step stands below everything that it reads."""
    steps = {step.number: step for step in root.walk()}
    layers = layers_of(steps)
    lines = {number: box_lines(step) for number, step in steps.items()}
    box_height = LINE_HEIGHT * (2 + max(map(len, lines.values()))) + 24
    spots = spots_of(steps, layers, box_height + GAP)
    boxes = tuple(
        Box(step, lines[number], x - BOX_WIDTH // 2, y, BOX_WIDTH, box_height)
        for number, step in steps.items()
        for x, y in [spots[number, layers[number]]]
    )
    arrows = tuple(
        arrow(source, step.number, layers, spots, box_height) for step in steps.values() for source in step.sources
    )
    height = max(y for _, y in spots.values()) + box_height + MARGIN
    return Picture(boxes, arrows, max(x for x, _ in spots.values()) + BOX_WIDTH // 2 + MARGIN, height)


def box_lines(step: Step) -> tuple[str, ...]:
    """The words of a box without its title, shortened to a few lines."""
    words = step.words.removeprefix(step.operator).strip()
    return tuple(textwrap.wrap(words, CHARACTERS, max_lines=MOST_LINES, placeholder=" .."))


def layers_of(steps: dict[int, Step]) -> dict[int, int]:
    """The layer of each step: one below the lowest of what it reads."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(steps)
    graph.add_edges_from((source, step.number) for step in steps.values() for source in step.sources)
    generations = nx.topological_generations(graph)
    return {number: layer for layer, numbers in enumerate(generations) for number in numbers}


def way(source: int, target: int, layers: dict[int, int]) -> tuple[Place, ...]:
    """The places of an arrow, one in each layer that it passes."""
    between = [(target, layer) for layer in range(layers[source] + 1, layers[target])]
    return ((source, layers[source]), *between, (target, layers[target]))


def spots_of(steps: dict[int, Step], layers: dict[int, int], layer_height: int) -> dict[Place, tuple[int, int]]:
    """The upper middle of each place in pixels."""
    import networkx as nx

    graph = nx.DiGraph()
    for step in steps.values():
        graph.add_node((step.number, layers[step.number]))
        for source in step.sources:
            nx.add_path(graph, way(source, step.number, layers))
    ordered = ordered_layers(graph, max(layers.values()) + 1)
    found = nx.multipartite_layout(graph, subset_key=ordered, align="horizontal")
    # networkx scales all to one square; the distance of two layers tells by how much.
    heights = sorted({round(float(y), 6) for _, y in found.values()})
    unit = heights[1] - heights[0] if len(heights) > 1 else 1.0
    left = min(float(x) for x, _ in found.values())
    return {
        place: (
            MARGIN + BOX_WIDTH // 2 + round((float(x) - left) / unit * SLOT_WIDTH),
            MARGIN + round((float(y) - heights[0]) / unit * layer_height),
        )
        for place, (x, y) in found.items()
    }


def ordered_layers(graph: nx.DiGraph[Place], count: int) -> dict[int, list[Place]]:
    """The places of each layer from left to right."""
    position: dict[Place, float] = {}
    found = {}
    for layer in range(count):
        above = {
            place: (mean([position[item] for item in graph.predecessors(place)]), -place[0])
            for place in graph
            if place[1] == layer
        }
        places = sorted(above, key=above.__getitem__)
        position.update((place, slot - (len(places) - 1) / 2) for slot, place in enumerate(places))
        found[layer] = places
    return found


def mean(values: list[float]) -> float:
    """The mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def arrow(
    source: int, target: int, layers: dict[int, int], spots: dict[Place, tuple[int, int]], box_height: int
) -> Arrow:
    """From the lower edge of one box to the upper edge of another, straight down past the boxes between."""
    first, *between, last = (spots[place] for place in way(source, target, layers))
    points = [(first[0], first[1] + box_height)]
    for x, y in between:
        points += [(x, y), (x, y + box_height)]
    return Arrow((*points, last))
