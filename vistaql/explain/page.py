"""An account as one HTML file that stands alone: no script, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

from vistaql.explain.account import Account, settings_of
from vistaql.explain.logical import nodes_text
from vistaql.explain.picture import picture
from vistaql.explain.text import count_text, ratio_text
from vistaql.optimizer.memory import Region
from vistaql.units import format_duration, format_size

TEMPLATE = Path(__file__).with_name("page.html.j2")


def page(account: Account, statement: str) -> str:
    """The page: the plan as a picture, its figures, the memory ledger, and the plans that were not taken."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        duration=lambda value: "" if value is None else format_duration(value),
        size=lambda value: "" if not value else format_size(value),
        count=lambda value: "" if value is None else count_text(value),
        ratio=lambda pair, least: ratio_text(pair[0], pair[1], least),
    )
    decision = account.decision
    picture_of = picture(account.steps)
    plans = [(item.candidate, item) for item in account.losers]
    slowest = max([decision.chosen.seconds, *(candidate.seconds for candidate, _ in plans)])
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        account=account,
        chosen=decision.chosen,
        decision=decision,
        measured=account.measured,
        picture=picture_of,
        steps=sorted(account.steps.walk(), key=lambda step: step.number or len(picture_of.boxes)),
        settings=settings_of(decision),
        regions=[line for line in account.ledger.lines if line.bytes and line.region is not Region.SYSTEM],
        statement=statement,
        slowest=slowest or 1.0,
        rewrites=[(item, nodes_text(item.after)) for item in account.rewrites],
    )
