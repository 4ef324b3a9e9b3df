"""The rewrites of logical plans, in the order in which they are applied."""

from collections.abc import Callable

from vistaql.logical.rules.decode_only_matching import decode_only_matching
from vistaql.logical.schema import same_schema
from vistaql.plan.node import Node
from vistaql.plan.rewrite import Step, rewrite

RULES = (decode_only_matching,)


def rewritten(plan: Node, observe: Callable[[Step], None] = lambda _: None) -> Node:
    """The plan after all rules; after each of them it still gives what it gave, or the rule is named."""
    return rewrite(plan, RULES, same_schema(plan), observe)
