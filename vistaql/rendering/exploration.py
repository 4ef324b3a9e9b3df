"""The result of an EXPLORE as text: rows in network order with bars, what they stand against, and the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vistaql.rendering.answer import account, answer, short_name
from vistaql.rendering.style import cells, fit, pad, printable
from vistaql.rendering.verdict import contests
from vistaql.rendering.words import filled, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vistaql.outcome import Exploration, ScoreRow
    from vistaql.rendering.style import Style
    from vistaql.rendering.verdict import Contest

INDENT = "  "
SHORTEST_BAR, LONGEST_BAR = 6, 20
LIFT_TITLE = "over the table alone"
MARK_WIDTH = len("as good")


@dataclass(frozen=True)
class Line:
    """One line of the table: a name, how many numbers an image gives, a figure, and what is said beside its bar.

    A figure of NaN is not shown; `lifted` says that a lift or a deviation stands beside the bar.
    """

    name: str
    width: str
    mean: float
    beside: str = ""
    mark: str = ""
    lifted: bool = False


def exploration_text(result: Exploration, style: Style) -> str:
    """The whole answer, within 80 columns."""
    blocks = []
    if result.random_weights:
        names = " and ".join(printable(name) for name in result.random_weights)
        blocks.append(wrapped(f"RANDOM WEIGHTS: {names} has learnt nothing; the figures say so.", style))
    found = contests(result)
    alone = len(found) == 1
    blocks.extend("\n".join(filter(None, [title(one, alone=alone), table(one, result, style)])) for one in found)
    closing = [account(result), *equal_layers(result), *(f"Note: {note}" for note in result.notes)]
    if result.name:
        closing.append(f"Kept as {result.name}.")
    blocks.append("\n".join(wrapped(printable(text), style) for text in closing))
    blocks.append(wrapped(answer(result), style, indent=""))
    return "\n\n".join(filter(None, blocks))


def equal_layers(result: Exploration) -> Iterator[str]:
    """The other names of layers that pool to the same numbers, and so have one row."""
    named = {(row.cnn, row.layer): row.also for row in result.rows if row.also}
    for (_, layer), others in named.items():
        yield f"{layer} stands for {listed(others)} as well: pooled, they are the same numbers."


def wrapped(text: str, style: Style, indent: str = INDENT) -> str:
    """Prose within the columns of the screen."""
    return filled(text, style.text_width - 1, indent)


def title(found: Contest, *, alone: bool) -> str:
    """What a table is about, where that is not clear from its header."""
    if alone and found.greater_is_better:
        return ""
    return f"{INDENT}{found.metric}{'' if found.greater_is_better else ' (less is better)'}, {found.learner}"


def table(found: Contest, result: Exploration, style: Style) -> str:
    """The rows of one metric and learner over a rule, and below it what they stand against."""
    above = list(layer_lines(found, result))
    below = list(against(found, result))
    grid = Grid.around([*above, *below], found, style)
    scale = scale_of(found, [*above, *below])
    beside = LIFT_TITLE if found.alone is not None else "std" if len(found.best.folds) > 1 else ""
    header = grid.text(Line("layer", "width", math.nan, beside), found.metric, "")
    layers = [grid.line(line, scale, style) for line in above]
    others = [grid.line(line, scale, style) for line in below]
    rule = INDENT + "-" * (max(map(cells, [header, *layers, *others])) - len(INDENT))
    shown = [style.strong(text) if line.mark == "best" else text for text, line in zip(layers, above, strict=True)]
    return "\n".join([header, *shown, *([rule] if below else []), *others])


def layer_lines(found: Contest, result: Exploration) -> Iterator[Line]:
    """The layers, under the name of their CNN where there are several."""
    several = len({row.cnn for row in found.layers}) > 1
    cnn = None
    for row in found.layers:
        if several and row.cnn != cnn:
            cnn = row.cnn
            yield Line(printable(f"{cnn}"), "", math.nan)
        line = layer_line(row, found, result)
        yield replace(line, name=INDENT + line.name) if several else line


def layer_line(row: ScoreRow, found: Contest, result: Exploration) -> Line:
    """A layer, with its lift, or its standard deviation where there is nothing to be lifted over."""
    mark = "best" if row is found.best and len(found.layers) > 1 else "as good" if row in found.as_good else ""
    return Line(short_name(row, result), str(row.width), row.mean, lift_text(row, found), mark, lifted=True)


def lift_text(row: ScoreRow, found: Contest) -> str:
    """The lift and its interval, or the standard deviation."""
    if found.alone is None:
        return f"{row.std:.3f}" if len(row.folds) > 1 else ""
    if row.lift is None or math.isnan(row.lift):
        return ""
    if row.lift_low is None or row.lift_high is None or math.isnan(row.lift_low):
        return f"{row.lift:+.2f}"
    low, high = interval_widths(found)
    return f"{row.lift:+.2f} ({row.lift_low:{low}.2f} to {row.lift_high:{high}.2f})"


def interval_widths(found: Contest) -> tuple[int, int]:
    """How wide the two ends of an interval are written; a minus takes room in all lines."""
    lows = [row.lift_low for row in found.layers if row.lift_low is not None]
    highs = [row.lift_high for row in found.layers if row.lift_high is not None]
    return max(len(f"{low:.2f}") for low in lows), max(len(f"{high:.2f}") for high in highs)


def against(found: Contest, result: Exploration) -> Iterator[Line]:
    """The table alone, the best layer alone, and the commonest class."""
    if found.alone is not None:
        yield Line("table alone", str(found.alone.width), found.alone.mean, printable(", ".join(result.columns)))
    only = result.image_only
    if only is not None and (only.metric, only.learner) == (found.metric, found.learner):
        yield Line(f"{short_name(only, result)} alone", str(only.width), only.mean)
    if found.metric == result.metric and not math.isnan(result.majority):
        yield Line(f"commonest {printable(result.label)}", "", result.majority, printable(result.majority_class))


def scale_of(found: Contest, lines: list[Line]) -> float:
    """What a full bar stands for: 1 for metrics that end there, otherwise the greatest figure."""
    greatest = max((line.mean for line in lines if math.isfinite(line.mean)), default=1.0)
    return 1.0 if found.greater_is_better and greatest <= 1 else max(greatest, 1e-9)


@dataclass(frozen=True)
class Grid:
    """Columns of each part of a line. The bar takes what is left; the text beside it may run to the edge."""

    name: int
    width: int
    figure: int
    bar: int
    beside: int
    edge: int
    cut: str

    @classmethod
    def around(cls, lines: list[Line], found: Contest, style: Style) -> Grid:
        """Give every part the room it needs, as far as there is room; a bar that would be too short is left out."""
        width = max(len("width"), *(len(line.width) for line in lines))
        figure = max(cells(found.metric), len("0.000"))
        lifts = [len(line.beside) for line in lines if line.lifted]
        beside = max(lifts) if found.alone is None else max(len(LIFT_TITLE), *lifts)
        free = style.text_width - len(f"{INDENT} {'':{width}}  {'':{figure}}  {'':{beside}} as good")
        # A line without a width has that column for its name as well.
        name = max(len("layer"), *(cells(line.name) - (0 if line.width else width + 1) for line in lines))
        bar = min(LONGEST_BAR, free - 1 - name)
        if bar < SHORTEST_BAR:
            name, bar = min(name, free), 0
        return cls(name, width, figure, bar, beside, style.text_width, style.cut)

    def line(self, line: Line, scale: float, style: Style) -> str:
        """Write a line of the table, with its bar."""
        if math.isnan(line.mean):
            return self.text(line, "", "")
        share = line.mean / scale if math.isfinite(line.mean) else 0
        return self.text(line, f"{line.mean:.3f}", style.bar * round(self.bar * min(max(share, 0), 1)))

    def text(self, line: Line, figure: str, bar: str) -> str:
        """Put the parts in their columns."""
        named = self.name if line.width else self.name + 1 + self.width
        head = pad(fit(line.name, named, self.cut), named) + (f" {line.width:>{self.width}}" if line.width else "")
        drawn = f"{pad(bar, self.bar)} " if self.bar else ""
        beside = f"{pad(line.beside, self.beside)} {line.mark}" if line.mark else line.beside
        return fit(f"{INDENT}{head}  {figure:>{self.figure}}  {drawn}{beside}", self.edge, self.cut).rstrip()
