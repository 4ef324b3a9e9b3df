"""The answer to an EXPLORE in words: what is best, what is as good, what the last layer would have cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vistaql.rendering.style import printable
from vistaql.rendering.verdict import contests
from vistaql.rendering.words import capitalised, cardinal, counted, listed, ordinal
from vistaql.units import format_duration

if TYPE_CHECKING:
    from vistaql.outcome import Exploration, PlanSummary, ScoreRow
    from vistaql.rendering.verdict import Contest

DEFAULT_POOLS = (None, "gap", "none")


def short_name(row: ScoreRow, result: Exploration) -> str:
    """How a row is called under the name of its CNN: with its pool where that says more than the default."""
    pools = {other.pool for other in result.rows if (other.cnn, other.layer) == (row.cnn, row.layer)}
    return printable(f"{row.layer} {row.pool}" if len(pools) > 1 or row.pool not in DEFAULT_POOLS else f"{row.layer}")


def layer_name(row: ScoreRow, result: Exploration) -> str:
    """How a row is called in a sentence: with its CNN where there are several."""
    several = len({other.cnn for other in result.rows if other.layer}) > 1
    return printable(f"{row.cnn}.") * several + short_name(row, result)


def answer(result: Exploration) -> str:
    """The sentences that answer the question, over all learners, for the metric asked for first."""
    found = [one for one in contests(result) if one.metric == result.metric]
    if not found:
        return ""
    first = found[0]
    best = max(found, key=lambda one: one.ahead(one.best, first.best))
    sentences = [winner(best, result, several=len(found) > 1), rivals(best, result), last(best, result)]
    return " ".join(filter(None, [*sentences, worth(best, result)]))


def winner(found: Contest, result: Exploration, *, several: bool) -> str:
    """Name the best layer and its figure."""
    row, name = found.best, layer_name(found.best, result)
    learner = f" with {row.learner}" if several else ""
    if len(found.layers) == 1:
        return f"{name} gets {row.mean:.3f}{learner}."
    same = [other for other in found.layers if other.cnn == row.cnn]
    place = "" if len(same) < 3 else f", the {place_of(same.index(row) + 1, len(same))},"
    return f"{name}{place} is best{learner}: {row.mean:.3f}."


def place_of(place: int, count: int) -> str:
    """A place in network order.

    >>> place_of(3, 6), place_of(6, 6)
    ('third of six layers', 'last of six layers')
    """
    return f"{'last' if place == count else ordinal(place)} of {cardinal(count)} layers"


def rivals(found: Contest, result: Exploration) -> str:
    """Name what is within noise of the best, or say why that is not known."""
    if len(found.layers) == 1:
        return ""
    if len(found.best.folds) < 2:
        return "One split says nothing about noise; USING CROSS VALIDATION (5) would."
    if not found.as_good:
        return "No other layer is within noise of it."
    if len(found.as_good) == len(found.layers) - 1 and len(found.layers) > 2:
        return "All the others are within noise of it."
    names = [layer_name(row, result) + " (the last one)" * (row is found.last) for row in found.as_good]
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} within noise of it."


def last(found: Contest, result: Exploration) -> str:
    """Say what the last layer, which most people would take, gives up."""
    row = found.last
    if row is found.best or row in found.as_good:
        return ""
    name = layer_name(row, result)
    behind = found.ahead(found.best, row)
    if math.isnan(behind):
        return f"{name}, the last one, has no figure."
    if found.greater_is_better and 0 <= row.mean <= 1:
        points = round(100 * behind)
        loss = counted(points, "point") + " less" if points else "less than a point less"
    else:
        loss = f"{behind:.3f} worse"
    return f"{name}, the last one, gets {row.mean:.3f}: {loss}."


def worth(found: Contest, result: Exploration) -> str:
    """Say it where the images, or everything, add nothing."""
    row = found.best
    greater = found.greater_is_better
    if greater and row.metric == "accuracy" and row.mean <= result.majority:
        return (
            f"Nothing here is better than always saying '{printable(result.majority_class)}' ({result.majority:.3f})."
        )
    if row.lift is None or row.lift_low is None or row.lift_high is None or found.alone is None:
        return ""
    low, high = (row.lift_low, row.lift_high) if greater else (-row.lift_high, -row.lift_low)
    if high < 0:
        return f"The table alone is better: {found.alone.mean:.3f}."
    if low <= 0:
        return f"That is within noise of the table alone, {found.alone.mean:.3f}."
    return ""


def account(result: Exploration) -> str:
    """What became of images and rows, how it was computed, and how long it took."""
    return " ".join(filter(None, [matched(result), evaluated(result), computed(result)]))


def matched(result: Exploration) -> str:
    """Tell images and rows, and what did not fit together."""
    counts = result.counts
    parts = [counted(counts.images, "image")]
    if result.columns or counts.rows != counts.images:
        parts.append(counted(counts.rows, "row"))
    if not counts.images == counts.rows == counts.joined:
        parts.append(f"{counts.joined:,} learnt from")
    elif len(parts) > 1:
        parts.append("all matched")
    parts.append(f"{counts.bad:,} bad (SHOW ERRORS names them)" if counts.bad else "none bad")
    lost = (
        (counts.images_without_row, "image without a row", "images without a row"),
        (counts.rows_without_image, "row without an image", "rows without an image"),
        (counts.duplicates, "row with a key seen before", "rows with a key seen before"),
        (counts.rows_without_label, "row without a label", "rows without a label"),
    )
    parts.extend(counted(number, one, many) for number, one, many in lost if number)
    return ", ".join(parts) + "."


def evaluated(result: Exploration) -> str:
    """Tell the folds, and how much the figures vary over them."""
    if result.folds < 2:
        return "One split."
    spread = [row.std for row in result.rows if row.metric == result.metric and row.layer]
    if not spread:
        return f"{result.folds} folds."
    low, high = f"{min(spread):.3f}", f"{max(spread):.3f}"
    return f"{result.folds} folds (std {low if low == high else f'{low} to {high}'})."


def instead(plan: PlanSummary) -> str:
    """Tell what a pass for each layer would have taken, where that is a second or more longer by the estimate."""
    lazy = dict(plan.alternatives).get("lazy", 0.0)
    longer = lazy - plan.estimated_seconds
    if plan.forced or not plan.inference_seconds or longer < 1:
        return ""
    return f"; one pass a layer would take about {format_duration(plan.inference_seconds + longer)} (EXPLAIN shows why)"


def computed(result: Exploration) -> str:
    """Tell the passes, their seconds, and the seconds of the whole statement."""
    plan = result.plan
    layers = len({(row.cnn, row.layer) for row in result.rows if row.layer})
    parts = []
    if plan.passes:
        passes = "one pass" if len(plan.passes) == 1 else f"{cardinal(len(plan.passes))} passes"
        seconds = f": {format_duration(plan.inference_seconds)}" if plan.inference_seconds else ""
        forced = f" (plan = {plan.strategy} was set)" if plan.forced else ""
        wanted = "one layer" if layers == 1 else f"{cardinal(layers)} layers"
        parts.append(capitalised(f"{passes} for {wanted}{seconds}{forced}{instead(plan)}."))
    parts.append(f"In all {format_duration(result.seconds)}.")
    return " ".join(parts)
