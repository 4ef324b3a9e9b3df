"""A decision for people: the chosen plan as a tree, then the plans that lost and why."""

from __future__ import annotations

import textwrap

from vistaql.explain.cluster import chosen_words, distance, named, near, title, where
from vistaql.explain.reasons import why_lost
from vistaql.explain.steps import Step, steps_of
from vistaql.optimizer.choose import Decision
from vistaql.units import format_duration, format_size

WIDTH = 80
# Columns at the right: seconds, and bytes.
SECONDS, BYTES = 11, 7
LEAST_SECONDS = 0.005
LEAST_BYTES = 1_000_000
ESTIMATED = "Rows are estimated from the catalog; a run counts them before it chooses."


def render(decision: Decision) -> str:
    """The plan in lines of at most 80 columns, as far as names allow."""
    chosen = decision.chosen
    head = (
        f"plan {title(chosen)}{' (forced)' if decision.forced else ''}   {format_duration(chosen.seconds)}   "
        f"{format_size(chosen.peak_bytes)} of {format_size(decision.limit_bytes)}   "
        f"{where(chosen)}"
    )
    lost = [(named(item, decision), format_duration(item.seconds), why_lost(item, decision)) for item in near(decision)]
    rejected = [
        (named(item.candidate, decision), format_size(item.needs), f"of memory, {format_size(item.has)} allowed")
        for item in decision.rejections
        if distance(item.candidate, chosen) <= 1
    ]
    lines = [
        *wrapped(head, "", "     ", WIDTH),
        *wrapped(chosen_words(decision), "     ", "     ", WIDTH),
        *tree(steps_of(decision), 0),
        *table("lost", lost),
        *table("does not fit", rejected),
    ]
    return "\n".join([*lines, *([] if decision.sizes.exact else [ESTIMATED])])


def tree(step: Step, depth: int) -> list[str]:
    """A step and those below it, seconds and bytes at the right."""
    indent = "   " * depth
    took = format_duration(step.seconds) if step.seconds >= LEAST_SECONDS else ""
    held = format_size(step.bytes) if step.bytes >= LEAST_BYTES else ""
    left = WIDTH - SECONDS - BYTES
    words = wrapped(step.words, indent + "+- ", indent + "     ", left - 1 if took or held else WIDTH)
    first = f"{words[0]:<{left}}{took:>{SECONDS}}{held:>{BYTES}}".rstrip()
    return [first, *words[1:], *(line for inner in step.reads for line in tree(inner, depth + 1))]


def wrapped(text: str, first: str, others: str, width: int) -> list[str]:
    """Text in lines of a width, with what stands before the first and before the others; words stay whole."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def table(title: str, rows: list[tuple[str, str, str]]) -> list[str]:
    """Name, number and reason of each row, under a title."""
    if not rows:
        return []
    name, number = (max(len(row[place]) for row in rows) for place in (0, 1))
    lines = []
    for place, (first, second, third) in enumerate(rows):
        start = f"{title + ':' if place == 0 else '':<{len(title) + 1}} {first:<{name}}  {second:>{number}}  "
        lines += wrapped(third, start, " " * len(start), WIDTH)
    return lines
