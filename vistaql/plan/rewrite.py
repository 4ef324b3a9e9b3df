"""The driver of rewrites: rules are functions of one node, the driver walks.

A rule returns the node itself where it does not apply. After each rule the invariant of the caller is
checked, so that a rule that breaks a plan is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vistaql.plan.node import Node

Rule = Callable[[Node], Node]


@dataclass(frozen=True)
class Step:
    """A rule, and the plan after it."""

    rule: str
    plan: Node


def rewrite(
    plan: Node,
    rules: tuple[Rule, ...],
    check: Callable[[Node], None] = lambda _: None,
    observe: Callable[[Step], None] = lambda _: None,
) -> Node:
    """Apply the rules in order, each from the inputs up to the root.

    Raises whatever `check` raises, with a note that names the rule.
    """
    for rule in rules:
        before, plan = plan, transform(plan, rule)
        try:
            if plan is not before:
                check(plan)
        except ValueError as error:
            error.add_note(f"after the rule {rule.__name__}")
            raise
        observe(Step(rule.__name__, plan))
    return plan


def transform(plan: Node, rule: Rule) -> Node:
    """Apply one rule to every node, inputs first; a node that several read is rewritten once."""
    # By place in memory, where a digest would have to be made of every node of every plan on the way.
    done: dict[int, Node] = {}
    for node in plan.objects():
        same = all(done[id(source)] is source for source in node.inputs)
        done[id(node)] = rule(node if same else node.map_inputs(lambda source: done[id(source)]))
    return done[id(plan)]
