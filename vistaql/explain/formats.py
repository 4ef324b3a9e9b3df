"""An account in the format that was asked for."""

from __future__ import annotations

import json

from vistaql.explain.account import Account
from vistaql.explain.plan import plan_json
from vistaql.explain.text import render
from vistaql.frontend.ast import ExplainFormat
from vistaql.outcome import Explanation


def explanation(account: Account, form: ExplainFormat, statement: str) -> Explanation:
    """The answer of EXPLAIN; `statement` stands above the picture of a page."""
    match form:
        case ExplainFormat.TEXT:
            return Explanation(render(account), plan_json(account, with_graph=False))
        case ExplainFormat.JSON:
            plan = plan_json(account, with_graph=True)
            return Explanation(json.dumps(plan), plan)
        case ExplainFormat.HTML:
            # The template engine takes a tenth of a second to load.
            from vistaql.explain.page import page

            plan = plan_json(account, with_graph=True)
            return Explanation(render(account), plan, page(account, statement))
