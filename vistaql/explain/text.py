"""A decision for people: the chosen plan as a tree, then the plans that lost and why."""

from __future__ import annotations

from vistaql.explain.plan import Step, steps_of, why_lost
from vistaql.optimizer.choose import Decision
from vistaql.units import format_duration, format_size

WIDTH = 80


def render(decision: Decision, notes: tuple[str, ...] = ()) -> str:
    """The plan in lines of at most 80 columns, as far as names allow."""
    chosen = decision.chosen
    threads = chosen.configuration.threads
    head = (
        f"plan {chosen.name}{' (forced)' if decision.forced else ''}   {format_duration(chosen.seconds)}   "
        f"{format_size(chosen.peak_bytes)} of {format_size(decision.limit_bytes)}   "
        f"in process, {threads} thread{'' if threads == 1 else 's'}"
    )
    lines = [head]
    for step in steps_of(chosen, decision.sizes):
        lines += tree(step, 0)
    lines += table(
        "lost", [(item.name, format_duration(item.seconds), why_lost(item, decision)) for item in decision.losers]
    )
    lines += table(
        "does not fit",
        [
            (item.candidate.name, format_size(item.needs), f"has {format_size(item.has)}")
            for item in decision.rejections
        ],
    )
    if not decision.sizes.exact:
        lines.append("Rows are estimated from the catalog; a run counts them before it chooses.")
    return "\n".join([*lines, *notes])


def tree(step: Step, depth: int) -> list[str]:
    """A step and those below it, seconds at the right."""
    lines = ["   " * depth + "+- " + part for part in [step.words]]
    right = format_duration(step.seconds) if step.seconds >= 0.005 else ""
    first = wrapped(lines[0], WIDTH - len(right) - 1)
    first[0] = first[0].ljust(WIDTH - len(right)) + right if right else first[0]
    below = [line for inner in step.reads for line in tree(inner, depth + 1)]
    return [*first, *below]


def wrapped(line: str, width: int) -> list[str]:
    """A long line continued under its own words."""
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" +-")) + 2)
    cut = line.rfind(" ", len(indent) + 20, width)
    if cut < 0:
        return [line]
    return [line[:cut], *wrapped(indent + line[cut + 1 :], width)]


def table(title: str, rows: list[tuple[str, str, str]]) -> list[str]:
    """Name, number and reason of each row, under a title."""
    if not rows:
        return []
    name, number = (max(len(row[place]) for row in rows) for place in (0, 1))
    indent = " " * (len(title) + 2)
    return [
        f"{title + ': ' if place == 0 else indent}{first:<{name}}  {second:>{number}}  {third}"
        for place, (first, second, third) in enumerate(rows)
    ]
