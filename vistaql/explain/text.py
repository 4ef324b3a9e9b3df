"""An account for people: the plan as a tree with its figures, the memory ledger, and the plans that lost."""

from __future__ import annotations

import textwrap

from vistaql.explain import cluster
from vistaql.explain.account import Account, Loser, settings_of
from vistaql.explain.logical import rewrites_text
from vistaql.explain.steps import Figures, Step
from vistaql.frontend.ast import ExplainMode
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.memory import Ledger
from vistaql.units import format_duration, format_size

WIDTH = 80
# Columns at the right: time, rows, bytes of the result, and the peak of memory.
COLUMNS = (("time", 12), ("rows", 8), ("bytes", 7), ("peak", 7))
WORDS = WIDTH - sum(width for _, width in COLUMNS)
# A name that is longer gets a line of its own.
LONGEST_NAME = 24
LEAST_SECONDS = 0.005
LEAST_BYTES = 1_000
ESTIMATED = "Rows are estimated from the catalog; a run counts them before it chooses."
RATIO = "A ratio is estimate / actual: below 1 it took more than was thought."


def render(account: Account) -> str:
    """The account in lines of at most 80 columns, as far as names allow."""
    lines = head(account)
    match account.mode:
        case ExplainMode.CANDIDATES:
            lines += ["", *ranking(account), *table(rejected(account))]
        case ExplainMode.VERBOSE:
            lines += ["", *rewrites_text(account.rewrites, WIDTH), "", columns(), *tree(account.steps, 0)]
            lines += ["", "Spark would be told:", *(f"  {line}" for line in account.spark)] if account.spark else []
        case ExplainMode.PLAN | ExplainMode.ANALYZE:
            lines += [columns(), *tree(account.steps, 0), "", *settings(account), *ledger_lines(account.ledger)]
            lines += table(lost(account), rejected(account))
    if account.measured:
        lines.append(RATIO)
    elif not account.decision.sizes.exact:
        lines.append(ESTIMATED)
    return "\n".join(lines)


def head(account: Account) -> list[str]:
    """The plan, its seconds, its peak; after a run what it took."""
    decision, measured = account.decision, account.measured
    chosen = decision.chosen
    name = f"plan {cluster.title(chosen)}{' (forced)' if decision.forced else ''}"
    peak = f"{format_size(chosen.peak_bytes)} of {format_size(decision.limit_bytes)}"
    if measured is None:
        return wrapped(f"{name}   {format_duration(chosen.seconds)}   {peak}", "", "     ", WIDTH)
    took = f"{format_duration(chosen.seconds)} estimated, {format_duration(measured.seconds)} taken"
    held = f"peak {peak}, {format_size(measured.peak_bytes)} taken"
    kept = f"   kept as {measured.kept_as}" if measured.kept_as else ""
    return wrapped(f"{name}   {took}   {held}{kept}", "", "     ", WIDTH)


def columns() -> str:
    """The heads of the columns."""
    return " " * WORDS + "".join(f"{name:>{width}}" for name, width in COLUMNS)


def tree(step: Step, depth: int) -> list[str]:
    """A step and those below it, figures at the right; after a run also what they were, and the ratio."""
    branch = "   " * (depth - 1) + "+- " if depth else ""
    mark = f" (read by {step.readers})" if step.readers > 1 else ""
    beside = ["" if step.actual is None else "actual", "" if step.actual is None else "ratio"]
    figures = [figures_text(step.estimate)]
    if step.actual is not None:
        figures += [figures_text(step.actual), ratios_text(step.estimate, step.actual)]
    narrow = WORDS - 1 - max(map(len, beside))
    words = wrapped(step.words + mark, branch, " " * len(branch) + "  ", narrow if step.actual else WORDS - 1)
    lines = []
    for place in range(max(len(words), len(figures))):
        left = words[place] if place < len(words) else ""
        right = figures[place] if place < len(figures) else ""
        label = beside[place - 1] if right and place else ""
        lines.append(f"{left:<{WORDS - len(label)}}{label}{right}".rstrip())
    return [*lines, *(line for inner in step.reads for line in tree(inner, depth + 1))]


def figures_text(figures: Figures) -> str:
    """Figures in their columns; what is next to nothing is left out."""
    seconds, size, peak = figures.seconds or 0.0, figures.bytes or 0, figures.peak_bytes or 0
    cells = (
        format_duration(seconds) if seconds >= LEAST_SECONDS else "",
        "" if figures.rows is None else count_text(figures.rows),
        format_size(size) if size >= LEAST_BYTES else "",
        format_size(peak) if peak else "",
    )
    return "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))


def ratios_text(estimate: Figures, actual: Figures) -> str:
    """Estimate / actual of each figure, where both are more than next to nothing."""
    pairs = (
        (estimate.seconds, actual.seconds, LEAST_SECONDS),
        (estimate.rows, actual.rows, 1),
        (estimate.bytes, actual.bytes, LEAST_BYTES),
        (estimate.peak_bytes, actual.peak_bytes, LEAST_BYTES),
    )
    cells = (ratio_text(first, second, least) for first, second, least in pairs)
    return "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))


def ratio_text(estimate: float | None, actual: float | None, least: float) -> str:
    """One ratio.

    >>> ratio_text(3.0, 2.0, 0.01), ratio_text(300.0, 2.0, 0.01), ratio_text(1.0, 2.0, 0.01), ratio_text(None, 2.0, 1)
    ('1.5', '150', '0.50', '')
    """
    if not estimate or not actual or min(estimate, actual) < least:
        return ""
    ratio = estimate / actual
    if ratio >= 0.95:
        return f"{ratio:.1f}" if ratio < 99.5 else f"{ratio:.0f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


def count_text(count: int) -> str:
    """A count that keeps to its column.

    >>> count_text(40_000), count_text(12_345_678)
    ('40,000', '12.3 M')
    """
    return f"{count:,}" if count < 1_000_000 else f"{count / 1e6:.1f} M"


def settings(account: Account) -> list[str]:
    """What was decided besides the shape of the plan."""
    told = ", ".join(f"{name} {value}" for name, value in settings_of(account.decision))
    return wrapped(told, "settings: ", " " * 10, WIDTH)


def ledger_lines(ledger: Ledger) -> list[str]:
    """The ledger, one region a line, and what is left."""
    rows = [(line.region.value, format_size(line.bytes), line.words) for line in ledger.lines if line.bytes]
    rows.append(("free", format_size(ledger.slack), f"of {format_size(ledger.limit)}, which is the limit"))
    return table(("memory", rows))


def lost(account: Account) -> tuple[str, list[tuple[str, str, str]]]:
    """The best loser of each kind."""
    return "lost", [loser_row(item) for item in account.best_of_each_kind]


def loser_row(item: Loser) -> tuple[str, str, str]:
    """Name, seconds and reason."""
    return item.name, format_duration(item.candidate.seconds), item.why


def ranking(account: Account) -> list[str]:
    """All plans that no other beats in seconds, memory and disk, the cheapest first; then those that are beaten."""
    chosen = account.decision.chosen
    first = (chosen.name, plan_figures(chosen), "chosen")
    standing = [item for item in account.losers if not item.beaten]
    beaten = [item for item in account.losers if item.beaten]
    heads = ("", f"{'time':>10}{'peak':>8}{'disk':>8}", "")
    return table(("plans", [heads, first, *map(candidate_row, standing)]), ("beaten", list(map(candidate_row, beaten))))


def candidate_row(item: Loser) -> tuple[str, str, str]:
    """Name, figures and reason of a plan that was not taken."""
    figures = plan_figures(item.candidate)
    return item.candidate.name, figures, item.why


def plan_figures(plan: Candidate) -> str:
    """Seconds, memory, and disk where it takes some."""
    disk = format_size(plan.disk_bytes) if plan.disk_bytes else ""
    return f"{format_duration(plan.seconds):>10}{format_size(plan.peak_bytes):>8}{disk:>8}"


def rejected(account: Account) -> tuple[str, list[tuple[str, str, str]]]:
    """Plans that do not fit, with the inequality that they break; on Spark only EXPLAIN CANDIDATES has them all."""
    every = account.mode is ExplainMode.CANDIDATES
    return "does not fit", [
        (
            cluster.named(item.candidate, account.decision),
            f"needs {format_size(item.needs)}",
            f"of {item.constraint.value}, has {format_size(item.has)}",
        )
        for item in account.decision.rejections
        if every or cluster.distance(item.candidate, account.decision.chosen) <= 1
    ]


def wrapped(text: str, first: str, others: str, width: int) -> list[str]:
    """Text in lines of a width, with what stands before the first and before the others; words stay whole."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def table(*sections: tuple[str, list[tuple[str, str, str]]]) -> list[str]:
    """Name, figures and reason of each row, under the titles of their sections; a long name has a line of its own."""
    told = [(title, rows) for title, rows in sections if rows]
    rows = [row for _, section in told for row in section]
    left = max((len(title) for title, _ in told), default=0) + 2
    width = max((len(name) for name, _, _ in rows if len(name) <= LONGEST_NAME), default=4)
    number = max((len(figures) for _, figures, _ in rows), default=0)
    lines = []
    for title, section in told:
        for place, (name, figures, reason) in enumerate(section):
            start = f"{title + ':' if place == 0 else '':<{left}}"
            shown = name
            if len(name) > width:
                lines += wrapped(name, start, " " * left + "  ", WIDTH)
                start, shown = " " * left, ""
            start = f"{start}{shown:<{width}}  {figures:>{number}}  "
            lines += wrapped(reason, start, " " * len(start), WIDTH) if reason else [start.rstrip()]
    return lines
